//! `covidctl releases`

use std::fmt;

use common::env;
use common::failure::Result;
use serde::Serialize;

use super::confirm::confirm;
use super::run::{self, FollowEnd};
use super::runs::{CheckList, RunTable};
use crate::cli::{Releases, ReleasesCommand};
use crate::db;
use crate::db::checks::{self, RunCheck};
use crate::db::releases::{self, Release, ReleaseDataset};
use crate::ops::follow::Following;
use crate::printer::Printer;
use crate::settings::Settings;
use crate::signals::Signals;
use common::text::{maybe_thousands, size, table};
use target::Run;
use target::{DatabaseAccess, Job, JobKind, Target};

const DEFAULT_LIMIT: u32 = 20;

#[derive(Debug, Serialize)]
#[serde(transparent)]
struct ReleaseTable(Vec<Release>);

#[derive(Debug, Serialize)]
struct Details {
    #[serde(flatten)]
    release: Release,
    run: Run,
    datasets: Vec<ReleaseDataset>,
    checks: Vec<RunCheck>,
}

pub(super) async fn run(args: &Releases, settings: &Settings, printer: &Printer) -> Result<()> {
    if let Some(ReleasesCommand::Rollback { to }) = args.command {
        return roll_back(to, settings, printer).await;
    }
    let target = super::target(settings)?;
    let database = target.databases.database(DatabaseAccess::READ).await?;
    let mut session = db::connect(&database).await?;
    match args.command {
        Some(ReleasesCommand::Show { release }) => {
            let release = releases::find(&mut session, release).await?;
            let run = db::runs::find(&mut session, &release.run_id.to_string()).await?;
            let datasets = releases::datasets(&mut session, &release).await?;
            let checks = checks::of_run(&mut session, release.run_id).await?;
            printer.show(&Details { release, run, datasets, checks })
        }
        Some(ReleasesCommand::List { limit }) => {
            printer.show(&ReleaseTable(releases::list(&mut session, limit).await?))
        }
        _ => printer.show(&ReleaseTable(releases::list(&mut session, DEFAULT_LIMIT).await?)),
    }
}

async fn roll_back(wanted: Option<i32>, settings: &Settings, printer: &Printer) -> Result<()> {
    settings.may_change("roll back")?;
    let target = super::target(settings)?;
    let place = target.components.identify().await?;
    let _keep_alive = target.databases.keep_alive().await?;
    let releases = {
        let database = target.databases.database(DatabaseAccess::READ).await?;
        releases::list(&mut db::connect(&database).await?, u32::MAX).await?
    };
    let (published, earlier) = releases::rollback_target(&releases, wanted)?;
    let question =
        format!("Publish {} in place of {} on target {place}?", describe(earlier), describe(published));
    confirm(&question, settings).await?;
    let to = earlier.release_id;
    // The confirmed release is named, in case another run publishes in the meantime. No report follows automatically.
    let job = Job {
        arguments: vec!["--to".to_owned(), to.to_string()],
        is_part_of_pipeline: true,
        ..Job::new(JobKind::Rollback).with(env::STARTED_BY, target::current_user())
    };
    follow(&target, &job, printer).await?;
    printer.note(&format!(
        "release {to} is published; the latest report still shows release {}: `covidctl run report` writes a new one",
        published.release_id
    ));
    Ok(())
}

async fn follow(target: &Target, job: &Job, printer: &Printer) -> Result<()> {
    let mut signals = Signals::listen()?;
    let following = Following::start(target, job).await?;
    let run = following.run();
    let ended = run::follow(target, following, &mut signals, printer).await;
    if let Ok(FollowEnd::Detached(failure)) = ended {
        return Err(failure);
    }
    // A job that failed before it was recorded cannot be found.
    printer.show(&RunTable(target.runs.find(&run.to_string()).await.into_iter().collect()))?;
    ended.map(drop)
}

/// Names a release in a question, such as `release 3 (data of 2022-06-04, 10,489,540 rows)`.
fn describe(release: &Release) -> String {
    let date =
        release.dataset_updated_on.map_or_else(|| "an unknown date".to_owned(), |date| date.to_string());
    format!("release {} (data of {date}, {} rows)", release.release_id, maybe_thousands(release.rows_loaded))
}

fn bytes(release: &Release) -> String {
    let bytes = release.size_bytes.and_then(|bytes| u64::try_from(bytes).ok());
    bytes.map_or_else(|| "-".to_owned(), size)
}

impl fmt::Display for ReleaseTable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        const HEADS: [&str; 9] =
            ["RELEASE", "", "STATE", "DATA OF", "ROWS", "YEARS", "LOADED (UTC)", "PUBLICATION", "SIZE"];
        let text = |value: Option<String>| value.unwrap_or_else(|| "-".to_owned());
        let row = |release: &Release| {
            let marker = if release.state == releases::ReleaseState::Published { "*" } else { "" };
            vec![
                release.release_id.to_string(),
                marker.to_owned(),
                release.state.words().to_owned(),
                text(release.dataset_updated_on.map(|date| date.to_string())),
                maybe_thousands(release.rows_loaded),
                text(release.years.clone()),
                text(release.loaded_at.map(|at| at.format("%Y-%m-%d %H:%M:%S").to_string())),
                text(release.publication.map(|publication| publication.to_string())),
                bytes(release),
            ]
        };
        if self.0.is_empty() {
            return writeln!(f, "nothing is published yet");
        }
        f.write_str(&table(&HEADS, &self.0.iter().map(row).collect::<Vec<_>>()))
    }
}

impl fmt::Display for Details {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { release, run, .. } = self;
        let mut line = |name: &str, value: Option<String>| match value {
            Some(value) => writeln!(f, "{name:<12} {value}"),
            None => Ok(()),
        };
        let time = |at: chrono::DateTime<chrono::Utc>| at.format("%Y-%m-%d %H:%M:%S UTC").to_string();
        line("release", Some(release.release_id.to_string()))?;
        line("state", Some(release.state.words().to_owned()))?;
        line("run", Some(format!("{} ({})", run.run_id, run.status)))?;
        line("updated on", release.dataset_updated_on.map(|date| date.to_string()))?;
        line("years", release.years.clone())?;
        line("rows", Some(maybe_thousands(release.rows_loaded)))?;
        line("loaded", release.loaded_at.map(time))?;
        line("publication", release.publication.map(|publication| publication.to_string()))?;
        line("replaced", release.replaced_at.map(time))?;
        line("dropped", release.dropped_at.map(time))?;
        line("rules", Some(format!("version {}", release.rules_version)))?;
        line("size", Some(bytes(release)))?;
        if !self.datasets.is_empty() {
            let row = |dataset: &ReleaseDataset| {
                vec![
                    dataset.dataset.clone(),
                    dataset.status.clone(),
                    maybe_thousands(dataset.rows_loaded),
                    dataset
                        .run_id
                        .map_or_else(|| "-".to_owned(), |run| run.to_string().chars().take(8).collect()),
                    dataset.error.clone().unwrap_or_default(),
                ]
            };
            let rows: Vec<_> = self.datasets.iter().map(row).collect();
            write!(f, "\n{}", table(&["DATASET", "STATUS", "ROWS", "OF RUN", "REASON"], &rows))?;
        }
        write!(f, "{}", CheckList(&self.checks))
    }
}
