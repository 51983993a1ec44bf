//! A panic ends a run as failed, like any other error; its message is on stderr.

use std::panic::{AssertUnwindSafe, catch_unwind};

use common::failure::{Failure, Result};

/// Returns the failure of a run that panicked.
pub(crate) fn failure() -> Failure {
    Failure::new("the run panicked")
        .hint("this is a bug: please report it with the log of this run; the published release is untouched")
}

/// Calls `work` on the current thread; a panic is a failure.
pub(crate) fn caught<T>(work: impl FnOnce() -> Result<T>) -> Result<T> {
    // A value that the panic left half changed is not used again: the failure ends the run.
    catch_unwind(AssertUnwindSafe(work)).unwrap_or_else(|_| Err(failure()))
}
