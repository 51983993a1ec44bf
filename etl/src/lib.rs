//! The pipeline: the ministry's files in, clean tables and a report out.
//!
//! [`pipeline`] is a run from top to bottom, [`transform`] the cleaning engine. [`extract`] opens files, [`parse`] splits them into records,
//! [`clean`] has the rules, [`load`] writes to PostgreSQL, [`gate`] decides whether a load is published. [`report`], [`rollback`], [`download`],
//! [`estimate`] and [`sample`] are the other commands.

pub mod aggregates;
pub mod backtest;
pub mod cases;
pub mod citus;
pub mod clean;
pub mod cli;
mod context;
pub mod database;
pub mod dataset;
pub mod dataset_date;
pub mod distinct;
pub mod doses;
pub mod download;
pub mod ecs_metadata;
pub mod estimate;
pub mod extract;
pub mod gate;
pub mod indicators;
mod interner;
pub mod interrupts;
pub mod load;
pub mod log;
pub mod migrate;
mod named_enum;
pub mod optional_datasets;
mod panics;
pub mod parse;
pub mod phases;
pub mod pipeline;
mod pooling;
pub mod progress;
mod publish_gate;
mod reader_locks;
pub mod record;
pub mod report;
pub mod rollback;
mod run_session;
pub mod runs;
pub mod sources;
pub mod store;
pub mod tally;
pub mod transform;
mod watchdog;

pub use sample;
