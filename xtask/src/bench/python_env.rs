//! The Python environment of the competitors, with pinned versions. If it cannot be installed, the benchmark runs without them.

use std::path::PathBuf;

use super::input;
use crate::{output, tools};
use common::failure::Result;

const REQUIREMENTS: &str = include_str!("../../bench/requirements.txt");

/// Returns the interpreter, if it could be installed.
pub(super) fn provide() -> Result<Option<PathBuf>> {
    let folder = input::cache()?.join("venv");
    Ok(tools::python(&folder, "the Python competitors", REQUIREMENTS)
        .inspect_err(|failure| output::note(&format!("without DuckDB, Polars and pandas: {failure}")))
        .ok())
}
