//! The programs that are measured, and how each one is started.
//!
//! A competitor does the whole job from the ministry's zip to a table with its keys, except `\copy`, which only loads
//! rows that were cleaned before, and pandas, which loads a sample because the whole would take minutes.

use std::path::PathBuf;
use std::process::Command;

use super::YEAR;
use super::database::{CLEANED, Server};
use super::input::Datasets;
use common::env;
use common::failure::Result;

use crate::process;

/// Lines of the file that pandas reads.
const PANDAS_LINES: &str = "200000";

/// What every competitor may use.
pub(super) struct Setup {
    pub(super) etl: PathBuf,
    pub(super) datasets: Datasets,
    /// The interpreter that has the Python competitors, where there is one.
    pub(super) python: Option<PathBuf>,
    /// A folder for temporary files, on the same disk as the input.
    pub(super) scratch: PathBuf,
    pub(super) server: Server,
}

/// One program.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Competitor {
    /// Ours.
    Etl,
    /// `psql \copy` of the cleaned rows into a table with its keys.
    Copy,
    /// DuckDB, then Arrow, then ADBC.
    DuckDb,
    /// Polars, then ADBC.
    Polars,
    /// pandas `to_sql`, on a sample.
    Pandas,
}

impl Competitor {
    /// Who takes part, in the order of their turns.
    pub(super) fn all(with_python: bool, only_ours: bool) -> Vec<Self> {
        let mut all = vec![Self::Etl];
        if !only_ours {
            all.push(Self::Copy);
        }
        if with_python {
            all.extend([Self::DuckDb, Self::Polars, Self::Pandas]);
        }
        all
    }

    /// As the table shows it.
    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::Etl => "etl run",
            Self::Copy => "psql \\copy",
            Self::DuckDb => "DuckDB + ADBC",
            Self::Polars => "Polars + ADBC",
            Self::Pandas => "pandas to_sql",
        }
    }

    /// Its own database.
    pub(super) const fn database(self) -> &'static str {
        match self {
            Self::Etl => "bench_etl",
            Self::Copy => "bench_copy",
            Self::DuckDb => "bench_duckdb",
            Self::Polars => "bench_polars",
            Self::Pandas => "bench_pandas",
        }
    }

    /// Its rows are only some of ours.
    pub(super) fn loads_a_sample(self) -> bool {
        self == Self::Pandas
    }

    /// Whether it does the whole job, as ours does.
    pub(super) fn is_a_rival(self) -> bool {
        matches!(self, Self::DuckDb | Self::Polars)
    }

    /// Whether its last line tells its phases.
    pub(super) fn tells_its_phases(self) -> bool {
        matches!(self, Self::DuckDb | Self::Polars | Self::Pandas)
    }

    /// What must be in its database before the clock starts.
    pub(super) fn prepare(self, setup: &Setup) -> Result<()> {
        let database = self.database();
        if self == Self::Etl {
            return Ok(());
        }
        setup.server.create_plain_tables(database)?;
        if self == Self::Copy { setup.server.import_small_tables(database, &setup.scratch) } else { Ok(()) }
    }

    /// What is measured.
    pub(super) fn command(self, setup: &Setup) -> Command {
        let url = setup.server.url(self.database());
        match self {
            Self::Etl => {
                let mut command = Command::new(&setup.etl);
                command
                    .arg("run")
                    .env(env::STORE_URL, setup.datasets.url())
                    .env(env::REPORTS_URL, format!("file://{}", setup.scratch.join("reports").display()))
                    .env(env::DATABASE_URL, url)
                    .env(env::YEARS, YEAR);
                command
            }
            Self::Copy => {
                let cleaned = setup.scratch.join(CLEANED);
                setup.server.psql(
                    self.database(),
                    &format!("\\copy covid_case from '{}' with (format csv)", cleaned.display()),
                )
            }
            Self::DuckDb => Self::python(setup, "duckdb_load.py", &url),
            Self::Polars => Self::python(setup, "polars_load.py", &url),
            Self::Pandas => Self::python(setup, "pandas_load.py", &url),
        }
    }

    fn python(setup: &Setup, program: &str, url: &str) -> Command {
        // Without an interpreter no Python program is among the competitors.
        let mut command = Command::new(setup.python.as_deref().unwrap_or("python3".as_ref()));
        command
            .arg("-B")
            .arg(process::workspace().join("xtask/bench").join(program))
            .env(env::DATABASE_URL, url)
            .env("BENCH_DATASETS", setup.datasets.folder())
            .env("BENCH_SCRATCH", &setup.scratch)
            .env("BENCH_YEAR", YEAR)
            .env("BENCH_LINES", PANDAS_LINES);
        command
    }
}

/// Rows per second of a program that loads a sample: it counts and times them itself, in its last line
/// (`104822 rows in 7.41 s …`), because starting Python would weigh too much in a sample.
pub(super) fn sampled_rate(last_line: &str, competitor: Competitor) -> Option<f64> {
    if !competitor.loads_a_sample() {
        return None;
    }
    let (rows, rest) = last_line.split_once(" rows in ")?;
    let seconds = rest.split_whitespace().next()?;
    Some(rows.parse::<f64>().ok()? / seconds.parse::<f64>().ok()?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_sample_is_rated_by_its_own_words() {
        let line = "105000 rows in 7.5 s: read 0.5, write 7.0";
        assert_eq!(sampled_rate(line, Competitor::Pandas), Some(14_000.0));
        assert_eq!(sampled_rate(line, Competitor::Polars), None);
        assert_eq!(sampled_rate("nothing", Competitor::Pandas), None);
    }

    #[test]
    fn the_full_size_is_ours_alone() {
        assert_eq!(Competitor::all(false, true), [Competitor::Etl]);
        assert_eq!(Competitor::all(false, false), [Competitor::Etl, Competitor::Copy]);
    }
}
