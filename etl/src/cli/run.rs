//! `etl run` and `etl rollback`.

use clap::Args;
use clap::builder::FalseyValueParser;

use super::args::{DatabaseArgs, ReportsArgs, RunIdArgs};
use crate::gate::Thresholds;
use crate::interrupts::Interrupts;
use crate::load::retire::Retention;
use crate::log::Format;
use crate::pipeline::{self, Options, Outcome, RunProgress};
use crate::record::{Record, RunStatus};
use crate::rollback;
use crate::runs::RunKind;
use crate::store::Store;
use common::env;
use common::failure::Result;

#[derive(Debug, Args)]
pub(super) struct RunArgs {
    #[command(flatten)]
    database: DatabaseArgs,

    /// Store URL of the datasets: `file:///folder` or `s3://bucket/prefix`
    #[arg(long, env = env::STORE_URL)]
    store_url: String,

    /// Years of registration to load: `latest`, `all`, or a list such as `2021,2022`
    #[arg(long, env = env::YEARS, default_value = "latest")]
    years: String,

    /// Keep the rows of the register of doses, too, in the view `dose`; some 20 GB for the whole country
    #[arg(long, env = env::DOSE_ROWS, value_parser = FalseyValueParser::new(), action = clap::ArgAction::SetTrue)]
    dose_rows: bool,

    #[command(flatten)]
    reports: ReportsArgs,

    /// Load even if the same dataset is already published
    #[arg(long, env = env::FORCE, value_parser = FalseyValueParser::new(), action = clap::ArgAction::SetTrue)]
    force: bool,

    /// Publish even if checks fail
    #[arg(long, env = env::ACCEPT_ANOMALIES, value_parser = FalseyValueParser::new(), action = clap::ArgAction::SetTrue)]
    #[arg(help_heading = "Checks before publishing")]
    accept_anomalies: bool,

    #[command(flatten, next_help_heading = "Checks before publishing")]
    thresholds: Thresholds,

    #[command(flatten, next_help_heading = "Releases")]
    retention: Retention,

    #[command(flatten)]
    id: RunIdArgs,
}

#[derive(Debug, Args)]
pub(super) struct RollbackArgs {
    #[command(flatten)]
    database: DatabaseArgs,

    /// Release to publish [default: the one before the published release]
    #[arg(long, value_name = "RELEASE")]
    to: Option<i32>,

    /// Store URL for run records; overridden by `--reports-url`
    #[arg(long, env = env::STORE_URL, required_unless_present = "reports_url")]
    store_url: Option<String>,

    #[command(flatten)]
    reports: ReportsArgs,

    #[command(flatten)]
    id: RunIdArgs,
}

pub(super) async fn run(arguments: RunArgs, log_format: Format) -> Result<()> {
    let options = Options {
        run_id: arguments.id.run_id,
        database_url: arguments.database.database_url,
        years: arguments.years.parse()?,
        force: arguments.force,
        accept_anomalies: arguments.accept_anomalies,
        dose_rows: arguments.dose_rows,
        thresholds: arguments.thresholds,
        retention: arguments.retention,
        log_format,
    };
    let store = Store::open(&arguments.store_url)?;
    let reports = arguments.reports.open(Some(arguments.store_url))?;
    let work = async |record: &mut Record, interrupts: &mut Interrupts| {
        let mut progress = RunProgress::default();
        let result = pipeline::run(&options, &store, interrupts, &mut progress).await;
        record.dataset = progress.dataset;
        record.phases.0.extend(progress.phases.0);
        if let Ok(Outcome::Published(tally)) = &result {
            record.rows = Some(tally.cases());
        }
        result
    };
    let status = |outcome: &Outcome| match outcome {
        Outcome::Published(_) => RunStatus::Succeeded,
        Outcome::Skipped(_) => RunStatus::Skipped,
    };
    arguments.id.recorded(RunKind::Etl, &reports, work, status).await.map(drop)
}

pub(super) async fn rollback(arguments: RollbackArgs) -> Result<()> {
    let reports = arguments.reports.open(arguments.store_url)?;
    let (run_id, database_url) = (arguments.id.run_id, arguments.database.database_url);
    let options = rollback::Options { run_id, database_url, to: arguments.to };
    let work = async |record: &mut Record, interrupts: &mut Interrupts| {
        let dataset = rollback::run(&options, interrupts).await?;
        record.dataset = Some(dataset);
        Ok(())
    };
    arguments.id.recorded(RunKind::Rollback, &reports, work, |()| RunStatus::Succeeded).await
}
