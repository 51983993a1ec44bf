//! The Python competitors' own environment, with pinned versions, made once in the benchmark's cache.
//!
//! Where there is no Python with pip, or nothing to install from, the benchmark goes on without them and says so.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use super::input;
use crate::failure::{OrFail as _, Result};
use crate::{process, say};

/// What is installed; a copy in the environment says that it is complete.
const REQUIREMENTS: &str = include_str!("../../bench/requirements.txt");

/// The interpreter of the environment, if it could be made.
pub(super) fn provide() -> Result<Option<PathBuf>> {
    let folder = input::cache()?.join("venv");
    let python = folder.join("bin/python");
    let marker = folder.join("requirements.txt");
    if fs::read_to_string(&marker).is_ok_and(|installed| installed == REQUIREMENTS) {
        return Ok(Some(python));
    }
    say::note("installing the Python competitors, once");
    if let Err(failure) = install(&folder, &python) {
        say::note(&format!("without DuckDB, Polars and pandas: {failure}"));
        return Ok(None);
    }
    fs::write(&marker, REQUIREMENTS).or_fail(|| format!("cannot write `{}`", marker.display()))?;
    Ok(Some(python))
}

fn install(folder: &Path, python: &Path) -> Result<()> {
    process::output_of(Command::new("python3").args(["-m", "venv", "--clear"]).arg(folder))?;
    let requirements = process::workspace().join("xtask/bench/requirements.txt");
    process::output_of(
        Command::new(python)
            .args(["-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--only-binary=:all:"])
            .arg("--requirement")
            .arg(requirements),
    )
    .map(drop)
}
