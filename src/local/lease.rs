//! PostgreSQL for as long as somebody needs it.
//!
//! A lease starts the server where it does not run. The last lease that is given back stops it, unless somebody said `up`.
//! It is a guard: on an error, an interrupt or a panic it is given back too.

use std::fs::File;

use common::failure::Result;

use super::files::Folders;
use super::postgres::Postgres;
use super::runs;
use target::Progress;

/// See the module.
#[derive(Debug)]
pub struct Lease {
    folders: Folders,
    postgres: Postgres,
    user: Option<File>,
}

impl Lease {
    /// Makes PostgreSQL run, and keeps it. The caller holds the folder's lock.
    pub(super) fn take(folders: &Folders, postgres: &Postgres, progress: &dyn Progress) -> Result<Self> {
        let user = folders.users()?;
        match Self::start(folders, postgres, progress) {
            Ok(()) => Ok(Self { folders: folders.clone(), postgres: postgres.clone(), user: Some(user) }),
            Err(failure) => {
                drop(user);
                // No guard exists yet, and the lock is ours.
                if folders.no_users()? {
                    postgres.stop()?;
                }
                Err(failure)
            }
        }
    }

    fn start(folders: &Folders, postgres: &Postgres, progress: &dyn Progress) -> Result<()> {
        let started = postgres.ensure_running(progress)?;
        let mut memory = folders.memory()?;
        if started && memory.keep {
            // It was down although somebody once said `up`: the machine was started anew. That is over.
            memory.keep = false;
            folders.remember(&memory)?;
        }
        Ok(())
    }

    /// Makes PostgreSQL stay when the last lease ends.
    pub(super) fn keep(&self) -> Result<()> {
        let _lock = self.folders.lock_blocking()?;
        let mut memory = self.folders.memory()?;
        memory.keep = true;
        self.folders.remember(&memory)
    }

    /// Whether PostgreSQL stays when the last lease ends.
    pub fn is_kept(&self) -> Result<bool> {
        Ok(self.folders.memory()?.keep)
    }

    fn give_back(&mut self) -> Result<()> {
        let _lock = self.folders.lock_blocking()?;
        drop(self.user.take());
        let needed = self.folders.memory()?.keep
            || !self.folders.no_users()?
            || !runs::active(&self.folders)?.is_empty();
        if !needed {
            self.postgres.stop()?;
        }
        Ok(())
    }
}

impl Drop for Lease {
    fn drop(&mut self) {
        // A server that cannot be stopped goes on; the next `status` shows it and the next `down` says why.
        drop(self.give_back());
    }
}
