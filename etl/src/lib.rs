//! The pipeline: the ministry's files in, clean tables and a report out.
//!
//! [`pipeline`] is the story of a run, and every step of it is a module: [`extract`] finds and opens the files, [`parse`] splits them into
//! records, [`clean`] judges each record by the rules, [`distinct`] finds duplicates, [`mod@count`] counts for the reports, [`load`] puts the rows into PostgreSQL, [`gate`] checks them, and `load` publishes
//! them; [`rollback`] publishes the release before. [`transform`] is the machine that runs the middle of it on every core. Around them: [`store`] (folders and S3), [`download`] (how the files come there),
//! [`sources`] (which files a load has), [`runs`] (the ledger), [`tally`] (what happened to the rows), [`estimate`] (estimates from CSV files).
//!
//! This crate is the image of the cloud's ETL task, and the whole pipeline on one machine. It never depends on `covidctl`.

mod background;
pub mod cases;
pub mod clean;
pub mod cli;
pub mod count;
pub mod database;
pub mod dataset;
pub mod dataset_date;
pub mod distinct;
pub mod download;
pub mod estimate;
pub mod extract;
pub mod gate;
pub mod load;
pub mod log;
pub mod migrate;
pub mod parse;
pub mod pipeline;
pub mod progress;
pub mod record;
pub mod report;
pub mod rollback;
pub mod runs;
pub mod signals;
pub mod sources;
pub mod store;
pub mod tally;
pub mod task;
pub mod transform;

pub use sample;
