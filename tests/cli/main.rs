//! The real binary, as a user calls it. Each test has a folder of its own; nothing that it starts outlives it.

#![expect(clippy::unwrap_used, reason = "helpers of tests may panic like the tests themselves")]

mod demo;
mod docs;
mod doctor;
mod download;
mod help;
mod log_diff;
mod log_files;
mod logs;
mod output;
mod private_postgresql;
mod psql;
mod recovery;
mod refusals;
mod releases;
mod reports;
mod run;
mod support;
mod target;
mod targets;
mod version;
