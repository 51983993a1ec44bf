//! A lease keeps PostgreSQL running. Dropping the last one stops the server, unless `up` was run, also after an error or a panic.

use std::fs::File;

use common::failure::Result;

use super::layout::Layout;
use super::postgres::Postgres;
use super::run_processes;
use target::Progress;

/// Keeps PostgreSQL running.
#[derive(Debug)]
pub struct Lease {
    layout: Layout,
    postgres: Postgres,
    in_use: Option<File>,
}

impl Lease {
    /// Starts PostgreSQL unless it runs. The caller holds the lock of the layout.
    pub(super) fn take(layout: &Layout, postgres: &Postgres, progress: &dyn Progress) -> Result<Self> {
        let in_use = layout.hold_in_use()?;
        match Self::start(layout, postgres, progress) {
            Ok(()) => Ok(Self { layout: layout.clone(), postgres: postgres.clone(), in_use: Some(in_use) }),
            Err(failure) => {
                drop(in_use);
                // There is no guard yet that would do this. The first error is the one to report.
                if layout.is_unused().is_ok_and(|unused| unused) {
                    drop(postgres.stop());
                }
                Err(failure)
            }
        }
    }

    fn start(layout: &Layout, postgres: &Postgres, progress: &dyn Progress) -> Result<()> {
        let started = postgres.ensure_running(progress)?;
        let mut state = layout.load_state()?;
        if started && state.keep {
            // After a reboot the earlier `up` no longer counts.
            state.keep = false;
            layout.save_state(&state)?;
        }
        Ok(())
    }

    /// Keeps PostgreSQL running after the last lease.
    pub(super) fn keep(&self) -> Result<()> {
        let _lock = self.layout.lock_blocking()?;
        let mut state = self.layout.load_state()?;
        state.keep = true;
        self.layout.save_state(&state)
    }

    /// Returns whether PostgreSQL keeps running after the last lease.
    pub fn is_kept(&self) -> Result<bool> {
        Ok(self.layout.load_state()?.keep)
    }

    fn release(&mut self) -> Result<()> {
        let _lock = self.layout.lock_blocking()?;
        drop(self.in_use.take());
        let needed = self.layout.load_state()?.keep
            || !self.layout.is_unused()?
            || !run_processes::active(&self.layout)?.is_empty();
        if !needed {
            self.postgres.stop()?;
        }
        Ok(())
    }
}

impl Drop for Lease {
    fn drop(&mut self) {
        // A server that cannot be stopped keeps running; the next `down` reports the error.
        drop(self.release());
    }
}
