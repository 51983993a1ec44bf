//! From cleaned rows to published tables: one lock, one staging table, one short publishing transaction.
//!
//! Readers, on the master and on a replica, see the whole old data until they see the whole new data, at any isolation level:
//!
//! 1. [`lock`]: one load at a time.
//! 2. [`staging`]: a new table is created and filled in one transaction with `COPY … FREEZE`, so that even a reader with an older
//!    snapshot will see its rows; keys come after.
//! 3. [`counts`]: what questions ask for again and again is written in a session of its own.
//! 4. [`optional`]: the small optional datasets go into tables whose rows belong to their run, as the counts do.
//! 5. [`publish`]: a transaction of milliseconds renames the two tables and records the run.
//! 6. [`retire`]: the old table is dropped afterwards, on its own, whenever no reader is in its way.

pub mod counts;
pub mod georef;
mod georef_rows;
pub mod lock;
pub mod optional;
pub mod publish;
pub mod rejects;
pub mod retire;
pub mod staging;
