//! `etl sample`: the ministry's files, made up, in its own format and of any size: the three that a load needs and the two that it can
//! do without.
//!
//! The epidemic in them is that of the published line list: its waves, places, ages, outcomes, delays and gaps, from small tables
//! of measured shares that name their public sources. No row is a real person's. The same options give the same bytes on every
//! machine, so numbers can be compared between runs, and tests can say what must come out.
//!
//! A dirty sample has rows spoiled in every way that the cleaning rules tell apart, and says how many of each. Nothing here
//! depends on the code that reads such files: it must not share its mistakes.

mod archive;
mod calendar;
mod case;
mod classification;
mod course;
mod damage;
mod defect;
mod georef;
mod ids;
mod laboratories;
mod optional;
mod people;
mod places;
mod planting;
mod random;
#[cfg(test)]
mod tests;
mod vaccinations;
mod waves;

use std::fs;
use std::io::Write;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use tempfile::NamedTempFile;

pub use defect::{Consequence, Defect, Planted};
pub use optional::Made;

use archive::Contents;
use laboratories::Laboratories;

use common::atomic_file;
use common::failure::{Context, Failure, Result};

/// What to make.
#[derive(Debug, Clone, PartialEq)]
pub struct Options {
    /// How many rows the line list has.
    pub rows: u64,
    /// Another seed makes another sample.
    pub seed: u64,
    /// Which share of the rows is spoiled, 0 to 1. Above 0 every [`Defect`] occurs at least once, given 1000 rows.
    pub dirty: f64,
    /// The folder for the files; it is created where it is missing.
    pub out: PathBuf,
}

/// What was made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Written {
    /// Rows of the line list; blank lines that a dirty sample has are none.
    pub rows: u64,
    /// Size of the line list.
    pub csv_bytes: u64,
    /// Size of its archive.
    pub zip_bytes: u64,
    /// What is wrong with the rows.
    pub planted: Planted,
    /// The table of tests.
    pub tests: Made,
    /// The table of vaccinations.
    pub vaccinations: Made,
}

/// More rows would have ids that are not found in any real file, and fill any disk.
const MOST_ROWS: u64 = 10_000_000_000;

/// Writes `provincias.csv`, `departamentos.csv`, `Covid19Casos.zip`, and the optional `Covid19Determinaciones.zip` and
/// `Covid19VacunasAgrupadas.csv.zip`. `progress` hears how many rows of the line list are done.
///
/// The files appear under their names when all of them are complete. Memory does not depend on the number of rows.
pub fn write(options: &Options, progress: &dyn Fn(u64)) -> Result<Written> {
    if !(0.0..=1.0).contains(&options.dirty) {
        return Err(Failure::usage(format!("{} is no share of dirty rows", options.dirty))
            .hint("give a number from 0 to 1, such as --dirty 0.01"));
    }
    if options.rows > MOST_ROWS {
        return Err(Failure::usage(format!("{} rows are too many", options.rows))
            .hint(format!("give at most {MOST_ROWS}; the nation had --rows 30000000")));
    }
    let out = &options.out;
    fs::create_dir_all(out)
        .context(|| format!("cannot create the folder `{}`", out.display()))
        .map_err(|failure| failure.hint("give a folder that you may write to with --out"))?;

    let writer = planting::Writer::new(options)?;
    let places = &writer.population.places;
    let provinces = small_file(out, &georef::provinces(places))?;
    let departments = small_file(out, &georef::departments(places))?;
    let mut cases = temporary(out)?;
    let contents = archive::write(&writer, options.rows, cases.as_file_mut(), progress)
        .map_err(|failure| failure.hint(format!("is there room left in `{}`?", out.display())))?;
    let zip_bytes =
        cases.as_file().metadata().context(|| "cannot see the size of the archive".to_owned())?.len();

    let (mut laboratories, mut vaccines) = (temporary(out)?, temporary(out)?);
    let tests = optional::archive(laboratories::MEMBER, laboratories.as_file_mut(), |file| {
        Laboratories::new((options.seed, options.rows, writer.dirty), places).write(file)
    })?;
    let vaccinations = optional::archive(vaccinations::MEMBER, vaccines.as_file_mut(), |file| {
        vaccinations::write((options.seed, writer.dirty > 0), places, file)
    })?;

    appear(provinces, out, "provincias.csv")?;
    appear(departments, out, "departamentos.csv")?;
    appear(laboratories, out, "Covid19Determinaciones.zip")?;
    appear(vaccines, out, "Covid19VacunasAgrupadas.csv.zip")?;
    appear(cases, out, "Covid19Casos.zip")?;
    let Contents { csv_bytes, planted } = contents;
    Ok(Written { rows: options.rows, csv_bytes, zip_bytes, planted, tests, vaccinations })
}

fn small_file(out: &Path, text: &str) -> Result<NamedTempFile> {
    let mut file = temporary(out)?;
    file.write_all(text.as_bytes()).context(|| format!("cannot write into `{}`", out.display()))?;
    Ok(file)
}

/// A file that disappears again unless it is given its name.
fn temporary(out: &Path) -> Result<NamedTempFile> {
    tempfile::Builder::new()
        .prefix(".sample-")
        .permissions(fs::Permissions::from_mode(0o666))
        .tempfile_in(out)
        .context(|| format!("cannot create a file in `{}`", out.display()))
        .map_err(|failure| failure.hint("give a folder that you may write to with --out"))
}

fn appear(file: NamedTempFile, out: &Path, name: &str) -> Result<()> {
    let path = out.join(name);
    atomic_file::persist(file, &path).context(|| format!("cannot write `{}`", path.display()))
}
