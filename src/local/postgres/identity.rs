//! Who runs PostgreSQL: PostgreSQL refuses root, so root steps down to an unprivileged user for it.
//!
//! That user must be able to enter every folder on the way to its data and to PostgreSQL's programs. It is checked before
//! anything is started, because the server's own messages about it help nobody.

use std::fs::Metadata;
use std::os::unix::fs::{MetadataExt as _, chown};
use std::os::unix::process::CommandExt as _;
use std::path::Path;
use std::process::Command;

use common::failure::{Context as _, Exit, Failure, Result};
use nix::unistd::{User, geteuid};

/// Nobody's id wherever the name is missing, as in small images.
const NOBODY: u32 = 65534;

/// The user that runs PostgreSQL.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in super::super) struct Identity {
    name: String,
    uid: u32,
    gid: u32,
    /// Whether this is not the user that we are.
    other: bool,
}

impl Identity {
    /// The current user; for root `postgres` where it exists, else nobody.
    pub(in super::super) fn of_server() -> Self {
        let me = geteuid();
        if !me.is_root() {
            let gid = nix::unistd::getegid().as_raw();
            return Self { name: "you".to_owned(), uid: me.as_raw(), gid, other: false };
        }
        match User::from_name("postgres") {
            Ok(Some(user)) => {
                Self { name: user.name, uid: user.uid.as_raw(), gid: user.gid.as_raw(), other: true }
            }
            _ => Self { name: format!("nobody ({NOBODY})"), uid: NOBODY, gid: NOBODY, other: true },
        }
    }

    pub(in super::super) const fn uid(&self) -> u32 {
        self.uid
    }

    /// Makes a command run as this user, without any of our other groups.
    pub(super) fn run(&self, command: &mut Command) {
        if self.other {
            // The standard library drops the supplementary groups together with the user.
            command.uid(self.uid).gid(self.gid);
        }
    }

    /// Gives a file or folder to this user.
    pub(super) fn own(&self, path: &Path) -> Result<()> {
        if !self.other {
            return Ok(());
        }
        chown(path, Some(self.uid), Some(self.gid))
            .context(|| format!("cannot give `{}` to the user `{}`", path.display(), self.name))
    }

    /// Checks that this user can enter `folder` and every folder above it. What does not exist yet is no obstacle.
    pub(super) fn check_reach(&self, folder: &Path) -> Result<()> {
        if !self.other {
            return Ok(());
        }
        let real = folder.ancestors().find_map(|ancestor| ancestor.canonicalize().ok());
        for ancestor in real.as_deref().unwrap_or(folder).ancestors() {
            let closed = ancestor.metadata().is_ok_and(|metadata| !self.may_enter(&metadata));
            if closed {
                let (name, closed, wanted) = (&self.name, ancestor.display(), folder.display());
                return Err(Failure::new(format!(
                    "PostgreSQL's user `{name}` cannot enter `{closed}`, which is on the way to `{wanted}`"
                ))
                .hint(format!("chmod o+x '{closed}', or choose a folder elsewhere with --data-dir"))
                .exit_code(Exit::NotStarted));
            }
        }
        Ok(())
    }

    fn may_enter(&self, metadata: &Metadata) -> bool {
        may_enter(metadata.mode(), metadata.uid() == self.uid, metadata.gid() == self.gid)
    }
}

/// The kernel's rule: the first class that fits decides alone.
const fn may_enter(mode: u32, owner: bool, group: bool) -> bool {
    let execute = if owner {
        0o100
    } else if group {
        0o010
    } else {
        0o001
    };
    mode & execute != 0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_class_that_fits_decides() {
        assert!(may_enter(0o755, false, false));
        assert!(!may_enter(0o700, false, false));
        assert!(may_enter(0o700, true, false));
        assert!(!may_enter(0o077, true, true));
        assert!(!may_enter(0o701, false, true));
        assert!(may_enter(0o710, false, true));
    }

    #[test]
    fn our_own_folders_need_no_check() {
        let me = Identity { name: "you".into(), uid: 1, gid: 1, other: false };
        assert!(me.check_reach(Path::new("/nowhere/anything")).is_ok());
    }
}
