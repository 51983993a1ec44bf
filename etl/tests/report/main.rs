//! `etl report` against a real PostgreSQL.

#![expect(clippy::unwrap_used, reason = "a failed test panics")]

mod answers;
mod browser;
#[path = "../cluster/mod.rs"]
mod cluster;
mod expected;
mod expected_checks;
mod expected_doses;
mod expected_geography;
mod expected_optional;
mod failures;
mod files;
mod fixture;
mod killed;
mod model;
mod model_comparison;
mod optional_datasets;
mod pointer;
mod text;
