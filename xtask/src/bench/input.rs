//! The binary to measure, and the input, which is generated once and cached in cargo's target folder.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use tempfile::TempDir;

use crate::{output, process};
use common::failure::{Context as _, Result};

const SEED: &str = "1";

const CASES: &str = "Covid19Casos.zip";

/// Optional datasets, which competitors do not load.
const OPTIONAL: [&str; 2] = ["Covid19Determinaciones.zip", "Covid19VacunasAgrupadas.csv.zip"];

/// Prefix of temporary folders.
const SCRATCH: &str = "scratch-";

/// Returns the program to measure: `named`, else the release build of the package with its name.
pub(super) fn program(named: Option<&Path>, program: &str) -> Result<PathBuf> {
    if let Some(named) = named {
        return named.canonicalize().context(|| format!("cannot find `{}`", named.display()));
    }
    output::note("building the release profile");
    process::run(&mut process::cargo(&format!("build --release --package {program} --bin {program}")))?;
    Ok(process::target()?.join("release").join(program))
}

/// Returns the folder of the ministry's three files with `rows` rows. They are generated if they are not cached.
pub(super) fn provide(etl: &Path, rows: u64) -> Result<PathBuf> {
    let folder = cache()?.join(format!("cases-{rows}-seed-{SEED}"));
    if !folder.join(CASES).is_file() {
        output::note(&format!("generating {rows} rows into `{}`", folder.display()));
        let unfinished = scratch()?;
        process::run(
            Command::new(etl)
                .args(["sample", "--rows", &rows.to_string(), "--seed", SEED, "--out"])
                .arg(unfinished.path()),
        )?;
        for optional in OPTIONAL {
            let file = unfinished.path().join(optional);
            fs::remove_file(&file).context(|| format!("cannot remove `{}`", file.display()))?;
        }
        fs::rename(unfinished.keep(), &folder).context(|| format!("cannot create `{}`", folder.display()))?;
    }
    Ok(folder)
}

/// Returns the folder of a small line list and a register of `doses` doses. They are generated if they are not cached.
pub(super) fn provide_doses(etl: &Path, doses: u64) -> Result<PathBuf> {
    let folder = cache()?.join(format!("doses-{doses}-seed-{SEED}"));
    if !folder.join(CASES).is_file() {
        output::note(&format!("generating {doses} doses into `{}`", folder.display()));
        let unfinished = scratch()?;
        process::run(
            Command::new(etl)
                .args(["sample", "--rows", "10000", "--doses", &doses.to_string(), "--seed", SEED, "--out"])
                .arg(unfinished.path()),
        )?;
        fs::rename(unfinished.keep(), &folder).context(|| format!("cannot create `{}`", folder.display()))?;
    }
    Ok(folder)
}

/// Removes the temporary folders of killed benchmarks.
pub(super) fn remove_leftovers() -> Result<()> {
    let cache = cache()?;
    let entries = fs::read_dir(&cache).context(|| format!("cannot read `{}`", cache.display()))?;
    let left_over =
        |path: &PathBuf| path.file_name().is_some_and(|name| name.to_string_lossy().starts_with(SCRATCH));
    for folder in entries.flatten().map(|entry| entry.path()).filter(left_over) {
        fs::remove_dir_all(&folder).context(|| format!("cannot remove `{}`", folder.display()))?;
    }
    Ok(())
}

/// Creates a temporary folder on the disk of the input.
pub(super) fn scratch() -> Result<TempDir> {
    let cache = cache()?;
    TempDir::with_prefix_in(SCRATCH, &cache)
        .context(|| format!("cannot create a folder in `{}`", cache.display()))
}

/// Returns the cache, which may be deleted at any time.
fn cache() -> Result<PathBuf> {
    let folder = process::target()?.join("bench");
    fs::create_dir_all(&folder).context(|| format!("cannot create `{}`", folder.display()))?;
    Ok(folder)
}
