//! Zip archives: finds the one member that a dataset needs, and opens it without unpacking anything.
//!
//! The directory (`directory`) and the member's content (`member`) are streamed.

mod directory;
mod member;
mod record;
#[cfg(test)]
mod tests;

use std::io::{self, BufRead, Read, Seek};

use common::failure::{Failure, Result};
pub(super) use directory::Directory;
pub(super) use member::Member;

/// Names that a message lists.
const LISTED: usize = 10;

const SEPARATORS: [char; 2] = ['/', '\\'];

/// Finds the member whose base name is `wanted`, in any case. A member at the top of the archive has precedence over those in folders;
/// what macOS adds under `__MACOSX/` is ignored. `name` is the archive, for messages.
pub(super) fn find(
    file: &mut (impl BufRead + Seek),
    directory: &Directory,
    wanted: &str,
    name: &str,
) -> Result<Member> {
    let (mut top, mut nested, mut others) = (Found::default(), Found::default(), Found::default());
    let read = directory.for_each(file, |member| {
        let path = member.name.strip_prefix("./").unwrap_or(&member.name);
        let (folder, base) = path.rsplit_once(SEPARATORS).map_or((None, path), |(at, base)| (Some(at), base));
        if folder.is_some_and(|folder| folder.split(SEPARATORS).any(|part| part == "__MACOSX")) {
            return;
        }
        let found = match folder {
            _ if !base.eq_ignore_ascii_case(wanted) => &mut others,
            None => &mut top,
            Some(_) => &mut nested,
        };
        found.add(member);
    });
    read.map_err(|error| broken(name, error))?;
    let mut found = if top.count > 0 { top } else { nested };
    match found.count {
        0 if others.count == 0 => {
            Err(Failure::new(format!("`{name}` holds no `{wanted}`")).hint("it is empty"))
        }
        0 => Err(Failure::new(format!("`{name}` holds no `{wanted}`"))
            .hint(format!("it holds: {}", others.list()))),
        1 => Ok(found.first.remove(0)),
        _ => Err(Failure::new(format!("`{name}` holds several members named `{wanted}`: {}", found.list()))
            .hint(format!(
                "leave one of them, at the top of the archive: zip -d {} MEMBER",
                name.rsplit('/').next().unwrap_or(name)
            ))),
    }
}

/// Opens a member's content. `name` is the archive, for messages.
pub(super) fn open<'a>(
    file: &'a mut (impl BufRead + Seek),
    member: &Member,
    name: &str,
) -> Result<Box<dyn Read + 'a>> {
    if let Some(obstacle) = member.obstacle() {
        let what = format!("the member `{}` of `{name}` is {obstacle}", member.name);
        return Err(Failure::new(what).hint(
            "the member must be stored or deflated, without a password: unpack it and pack it again with `zip`, or download it again",
        ));
    }
    member.open(file).map_err(|error| broken(name, error))
}

/// Returns the failure for an archive that cannot be read.
pub(super) fn broken(name: &str, error: io::Error) -> Failure {
    let hint = match error.kind() {
        io::ErrorKind::InvalidData | io::ErrorKind::UnexpectedEof => CUT_OFF,
        _ => "check that it can be read whole, or download it again",
    };
    Failure::new(format!("`{name}` is not a whole zip archive")).source(error).hint(hint)
}

/// Returns the failure for an archive without an end record.
pub(super) fn endless(name: &str) -> Failure {
    Failure::new(format!("`{name}` is not a whole zip archive: it has no directory at its end")).hint(CUT_OFF)
}

const CUT_OFF: &str = "it was probably cut off while it was downloaded: download it again";

/// The first few members of a kind, and their number.
#[derive(Default)]
struct Found {
    first: Vec<Member>,
    count: u64,
}

impl Found {
    fn add(&mut self, member: Member) {
        self.count += 1;
        if self.first.len() < LISTED {
            self.first.push(member);
        }
    }

    fn list(&self) -> String {
        let names: Vec<_> = self.first.iter().map(|member| format!("`{}`", member.name)).collect();
        match self.count - self.first.len() as u64 {
            0 => names.join(", "),
            more => format!("{} and {more} more", names.join(", ")),
        }
    }
}
