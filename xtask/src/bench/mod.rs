//! `cargo xtask bench`. This file has `bench etl`, which compares `etl run` with its competitors.
//!
//! Every program gets the same zip, the same server with PostgreSQL's default settings, and a new database. They take turns, so that a
//! slow machine affects all alike. Their rows are compared with those of `etl run`; only wrong rows fail the benchmark.

mod competitor;
mod database;
mod doses;
mod goal;
mod input;
mod log_files;
mod logs;
mod measure;
mod report;
mod screens;
mod tunnel;

use std::path::Path;

pub(crate) use doses::run as doses;
pub(crate) use log_files::run as log_files;
pub(crate) use logs::run as logs;
pub(crate) use screens::run as screens;
pub(crate) use tunnel::run as tunnel;

use competitor::{Competitor, Setup};
use database::Server;
use measure::Measurement;

use crate::cli::EtlBench;
use crate::output;
use crate::postgres::{Binaries, Cluster};
use common::failure::{Failure, Result};

const YEAR: &str = "2022";

pub(crate) fn etl(pg_bin: Option<&Path>, binary: Option<&Path>, options: &EtlBench) -> Result<()> {
    let binaries = Binaries::find(pg_bin)?;
    input::remove_leftovers()?;
    let etl = input::program(binary, "etl")?;
    let datasets = input::provide(&etl, options.rows())?;
    let python = if options.full { None } else { competitor::python() };
    let server = Server { psql: binaries.psql(), cluster: Cluster::start(&binaries, "")? };
    let scratch = input::scratch()?;
    let setup = Setup { etl, datasets, python, scratch: scratch.path().to_path_buf(), server };
    setup.server.create_template(&setup.etl)?;

    let competitors = Competitor::all(setup.python.is_some(), options.full);
    let results = measure_all(&setup, &competitors, options.repeats())?;
    output::result(&report::table(&results, options.rows()));
    output::result(&goal::lines(&report::goals(&results, options.full)));
    let wrong: Vec<&str> =
        results.iter().filter(|result| !result.same_rows).map(|result| result.competitor.name()).collect();
    if wrong.is_empty() {
        return Ok(());
    }
    Err(Failure::new(format!("rows differ from those of `etl run`: {}", wrong.join(", ")))
        .hint("ratios are meaningless if the results differ: find the cause"))
}

struct BenchResult {
    competitor: Competitor,
    measurements: Vec<Measurement>,
    /// Loaded rows, as counted by the server.
    rows: u64,
    /// Whether the rows equal those of `etl run`.
    same_rows: bool,
    /// The last line of a Python program, which has its phases.
    phases: String,
}

impl BenchResult {
    fn seconds(&self) -> f64 {
        measure::median(self.measurements.iter().map(|measurement| measurement.seconds))
    }

    fn peak_bytes(&self) -> u64 {
        self.measurements.iter().map(|measurement| measurement.peak_bytes).max().unwrap_or_default()
    }

    fn rows_per_second(&self) -> f64 {
        competitor::sampled_rate(&self.phases, self.competitor)
            .unwrap_or_else(|| measure::approximate(self.rows) / self.seconds())
    }
}

/// Runs every program once per round. `etl run` is first: the others are compared with its rows, and `psql` loads them.
fn measure_all(setup: &Setup, competitors: &[Competitor], rounds: u32) -> Result<Vec<BenchResult>> {
    let mut results: Vec<BenchResult> = Vec::new();
    let mut ours = None;
    for round in 1..=rounds {
        for (index, &competitor) in competitors.iter().enumerate() {
            output::note(&format!("round {round} of {rounds}: {}", competitor.name()));
            setup.server.create(competitor.database())?;
            competitor.prepare(setup)?;
            let (measurement, last_line) = measure::run(&competitor.command(setup), &setup.scratch)?;
            output::note(&format!("  {:.2} s", measurement.seconds));
            let content = setup.server.content(competitor.database())?;
            if ours.is_none() && competitors.contains(&Competitor::Copy) {
                setup.server.export(competitor.database(), &setup.scratch)?;
            }
            let same_rows =
                *ours.get_or_insert_with(|| content.clone()) == content || competitor.loads_a_sample();
            setup.server.drop_database(competitor.database())?;
            match results.get_mut(index) {
                Some(result) => {
                    result.measurements.push(measurement);
                    result.same_rows &= same_rows;
                }
                None => results.push(BenchResult {
                    competitor,
                    measurements: vec![measurement],
                    rows: content.rows,
                    same_rows,
                    phases: if competitor.is_python() { last_line } else { String::new() },
                }),
            }
        }
    }
    Ok(results)
}
