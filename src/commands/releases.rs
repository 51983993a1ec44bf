//! `covidctl releases`

use common::env;
use common::failure::Result;
use common::text::{self, maybe_thousands, or_dash, table};
use serde::Serialize;

use super::confirm::confirm;
use super::{run, runs};
use crate::cli::ReleasesCommand;
use crate::db;
use crate::db::checks::{self, RunCheck};
use crate::db::releases::{self, Release, ReleaseDataset, ReleaseState};
use crate::ops::follow::Following;
use crate::printer::Printer;
use crate::settings::Settings;
use crate::signals::Signals;
use target::{DatabaseAccess, Job, JobKind, Run, Target};

const DEFAULT_LIMIT: u32 = 20;

#[derive(Debug, Serialize)]
struct Details {
    #[serde(flatten)]
    release: Release,
    run: Run,
    datasets: Vec<ReleaseDataset>,
    checks: Vec<RunCheck>,
}

pub(super) async fn run(
    command: Option<&ReleasesCommand>,
    settings: &Settings,
    printer: &Printer,
) -> Result<()> {
    if let Some(ReleasesCommand::Rollback { to }) = command {
        return roll_back(*to, settings, printer).await;
    }
    let target = super::target(settings)?;
    target.ensure_releases()?;
    let database = target.databases.database(DatabaseAccess::READ).await?;
    let mut session = db::connect(&database).await?;
    let limit = match command {
        Some(ReleasesCommand::Show { release }) => {
            let release = releases::find(&mut session, *release).await?;
            let run = db::runs::find(&mut session, &release.run_id.to_string()).await?;
            let datasets = releases::datasets(&mut session, &release).await?;
            let checks = checks::of_run(&mut session, release.run_id).await?;
            return printer.show_as(&Details { release, run, datasets, checks }, details);
        }
        Some(ReleasesCommand::List { limit }) => *limit,
        _ => DEFAULT_LIMIT,
    };
    let releases = releases::list(&mut session, limit).await?;
    printer.show_as(&releases, |releases| release_table(releases))
}

async fn roll_back(wanted: Option<i32>, settings: &Settings, printer: &Printer) -> Result<()> {
    settings.may_change("roll back")?;
    let target = super::target(settings)?;
    target.ensure_releases()?;
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
    let run = following.run;
    let ended = run::follow(target, following, &mut signals, printer).await;
    if let Ok(Some(detached)) = ended {
        return Err(detached);
    }
    // A job that failed before it was recorded cannot be found.
    let recorded = target.runs.find(&run.to_string()).await.ok();
    runs::show(recorded.as_slice(), printer)?;
    ended.map(drop)
}

/// Names a release in a question, such as `release 3 (data of 2022-06-04, 10,489,540 rows)`.
fn describe(release: &Release) -> String {
    let date =
        release.dataset_updated_on.map_or_else(|| "an unknown date".to_owned(), |date| date.to_string());
    format!("release {} (data of {date}, {} rows)", release.release_id, maybe_thousands(release.rows_loaded))
}

fn size(release: &Release) -> String {
    or_dash(release.size_bytes.and_then(|bytes| u64::try_from(bytes).ok()).map(text::size))
}

fn release_table(releases: &[Release]) -> String {
    const HEADS: [&str; 9] =
        ["RELEASE", "", "STATE", "DATA OF", "ROWS", "YEARS", "LOADED (UTC)", "PUBLICATION", "SIZE"];
    if releases.is_empty() {
        return "nothing is published yet".to_owned();
    }
    let cells = |release: &Release| {
        [
            release.release_id.to_string(),
            String::from(if release.state == ReleaseState::Published { "*" } else { "" }),
            release.state.words().to_owned(),
            or_dash(release.dataset_updated_on),
            maybe_thousands(release.rows_loaded),
            or_dash(release.years.as_ref()),
            or_dash(release.loaded_at.map(text::time)),
            or_dash(release.publication),
            size(release),
        ]
    };
    table(HEADS, releases.iter().map(cells))
}

fn details(Details { release, run, datasets, checks }: &Details) -> String {
    let time = |at| text::time(at) + " UTC";
    let fields = text::fields([
        ("release", Some(release.release_id.to_string())),
        ("state", Some(release.state.words().to_owned())),
        ("run", Some(format!("{} ({})", run.run_id, run.status))),
        ("updated on", release.dataset_updated_on.map(|date| date.to_string())),
        ("years", release.years.clone()),
        ("rows", Some(maybe_thousands(release.rows_loaded))),
        ("loaded", release.loaded_at.map(time)),
        ("publication", release.publication.map(|publication| publication.to_string())),
        ("replaced", release.replaced_at.map(time)),
        ("dropped", release.dropped_at.map(time)),
        ("rules", Some(format!("version {}", release.rules_version))),
        ("size", Some(size(release))),
    ]);
    fields + &dataset_table(datasets) + &runs::check_list(checks)
}

/// Formats datasets below an empty line, if there are any.
fn dataset_table(datasets: &[ReleaseDataset]) -> String {
    if datasets.is_empty() {
        return String::new();
    }
    let cells = |dataset: &ReleaseDataset| {
        let run = dataset.run_id.map(|run| run.to_string().chars().take(8).collect::<String>());
        let reason = dataset.error.clone().unwrap_or_default();
        let rows = maybe_thousands(dataset.rows_loaded);
        [dataset.dataset.clone(), dataset.status.clone(), rows, or_dash(run), reason]
    };
    format!("\n{}", table(["DATASET", "STATUS", "ROWS", "OF RUN", "REASON"], datasets.iter().map(cells)))
}
