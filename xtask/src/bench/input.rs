//! What the benchmark measures with: the binary, and an input that is generated once.
//!
//! Both stand below cargo's target folder: the input in `bench/`, so that the next run finds it again.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use tempfile::TempDir;

use crate::{output, process};
use common::failure::{Context as _, Result};

/// The generated input is the same for everyone.
const SEED: &str = "1";

/// The line list.
const CASES: &str = "Covid19Casos.zip";

/// What our sample has beside it, and no competitor loads.
const OPTIONAL: [&str; 2] = ["Covid19Determinaciones.zip", "Covid19VacunasAgrupadas.csv.zip"];

/// How the names of temporary folders begin.
const SCRATCH: &str = "scratch-";

/// A folder with the ministry's three files.
pub(super) struct Datasets {
    folder: PathBuf,
}

impl Datasets {
    /// Where they stand.
    pub(super) fn folder(&self) -> &Path {
        &self.folder
    }

    /// The same, as the URL of a store.
    pub(super) fn url(&self) -> String {
        format!("file://{}", self.folder.display())
    }
}

/// The `etl` to measure: `named`, or the release build.
pub(super) fn binary(named: Option<&Path>) -> Result<PathBuf> {
    provided(named, "etl", "etl")
}

/// The program to measure: `named`, or the release build.
pub(super) fn provided(named: Option<&Path>, package: &str, program: &str) -> Result<PathBuf> {
    if let Some(named) = named {
        return named.canonicalize().context(|| format!("cannot find `{}`", named.display()));
    }
    output::note("building the release profile");
    process::run(&mut process::cargo(["build", "--release", "--package", package, "--bin", program]))?;
    Ok(process::target()?.join("release").join(program))
}

/// The input with that many rows: found, or generated whole.
pub(super) fn provide(etl: &Path, rows: u64) -> Result<Datasets> {
    let folder = cache()?.join(format!("cases-{rows}-seed-{SEED}"));
    if !folder.join(CASES).is_file() {
        output::note(&format!("generating {rows} rows, once, into `{}`", folder.display()));
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
    Ok(Datasets { folder })
}

/// Removes what a killed benchmark has left behind.
pub(super) fn sweep() -> Result<()> {
    let cache = cache()?;
    let entries = fs::read_dir(&cache).context(|| format!("cannot read `{}`", cache.display()))?;
    let left_over =
        |path: &PathBuf| path.file_name().is_some_and(|name| name.to_string_lossy().starts_with(SCRATCH));
    for folder in entries.flatten().map(|entry| entry.path()).filter(left_over) {
        fs::remove_dir_all(&folder).context(|| format!("cannot remove `{}`", folder.display()))?;
    }
    Ok(())
}

/// A temporary folder on the disk of the input.
pub(super) fn scratch() -> Result<TempDir> {
    let cache = cache()?;
    TempDir::with_prefix_in(SCRATCH, &cache)
        .context(|| format!("cannot create a folder in `{}`", cache.display()))
}

/// What is kept between two benchmarks. It may be deleted at any time.
pub(super) fn cache() -> Result<PathBuf> {
    let folder = process::target()?.join("bench");
    fs::create_dir_all(&folder).context(|| format!("cannot create `{}`", folder.display()))?;
    Ok(folder)
}
