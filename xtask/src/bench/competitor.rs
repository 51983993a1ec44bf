//! The programs that `bench etl` measures, and how each one is started.
//!
//! A competitor does the whole job from the ministry's zip to a table with its keys, except `\copy`, which only loads cleaned rows, and
//! pandas, which loads a sample because the whole would take minutes.

use std::path::PathBuf;
use std::process::Command;

use super::YEAR;
use super::database::{CLEANED, Server};
use crate::{output, process, tools};
use common::env;
use common::failure::Result;

const PYTHON: &str = include_str!("../../bench/requirements.txt");

/// Lines of the file that pandas reads.
const PANDAS_LINES: &str = "200000";

pub(super) struct Setup {
    pub(super) etl: PathBuf,
    /// The folder of the input.
    pub(super) datasets: PathBuf,
    /// The interpreter with the Python competitors, if they could be installed.
    pub(super) python: Option<PathBuf>,
    /// A folder for temporary files, on the same disk as the input.
    pub(super) scratch: PathBuf,
    pub(super) server: Server,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Competitor {
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
    /// Returns the competitors in the order of their turns.
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

    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::Etl => "etl run",
            Self::Copy => "psql \\copy",
            Self::DuckDb => "DuckDB + ADBC",
            Self::Polars => "Polars + ADBC",
            Self::Pandas => "pandas to_sql",
        }
    }

    pub(super) const fn database(self) -> &'static str {
        match self {
            Self::Etl => "bench_etl",
            Self::Copy => "bench_copy",
            Self::DuckDb => "bench_duckdb",
            Self::Polars => "bench_polars",
            Self::Pandas => "bench_pandas",
        }
    }

    pub(super) fn is_python(self) -> bool {
        matches!(self, Self::DuckDb | Self::Polars | Self::Pandas)
    }

    /// Returns whether it loads only some of the rows.
    pub(super) fn loads_a_sample(self) -> bool {
        self == Self::Pandas
    }

    /// Fills its database before the measurement.
    pub(super) fn prepare(self, setup: &Setup) -> Result<()> {
        let database = self.database();
        if self != Self::Etl {
            setup.server.create_plain_tables(database)?;
        }
        if self == Self::Copy { setup.server.import_small_tables(database, &setup.scratch) } else { Ok(()) }
    }

    /// Returns the command that is measured.
    pub(super) fn command(self, setup: &Setup) -> Command {
        let url = setup.server.cluster.url(self.database());
        match self {
            Self::Etl => {
                let mut command = Command::new(&setup.etl);
                command
                    .arg("run")
                    .env(env::STORE_URL, format!("file://{}", setup.datasets.display()))
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
            .env("BENCH_DATASETS", &setup.datasets)
            .env("BENCH_SCRATCH", &setup.scratch)
            .env("BENCH_YEAR", YEAR)
            .env("BENCH_LINES", PANDAS_LINES);
        command
    }
}

/// Installs the Python competitors; returns their interpreter. If that fails, the benchmark runs without them.
pub(super) fn python() -> Option<PathBuf> {
    tools::python("bench-etl", "the Python competitors", PYTHON)
        .inspect_err(|failure| output::note(&format!("without DuckDB, Polars and pandas: {failure}")))
        .ok()
}

/// Returns the rows per second of a program that loads a sample. Its last line reports them (`104822 rows in 7.41 s …`), because the start
/// of Python would weigh too much in a sample.
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
    fn sampled_rate_is_rate_in_last_line_of_sample() {
        let line = "105000 rows in 7.5 s: read 0.5, write 7.0";
        assert_eq!(sampled_rate(line, Competitor::Pandas), Some(14_000.0));
        assert_eq!(sampled_rate(line, Competitor::Polars), None);
        assert_eq!(sampled_rate("nothing", Competitor::Pandas), None);
    }

    #[test]
    fn full_size_has_no_competitors() {
        assert_eq!(Competitor::all(false, true), [Competitor::Etl]);
        assert_eq!(Competitor::all(false, false), [Competitor::Etl, Competitor::Copy]);
    }
}
