//! `etl report` against a real PostgreSQL: the answers as values, the whole text, the files, and what happens when something
//! is missing.

#![expect(clippy::unwrap_used, reason = "a test stops where it fails")]

mod answers;
mod browser;
mod checked;
#[path = "../cluster/mod.rs"]
mod cluster;
mod expected;
mod expected_checks;
mod expected_optional;
mod expected_places;
mod files;
mod killed;
mod model;
mod optional;
mod place;
mod pointer;
mod text;
mod trouble;
