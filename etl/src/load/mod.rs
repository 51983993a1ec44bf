//! From cleaned rows to a published release: one lock, one new partition, one short publishing transaction.
//!
//! Readers, on the primary and on a standby, see one whole release, whatever their isolation level:
//!
//! 1. [`lock`]: one load at a time.
//! 2. [`release`]: a load takes a spare release, whose empty tables are partitions that every reader's plan knows already.
//! 3. [`copy`] fills its partition, [`release`] adds index and keys.
//! 4. [`counts`] and [`indicators`]: the aggregates and estimates for reports are written in a session of their own; [`dose_counts`] and [`dose_rows`]: those of doses, and the doses.
//! 5. [`publish`]: a transaction of milliseconds moves the pointer and records the run.
//! 6. [`retire`]: releases that are not kept are dropped when no snapshot needs them.

pub mod copy;
pub mod counts;
pub mod disk;
pub mod dose_counts;
pub mod dose_rows;
pub mod georef;
mod georef_rows;
pub mod indicators;
pub mod lock;
pub mod publish;
pub mod rejects;
pub mod release;
pub mod retire;
