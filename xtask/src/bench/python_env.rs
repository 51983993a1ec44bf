//! The Python competitors' own environment, with pinned versions.
//!
//! Where there is no Python with pip, or nothing to install from, the benchmark goes on without them and says so.

use std::path::PathBuf;

use super::input;
use crate::{output, tools};
use common::failure::Result;

/// What is installed.
const REQUIREMENTS: &str = include_str!("../../bench/requirements.txt");

/// The interpreter of the environment, if it could be made.
pub(super) fn provide() -> Result<Option<PathBuf>> {
    let folder = input::cache()?.join("venv");
    Ok(tools::python(&folder, "the Python competitors", REQUIREMENTS)
        .inspect_err(|failure| output::note(&format!("without DuckDB, Polars and pandas: {failure}")))
        .ok())
}
