//! The user that runs PostgreSQL. PostgreSQL refuses root, so root runs it as an unprivileged user.
//!
//! That user must be able to enter every folder on the path to the data and to the programs. This is checked first, because the server's own
//! messages about it are unclear.

use std::fs::Metadata;
use std::os::unix::fs::{MetadataExt as _, chown};
use std::os::unix::process::CommandExt as _;
use std::path::Path;
use std::process::Command;

use common::failure::{Context as _, Exit, Failure, Result};
use nix::unistd::{User, geteuid};

/// The id of `nobody`, which has no name in small images.
const NOBODY_ID: u32 = 65534;

#[derive(Debug, Clone, PartialEq, Eq)]
pub(in super::super) struct ServerUser {
    name: String,
    pub(super) uid: u32,
    gid: u32,
    /// Whether this is not the current user.
    other: bool,
}

impl ServerUser {
    /// Returns the current user; for root `postgres` if it exists, otherwise `nobody`.
    pub(in super::super) fn current() -> Self {
        let me = geteuid();
        if !me.is_root() {
            let gid = nix::unistd::getegid().as_raw();
            return Self { name: "you".to_owned(), uid: me.as_raw(), gid, other: false };
        }
        match User::from_name("postgres") {
            Ok(Some(user)) => {
                Self { name: user.name, uid: user.uid.as_raw(), gid: user.gid.as_raw(), other: true }
            }
            _ => Self { name: format!("nobody ({NOBODY_ID})"), uid: NOBODY_ID, gid: NOBODY_ID, other: true },
        }
    }

    /// Makes a program of PostgreSQL run as this user, in `folder`, with a minimal environment, so that a stray `PGDATA` or `PGPORT` has no
    /// effect and messages are in English.
    pub(super) fn isolate(&self, command: &mut Command, folder: &Path) {
        command
            .env_clear()
            .env("LC_ALL", "C")
            .env("PATH", "/usr/local/bin:/usr/bin:/bin")
            .current_dir(folder);
        if self.other {
            // The standard library drops the supplementary groups, too.
            command.uid(self.uid).gid(self.gid);
        }
    }

    /// Makes this user the owner of a file or folder.
    pub(super) fn chown(&self, path: &Path) -> Result<()> {
        if !self.other {
            return Ok(());
        }
        chown(path, Some(self.uid), Some(self.gid))
            .context(|| format!("cannot change the owner of `{}` to `{}`", path.display(), self.name))
    }

    /// Checks that this user can enter `folder` and every folder above it, as far as they exist.
    pub(super) fn check_access(&self, folder: &Path) -> Result<()> {
        if !self.other {
            return Ok(());
        }
        let real = folder.ancestors().find_map(|ancestor| ancestor.canonicalize().ok());
        for ancestor in real.as_deref().unwrap_or(folder).ancestors() {
            let is_closed = |metadata: Metadata| {
                !can_enter(metadata.mode(), metadata.uid() == self.uid, metadata.gid() == self.gid)
            };
            if ancestor.metadata().is_ok_and(is_closed) {
                let (name, closed, wanted) = (&self.name, ancestor.display(), folder.display());
                return Err(Failure::new(format!(
                    "PostgreSQL's user `{name}` cannot enter `{closed}`, which contains `{wanted}`"
                ))
                .hint(format!("chmod o+x '{closed}', or use another --data-dir"))
                .exit_code(Exit::NotStarted));
            }
        }
        Ok(())
    }
}

/// Applies the kernel's rule: only the first matching class counts.
const fn can_enter(mode: u32, owner: bool, group: bool) -> bool {
    let execute = match (owner, group) {
        (true, _) => 0o100,
        (false, true) => 0o010,
        (false, false) => 0o001,
    };
    mode & execute != 0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn can_enter_checks_only_first_matching_class() {
        assert!(can_enter(0o755, false, false));
        assert!(!can_enter(0o700, false, false));
        assert!(can_enter(0o700, true, false));
        assert!(!can_enter(0o077, true, true));
        assert!(!can_enter(0o701, false, true));
        assert!(can_enter(0o710, false, true));
    }

    #[test]
    fn check_access_of_current_user_succeeds() {
        let me = ServerUser { name: "you".into(), uid: 1, gid: 1, other: false };
        assert!(me.check_access(Path::new("/nowhere/anything")).is_ok());
    }
}
