//! Synthetic files in the ministry's formats and of any size: the three that a load needs and the three that are optional.
//!
//! They reproduce the epidemic of the published line list (its waves, geography, ages, outcomes, delays and gaps) from small tables
//! of measured shares that name their public sources. No row is a real person's. The same options give the same bytes on every
//! machine.
//!
//! A dirty sample has rows with every defect that the cleaning rules distinguish, and reports how many of each. This crate shares
//! no code with the parsers of such files, so that it cannot share their mistakes.

mod archive;
mod calendar;
mod case;
mod case_ids;
mod classification;
mod clinical_course;
mod corrupt_row;
mod defect;
#[cfg(test)]
mod defect_tests;
mod demographics;
mod doses;
mod epidemic_curve;
mod file_summary;
mod geography;
mod georef;
mod laboratories;
mod random;
mod row_writer;
#[cfg(test)]
mod tests;
mod vaccinations;

use std::fs;
use std::io::Write;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use tempfile::NamedTempFile;

pub use defect::{Consequence, DefectCounts};
pub use file_summary::FileSummary;

use doses::Doses;
use laboratories::Laboratories;
use serde::de::DeserializeOwned;

use common::atomic_file;
use common::failure::{Context, Failure, Result};

#[derive(Debug, Clone, PartialEq)]
pub struct Options {
    /// The number of rows of the line list.
    pub rows: u64,
    pub seed: u64,
    /// The share of rows with a defect, 0 to 1. Above 0 every kind of defect occurs at least once if there are 1000 rows.
    pub dirty: f64,
    /// The number of rows of the register of doses, which is written if there are any.
    pub doses: u64,
    /// The output folder; created if missing.
    pub out: PathBuf,
}

/// What was written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SampleSummary {
    /// The number of rows of the line list; blank lines do not count.
    pub rows: u64,
    /// The size of the line list.
    pub csv_bytes: u64,
    /// The size of the line list's archive.
    pub zip_bytes: u64,
    /// The defects of the line list.
    pub planted: DefectCounts,
    pub tests: FileSummary,
    pub vaccinations: FileSummary,
    pub doses: FileSummary,
}

/// With more rows the ids would be longer than in any real file.
const MAX_ROWS: u64 = 10_000_000_000;

const NOT_WRITABLE: &str = "choose a writable folder with --out";

/// Writes `provincias.csv`, `departamentos.csv`, `Covid19Casos.zip`, and the optional `Covid19Determinaciones.zip` and
/// `Covid19VacunasAgrupadas.csv.zip`; with doses `datos_nomivac_covid19.zip`, too. Calls `progress` with the number of rows of the line list
/// written so far.
///
/// The files are renamed into place once all of them are complete. Memory does not depend on the number of rows.
pub fn write(options: &Options, progress: &dyn Fn(u64)) -> Result<SampleSummary> {
    if !(0.0..=1.0).contains(&options.dirty) {
        return Err(Failure::usage(format!("invalid share of dirty rows: {}", options.dirty))
            .hint("give a number from 0 to 1, such as --dirty 0.01"));
    }
    let most = options.rows.max(options.doses);
    if most > MAX_ROWS {
        return Err(Failure::usage(format!("too many rows: {most}"))
            .hint(format!("give at most {MAX_ROWS}; the national line list has 30000000")));
    }
    let out = &options.out;
    fs::create_dir_all(out)
        .context(|| format!("cannot create the folder `{}`", out.display()))
        .map_err(|failure| failure.hint(NOT_WRITABLE))?;

    let writer = row_writer::RowWriter::new(options)?;
    let geography = &writer.population.geography;
    let provinces = text_file(out, &georef::provinces(geography))?;
    let departments = text_file(out, &georef::departments(geography))?;
    let mut cases = temp_file(out)?;
    let (csv_bytes, planted) = archive::write_cases(&writer, options.rows, cases.as_file_mut(), progress)
        .map_err(|failure| failure.hint(format!("check the free space in `{}`", out.display())))?;
    let zip_bytes =
        cases.as_file().metadata().context(|| "cannot read the size of the archive".to_owned())?.len();

    let (mut laboratories, mut vaccines) = (temp_file(out)?, temp_file(out)?);
    let tests =
        archive::write_member(laboratories::MEMBER, (None, true), laboratories.as_file_mut(), |file| {
            Laboratories::new((options.seed, options.rows, writer.dirty), &writer.population).write(file)
        })?;
    let vaccinations =
        archive::write_member(vaccinations::MEMBER, (None, true), vaccines.as_file_mut(), |file| {
            vaccinations::write((options.seed, writer.dirty > 0), geography, file)
        })?;

    let mut files = vec![
        (provinces, "provincias.csv"),
        (departments, "departamentos.csv"),
        (laboratories, "Covid19Determinaciones.zip"),
        (vaccines, "Covid19VacunasAgrupadas.csv.zip"),
        (cases, "Covid19Casos.zip"),
    ];
    let mut doses = FileSummary::default();
    if options.doses > 0 {
        let mut file = temp_file(out)?;
        let writer = Doses::new((options.seed, options.doses, writer.dirty), geography);
        doses = archive::write_doses(&writer, options.doses, file.as_file_mut())
            .map_err(|failure| failure.hint(format!("check the free space in `{}`", out.display())))?;
        files.push((file, "datos_nomivac_covid19.zip"));
    }
    for (file, name) in files {
        let path = out.join(name);
        atomic_file::persist(file, &path).context(|| format!("cannot write `{}`", path.display()))?;
    }
    Ok(SampleSummary { rows: options.rows, csv_bytes, zip_bytes, planted, tests, vaccinations, doses })
}

fn text_file(out: &Path, text: &str) -> Result<NamedTempFile> {
    let mut file = temp_file(out)?;
    file.write_all(text.as_bytes()).context(|| format!("cannot write into `{}`", out.display()))?;
    Ok(file)
}

/// Creates a file that is removed when dropped, unless it is persisted.
fn temp_file(out: &Path) -> Result<NamedTempFile> {
    tempfile::Builder::new()
        .prefix(".sample-")
        .permissions(fs::Permissions::from_mode(0o666))
        .tempfile_in(out)
        .context(|| format!("cannot create a file in `{}`", out.display()))
        .map_err(|failure| failure.hint(NOT_WRITABLE))
}

/// Parses an embedded table, whose columns are in the order of the fields of `T`. Lines that begin with `#` are comments.
fn table<T: DeserializeOwned>(text: &str) -> Result<Vec<T>> {
    let mut reader = csv::ReaderBuilder::new();
    reader.delimiter(b'\t').comment(Some(b'#')).quoting(false).has_headers(false).flexible(true);
    let lines = reader.from_reader(text.as_bytes()).into_deserialize();
    lines.collect::<Result<_, csv::Error>>().context(|| "malformed line in an embedded table".to_owned())
}
