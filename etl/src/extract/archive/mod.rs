//! Zip archives: finds the one member that a dataset needs, and opens it without unpacking anything.
//!
//! The directory streams by (`directory`), the member's content too (`member`). Nothing here knows what the member contains.

mod directory;
mod member;
#[cfg(test)]
mod tests;

use std::io::{self, BufRead, Read, Seek};

use common::failure::{Failure, Result};
pub(super) use directory::Directory;
pub(super) use member::Member;

/// How many names a message lists.
const LISTED: usize = 10;

/// Finds the member whose base name is `wanted`, whatever its case. The one at the top of the archive goes before those in folders;
/// what macOS adds under `__MACOSX/` does not count. `name` is the archive, for messages.
pub(super) fn find(
    file: &mut (impl BufRead + Seek),
    directory: &Directory,
    wanted: &str,
    name: &str,
) -> Result<Member> {
    let (mut top, mut nested, mut others) = (Found::default(), Found::default(), Found::default());
    let read = directory.for_each(file, |entry| {
        let path = entry.name.strip_prefix(b"./").unwrap_or(entry.name);
        let (folder, base) = split(path);
        if folder
            .is_some_and(|folder| folder.split(|byte| is_separator(*byte)).any(|part| part == b"__MACOSX"))
        {
            return Ok(());
        }
        let found = match folder {
            _ if !base.eq_ignore_ascii_case(wanted.as_bytes()) => &mut others,
            None => &mut top,
            Some(_) => &mut nested,
        };
        found.add(|| Member::new(&entry, directory));
        Ok(())
    });
    read.map_err(|error| broken(name, error))?;
    let mut found = if top.count > 0 { top } else { nested };
    match (found.count, found.first.pop()) {
        (1, Some(member)) => Ok(member),
        (0, _) => {
            let there = if others.count == 0 {
                "it is empty".to_owned()
            } else {
                format!("it holds: {}", others.list())
            };
            Err(Failure::new(format!("`{name}` holds no `{wanted}`")).hint(there))
        }
        (_, last) => {
            found.first.extend(last);
            Err(Failure::new(format!("`{name}` holds several members named `{wanted}`: {}", found.list()))
                .hint(format!(
                    "leave one of them, at the top of the archive: zip -d {} MEMBER",
                    base_name(name)
                )))
        }
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

/// The failure for an archive that cannot be read.
pub(super) fn broken(name: &str, error: io::Error) -> Failure {
    let hint = match error.kind() {
        io::ErrorKind::InvalidData | io::ErrorKind::UnexpectedEof => CUT_OFF,
        _ => "check that it can be read whole, or download it again",
    };
    Failure::new(format!("`{name}` is not a whole zip archive")).source(error).hint(hint)
}

/// The failure for an archive without an end.
pub(super) fn endless(name: &str) -> Failure {
    Failure::new(format!("`{name}` is not a whole zip archive: it has no directory at its end")).hint(CUT_OFF)
}

const CUT_OFF: &str = "it was probably cut off while it was downloaded: download it again";

/// The first few members of one kind, and how many there are.
#[derive(Default)]
struct Found {
    first: Vec<Member>,
    count: u64,
}

impl Found {
    fn add(&mut self, member: impl FnOnce() -> Member) {
        self.count += 1;
        if self.first.len() < LISTED {
            self.first.push(member());
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

fn is_separator(byte: u8) -> bool {
    matches!(byte, b'/' | b'\\')
}

/// The folder of a path, if it is in one, and its base name, which is empty for a folder.
fn split(path: &[u8]) -> (Option<&[u8]>, &[u8]) {
    match path.iter().rposition(|byte| is_separator(*byte)) {
        Some(at) => (Some(&path[..at]), &path[at + 1..]),
        None => (None, path),
    }
}

fn base_name(url: &str) -> &str {
    url.rsplit('/').next().unwrap_or(url)
}
