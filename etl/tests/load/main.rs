//! `etl run` through the real binary against a real PostgreSQL: every row is right in every accepted format, and a file that cannot be
//! loaded is reported and changes nothing.
//!
//! The expected outcome comes from `model`, which implements the contract and shares no code with the pipeline.

#![expect(clippy::unwrap_used, reason = "a test stops where it fails")]

mod aggregate_counts;
mod arbitrary_text;
mod archive_errors;
mod block_boundaries;
#[path = "../cluster/mod.rs"]
#[expect(dead_code, reason = "the migrations are for tests that do not run `etl`, which brings its own")]
mod cluster;
mod database_errors;
mod dose_model;
mod doses;
mod estimates;
mod exact_outcome;
mod file_errors;
mod fixture;
mod formats;
mod gate;
mod georef;
mod malformed_text;
mod model;
mod model_reader;
mod object_storage;
mod optional;
mod optional_model;
mod outcome;
mod reload;
mod roles;
mod rows;
mod runs;
mod upgrade;
