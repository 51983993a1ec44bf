//! `etl run` and `etl rollback`.

use std::time::Duration;

use clap::Args;
use clap::builder::FalseyValueParser;
use uuid::Uuid;

use super::args::{DatabaseArgs, ReportsArgs, RunIdArgs};
use crate::clean::years::YearsWanted;
use crate::gate::Thresholds;
use crate::load::retire::Retention;
use crate::log::Format;
use crate::pipeline::{self, Options, Outcome};
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

    #[command(flatten)]
    reports: ReportsArgs,

    /// Load even if the same dataset is already published
    #[arg(long, env = env::FORCE, value_parser = FalseyValueParser::new(), action = clap::ArgAction::SetTrue)]
    force: bool,

    #[command(flatten)]
    gate: GateArgs,

    #[command(flatten)]
    retention: RetentionArgs,

    #[command(flatten)]
    id: RunIdArgs,
}

#[derive(Debug, Args)]
#[command(next_help_heading = "Checks before publishing")]
struct GateArgs {
    /// Publish even if checks fail
    #[arg(long, env = env::ACCEPT_ANOMALIES, value_parser = FalseyValueParser::new(), action = clap::ArgAction::SetTrue)]
    accept_anomalies: bool,

    /// Maximum share of rejected rows per dataset
    #[arg(long, env = env::MAX_REJECTED_PERCENT, value_name = "PERCENT", default_value_t = 5.0, value_parser = percent)]
    max_rejected_percent: f64,

    /// Minimum number of rows per year, relative to the published release
    #[arg(long, env = env::MIN_ROWS_PERCENT, value_name = "PERCENT", default_value_t = 90.0, value_parser = percent)]
    min_rows_percent: f64,

    /// Maximum increase of missing values per column since the published release
    #[arg(long, env = env::MAX_MISSING_INCREASE, value_name = "POINTS", default_value_t = 25.0, value_parser = percent)]
    max_missing_increase: f64,

    /// Maximum share of repaired values per column on the first load
    #[arg(long, env = env::MAX_REPAIRED_PERCENT, value_name = "PERCENT", default_value_t = 50.0, value_parser = percent)]
    max_repaired_percent: f64,

    /// Maximum share of unknown classifications
    #[arg(long, env = env::MAX_UNKNOWN_CLASSIFICATION_PERCENT, value_name = "PERCENT", default_value_t = 1.0, value_parser = percent)]
    max_unknown_classification_percent: f64,
}

#[derive(Debug, Args)]
#[command(next_help_heading = "Releases")]
struct RetentionArgs {
    /// Number of earlier releases to keep for a rollback
    #[arg(long, env = env::KEEP_RELEASES, value_name = "N", default_value_t = 1)]
    keep_releases: u32,

    /// Time to keep a replaced release for its readers, such as `24h` or `30min`
    #[arg(long, env = env::RETIRE_AFTER, value_name = "DURATION", default_value = "24h", value_parser = humantime::parse_duration)]
    retire_after: Duration,
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

fn percent(text: &str) -> Result<f64, String> {
    let number = text.trim().trim_end_matches('%').trim().parse::<f64>();
    number
        .ok()
        .filter(|percent| (0.0..=100.0).contains(percent))
        .ok_or_else(|| "expected a number from 0 to 100".to_owned())
}

pub(super) async fn run(arguments: RunArgs, log_format: Format) -> Result<()> {
    let gate = arguments.gate;
    let options = Options {
        run_id: arguments.id.run_id.unwrap_or_else(Uuid::new_v4),
        database_url: arguments.database.database_url,
        years: arguments.years.parse::<YearsWanted>()?,
        force: arguments.force,
        accept_anomalies: gate.accept_anomalies,
        thresholds: Thresholds {
            max_rejected_percent: gate.max_rejected_percent,
            min_rows_percent: gate.min_rows_percent,
            max_missing_increase: gate.max_missing_increase,
            max_repaired_percent: gate.max_repaired_percent,
            max_unknown_classification_percent: gate.max_unknown_classification_percent,
        },
        retention: Retention {
            keep_releases: arguments.retention.keep_releases,
            retire_after: arguments.retention.retire_after,
        },
        log_format,
    };
    let store = Store::open(&arguments.store_url)?;
    let reports =
        arguments.reports.reports_url.as_deref().map_or_else(|| Ok(store.clone()), Store::open_or_create)?;
    let origin = arguments.id.origin().await;
    let mut record = Record::open(options.run_id, RunKind::Etl, origin, &reports).await?;
    let mut about = None;
    let result = pipeline::run(&options, &store, &mut about).await;
    record.dataset = about;
    record.end(&result, |outcome| match outcome {
        Outcome::Published(_) => RunStatus::Succeeded,
        Outcome::Skipped(_) => RunStatus::Skipped,
    });
    if let Ok(Outcome::Published(tally)) = &result {
        record.rows = Some(tally.cases());
    }
    record.write(&reports).await;
    result.map(drop)
}

pub(super) async fn rollback(arguments: RollbackArgs) -> Result<()> {
    let run_id = arguments.id.run_id.unwrap_or_else(Uuid::new_v4);
    let url = arguments.reports.reports_url.or(arguments.store_url).unwrap_or_default();
    let reports = Store::open_or_create(&url)?;
    let origin = arguments.id.origin().await;
    let mut record = Record::open(run_id, RunKind::Rollback, origin, &reports).await?;
    let options =
        rollback::Options { run_id, database_url: arguments.database.database_url, to: arguments.to };
    let result = rollback::run(&options).await;
    record.end(&result, |_| RunStatus::Succeeded);
    record.dataset = result.as_ref().ok().cloned();
    record.write(&reports).await;
    result.map(drop)
}
