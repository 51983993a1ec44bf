//! `etl run` and `etl rollback`: what is published.

use std::time::Duration;

use clap::Args;
use clap::builder::FalseyValueParser;
use uuid::Uuid;

use super::{DatabaseArgs, ReportsArgs, RunIdArgs};
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

    /// Where the datasets stand: `file:///folder` or `s3://bucket/prefix`
    #[arg(long, env = env::STORE_URL)]
    store_url: String,

    /// Years of registration to load: latest, all, or a list such as 2021,2022
    #[arg(long, env = env::YEARS, default_value = "latest")]
    years: String,

    #[command(flatten)]
    reports: ReportsArgs,

    /// Load although the same dataset is published already
    #[arg(long, env = env::FORCE, value_parser = FalseyValueParser::new(), action = clap::ArgAction::SetTrue)]
    force: bool,

    #[command(flatten)]
    gate: GateArgs,

    #[command(flatten)]
    retention: RetentionArgs,

    #[command(flatten)]
    id: RunIdArgs,
}

/// The publish gate.
#[derive(Debug, Args)]
#[command(next_help_heading = "Checks before publishing")]
struct GateArgs {
    /// Publish although checks failed
    #[arg(long, env = env::ACCEPT_ANOMALIES, value_parser = FalseyValueParser::new(), action = clap::ArgAction::SetTrue)]
    accept_anomalies: bool,

    /// The largest share of rejected rows of a dataset
    #[arg(long, env = env::MAX_REJECTED_PERCENT, value_name = "PERCENT", default_value_t = 5.0, value_parser = percent)]
    max_rejected_percent: f64,

    /// The smallest number of rows of a year, of those that are published
    #[arg(long, env = env::MIN_ROWS_PERCENT, value_name = "PERCENT", default_value_t = 90.0, value_parser = percent)]
    min_rows_percent: f64,

    /// The largest rise of a column's share of missing values against the published release
    #[arg(long, env = env::MAX_MISSING_INCREASE, value_name = "POINTS", default_value_t = 25.0, value_parser = percent)]
    max_missing_increase: f64,

    /// The largest share of repaired values of a column on a first load
    #[arg(long, env = env::MAX_REPAIRED_PERCENT, value_name = "PERCENT", default_value_t = 50.0, value_parser = percent)]
    max_repaired_percent: f64,

    /// The largest share of classifications other than the ministry's four
    #[arg(long, env = env::MAX_UNKNOWN_CLASSIFICATION_PERCENT, value_name = "PERCENT", default_value_t = 1.0, value_parser = percent)]
    max_unknown_classification_percent: f64,
}

/// Which releases stay.
#[derive(Debug, Args)]
#[command(next_help_heading = "Releases")]
struct RetentionArgs {
    /// How many releases are kept besides the published one, for a rollback
    #[arg(long, env = env::KEEP_RELEASES, value_name = "N", default_value_t = 1)]
    keep_releases: u32,

    /// How long a replaced release stays for a reader that may still need it, such as 24h or 30min
    #[arg(long, env = env::RETIRE_AFTER, value_name = "DURATION", default_value = "24h", value_parser = humantime::parse_duration)]
    retire_after: Duration,
}

/// What is published again.
#[derive(Debug, Args)]
pub(super) struct RollbackArgs {
    #[command(flatten)]
    database: DatabaseArgs,

    /// The release to publish, by its number; the one before the published one if it is not given
    #[arg(long, value_name = "RELEASE")]
    to: Option<i32>,

    /// Where run records go: `file:///folder` or `s3://bucket/prefix`, unless `--reports-url` says otherwise
    #[arg(long, env = env::STORE_URL, required_unless_present = "reports_url")]
    store_url: Option<String>,

    #[command(flatten)]
    reports: ReportsArgs,

    #[command(flatten)]
    id: RunIdArgs,
}

/// A share in percent.
fn percent(text: &str) -> Result<f64, String> {
    let number = text.trim().trim_end_matches('%').trim().parse::<f64>();
    number
        .ok()
        .filter(|percent| (0.0..=100.0).contains(percent))
        .ok_or_else(|| "write a number from 0 to 100".to_owned())
}

/// Loads the datasets of the store.
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
    record.dataset = about.map(Into::into);
    record.end(&result, |outcome| match outcome {
        Outcome::Published(_) => RunStatus::Succeeded,
        Outcome::Skipped(_) => RunStatus::Skipped,
    });
    if let Ok(Outcome::Published(tally)) = &result {
        record.rows = Some(tally.into());
    }
    record.write(&reports).await;
    result.map(drop)
}

/// Publishes an earlier release again.
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
    record.dataset = result.as_ref().ok().cloned().map(Into::into);
    record.write(&reports).await;
    result.map(drop)
}
