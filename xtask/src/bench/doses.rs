//! `cargo xtask bench doses`: compares `etl run` on a register of doses with DuckDB, which groups the same rows of the same zip.
//!
//! `etl run` also loads a small line list, checks the counts and writes them to PostgreSQL. The numbers of groups and doses are compared; only a
//! difference fails the benchmark.

use std::path::Path;
use std::process::Command;

use super::competitor;
use super::database::Server;
use super::goal::{self, at_least, at_most};
use super::input;
use super::measure::{self, Measurement, Ratio};
use crate::cli::DosesBench;
use crate::postgres::{Binaries, Cluster};
use crate::{output, process};
use common::env;
use common::failure::{Failure, Result};

/// The doses of the ministry's register, to 2026-01-09.
const NATIONAL: f64 = 118_950_690.0;

const DATABASE: &str = "bench_doses";

const COUNTS: &str = "SELECT concat_ws(' ', (SELECT concat_ws(' ', count(*), sum(doses)) FROM dose_count),
                                            (SELECT concat_ws(' ', count(*), sum(doses)) FROM dose_application_count))";

pub(crate) fn run(pg_bin: Option<&Path>, binary: Option<&Path>, options: &DosesBench) -> Result<()> {
    let binaries = Binaries::find(pg_bin)?;
    input::remove_leftovers()?;
    let etl = input::program(binary, "etl")?;
    let datasets = input::provide_doses(&etl, options.rows)?;
    let python = competitor::python();
    let server = Server { psql: binaries.psql(), cluster: Cluster::start(&binaries, "")? };
    server.create_template(&etl)?;
    let (mut ours, mut theirs, mut counted) = (Vec::new(), Vec::new(), String::new());
    for round in 1..=options.repeats {
        output::note(&format!("round {round} of {}: etl run", options.repeats));
        let scratch = input::scratch()?;
        server.create(DATABASE)?;
        let mut command = Command::new(&etl);
        command
            .arg("run")
            .env(env::STORE_URL, format!("file://{}", datasets.display()))
            .env(env::REPORTS_URL, format!("file://{}", scratch.path().join("reports").display()))
            .env(env::DATABASE_URL, server.cluster.url(DATABASE))
            .env(env::YEARS, "all");
        ours.push(measure::run(&command, scratch.path())?.0);
        process::output_of(&mut server.psql(DATABASE, COUNTS))?.trim().clone_into(&mut counted);
        server.drop_database(DATABASE)?;
        let Some(python) = &python else { continue };
        output::note(&format!("round {round} of {}: DuckDB", options.repeats));
        let mut command = Command::new(python);
        command
            .arg("-B")
            .arg(process::workspace().join("xtask/bench/duckdb_doses.py"))
            .envs([(env::DATABASE_URL, ""), ("BENCH_YEAR", "0")])
            .env("BENCH_DATASETS", &datasets)
            .env("BENCH_SCRATCH", scratch.path());
        let (measurement, last_line) = measure::run(&command, scratch.path())?;
        theirs.push(measurement);
        if last_line != counted {
            return Err(Failure::new(format!(
                "the groups and doses differ: {counted}, DuckDB has {last_line}"
            ))
            .hint("ratios are meaningless if the results differ: find the cause"));
        }
    }
    show(options, &ours, &theirs, &counted);
    Ok(())
}

fn show(options: &DosesBench, ours: &[Measurement], theirs: &[Measurement], counted: &str) {
    let row = |name: &str, all: &[Measurement]| {
        let median = |of: fn(&Measurement) -> f64| measure::median(all.iter().map(of));
        format!(
            "{name:<10}{:>10.2}{:>12.2}{:>10.0}",
            median(|one| one.seconds),
            median(|one| one.cpu_seconds),
            megabytes(peak(all))
        )
    };
    let mut lines = vec![
        format!("{} doses; groups and doses by residence and by application: {counted}", options.rows),
        String::new(),
        format!("{:<10}{:>10}{:>12}{:>10}", "program", "seconds", "processor", "peak MB"),
        row("etl run", ours),
    ];
    let seconds = measure::median(ours.iter().map(|one| one.seconds));
    let mut goals = vec![at_most("peak memory", megabytes(peak(ours)), 96.0, "MB")];
    if !theirs.is_empty() {
        lines.push(row("DuckDB", theirs));
        let ratios: Vec<f64> =
            ours.iter().zip(theirs).map(|(ours, theirs)| theirs.seconds / ours.seconds).collect();
        goals.insert(0, at_least("as fast as DuckDB", Ratio::of(&ratios).mean, 2.0, "times"));
    }
    let national = seconds * NATIONAL / measure::approximate(options.rows);
    lines.push(format!("\nat this speed the whole register takes {national:.0} s"));
    output::result(&lines.join("\n"));
    output::result(&goal::lines(&goals));
}

fn peak(all: &[Measurement]) -> u64 {
    all.iter().map(|one| one.peak_bytes).max().unwrap_or_default()
}

fn megabytes(bytes: u64) -> f64 {
    measure::approximate(bytes) / 1e6
}
