//! A lease keeps PostgreSQL running. Dropping the last one stops the server, unless `up` was run, also after an error or a panic.

use std::fs::File;

use common::failure::Result;

use super::layout::Layout;
use super::postgres::Postgres;
use super::run_processes;
use target::Progress;

#[derive(Debug)]
pub struct Lease {
    layout: Layout,
    postgres: Postgres,
    in_use: Option<File>,
}

impl Lease {
    /// Starts PostgreSQL unless it runs; with `keep`, it keeps running after the last lease. The caller holds the lock of the layout.
    pub(super) fn take(
        layout: &Layout,
        postgres: &Postgres,
        keep: bool,
        progress: &dyn Progress,
    ) -> Result<Self> {
        let in_use = layout.hold_in_use()?;
        let started = postgres.ensure_running(progress).and_then(|started| {
            // After a reboot an earlier `up` no longer counts.
            if started || keep { layout.update_state(|state| state.keep = keep) } else { Ok(()) }
        });
        if let Err(failure) = started {
            drop(in_use);
            // There is no guard yet that would do this. The first error is the one to report.
            if layout.is_unused().is_ok_and(|unused| unused) {
                drop(postgres.stop());
            }
            return Err(failure);
        }
        Ok(Self { layout: layout.clone(), postgres: postgres.clone(), in_use: Some(in_use) })
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
