//! `etl run` through the real binary against a real PostgreSQL: that what is loaded is right to the row, whatever the file looks
//! like, and that what cannot be loaded is said in a sentence and changes nothing.
//!
//! What is right is said by `model`, which was written from the contract and shares no code with the pipeline.

#![expect(clippy::unwrap_used, reason = "a test stops where it fails")]

mod again;
mod anything;
mod bad_archives;
mod bad_databases;
mod bad_files;
#[path = "../cluster/mod.rs"]
#[expect(dead_code, reason = "the migrations are for tests that do not run `etl`, which brings its own")]
mod cluster;
mod correct;
mod counted;
mod far_apart;
mod fixture;
mod formats;
mod gate;
mod georef;
mod lines;
mod loaded;
mod model;
mod object_storage;
mod odd_texts;
mod optional;
mod optional_model;
mod roles;
mod rows;
mod runs;
mod upgrade;
