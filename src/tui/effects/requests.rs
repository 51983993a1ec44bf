//! Requests to the target, its database and its report store.

use std::path::Path;
use std::sync::{Mutex, PoisonError};

use common::failure::{Context as _, Result};
use target::{Check, Database, DatabaseAccess, DatabaseRole, DatabaseServer, DoctorContext, Target};
use tokio::fs::File;
use tokio::io::AsyncWriteExt as _;
use uuid::Uuid;

use super::{Outbox, logs, machine, tunnels};
use crate::db;
use crate::ops;
use crate::settings::Settings;
use crate::tui::domain::Activity;
use crate::tui::model::data::{Charts, DataSummary, RejectedRow, TableSize};
use crate::tui::model::health::Measurements;
use crate::tui::model::runs::RunDetails;
use crate::tui::model::{Msg, Request, RequestId, Response, UserError};

/// Runs that the history lists at most.
const MAX_RUNS: usize = 200;

/// Rejected rows that a page lists at most.
const MAX_REJECTED: i64 = 500;

/// Performs a request, and sends its response.
pub(super) async fn perform(
    settings: Settings,
    target: Target,
    outbox: Outbox,
    id: RequestId,
    request: Request,
) {
    let msg = match request {
        Request::Components => {
            let components = response(ops::status::components(&target)).await;
            // The account of a target on AWS is known after the first request.
            Msg::Components(id, components.map(|components| (components, target.location())))
        }
        Request::Active => Msg::Active(id, response(target.runs.active()).await),
        Request::Runs => Msg::Runs(id, response(target.runs.history(MAX_RUNS)).await),
        Request::CompareRuns { before, after } => {
            let (before, after) = (before.to_string(), after.to_string());
            let mut note = |_| {};
            let compared = ops::run_patterns::compare(&target, &before, &after, None, &mut note);
            Msg::Comparison(id, response(compared).await)
        }
        Request::RunDetails(run) => Msg::RunDetails(id, response(run_details(&target, run)).await),
        Request::Data { known_charts } => Msg::Data(id, response(data(&target, known_charts)).await),
        Request::Rejected { run, dataset, reason } => {
            Msg::Rejected(id, response(rejected(&target, run, &dataset, &reason)).await)
        }
        Request::Reports => {
            let reports = async {
                target.ensure_releases()?;
                ops::reports::list(&target.storage.reports().await?).await
            };
            Msg::Reports(id, response(reports).await)
        }
        Request::Report(name) => {
            let report = async { ops::reports::text(&target.storage.reports().await?, &name).await };
            Msg::Report(id, response(report).await)
        }
        Request::Activity => Msg::Activity(id, response(activity(&target)).await),
        Request::Checks => Msg::Checks(id, Ok(checks(&target).await)),
        Request::Tunnels => Msg::Tunnels(id, response(tunnels::in_background(&settings)).await),
        Request::Metrics => Msg::Metrics(id, response(metrics(&target)).await),
        Request::Changes => Msg::Changes(id, response(async { target.account()?.changes().await }).await),
        Request::Cost => Msg::Cost(id, response(async { target.account()?.cost().await }).await),
        Request::Logs { since, run } => return logs::follow(&target, &outbox, id, since, run).await,
    };
    outbox.send(msg).await;
}

async fn response<T>(request: impl Future<Output = Result<T>>) -> Response<T> {
    request.await.map_err(UserError::from)
}

async fn run_details(target: &Target, run: Uuid) -> Result<RunDetails> {
    if !target.location().capabilities.releases {
        return Ok(RunDetails { checks: Vec::new(), issues: Vec::new() });
    }
    let database = read_database(target).await?;
    let mut connection = db::connect(&database).await?;
    let checks = db::checks::of_run(&mut connection, run).await?;
    let issues = db::runs::issues(&mut connection, run).await?;
    Ok(RunDetails { checks, issues })
}

async fn data(target: &Target, known_charts: Option<Uuid>) -> Result<Box<DataSummary>> {
    target.ensure_releases()?;
    let database = read_database(target).await?;
    let connection = &mut db::connect(&database).await?;
    let refused = db::runs::refused(connection).await?;
    let Some(published) = db::runs::published(connection).await? else {
        return Ok(Box::new(DataSummary { refused, ..DataSummary::default() }));
    };
    let optional = db::data::optional(connection, published.run_id).await?;
    let left_out = optional.iter().filter(|dataset| dataset.status != "loaded");
    let left_out = left_out.map(|dataset| format!("{} {}", dataset.dataset, dataset.status)).collect();
    // Counting the rows of a large table is slow; their load has counted them.
    let large = [
        ("covid_case".to_owned(), published.rows_loaded.unwrap_or_default()),
        ("rejected_row".to_owned(), published.rows_rejected.unwrap_or_default()),
    ];
    let loaded = optional.into_iter().filter_map(|dataset| Some((dataset.table, dataset.rows?)));
    let small = db::data::small_tables(connection).await?;
    let mut tables = Vec::new();
    for (name, rows) in large.into_iter().chain(loaded).chain(small) {
        let size = db::data::size(connection, &name).await?;
        tables.push(TableSize { name, rows, size });
    }
    let issues = db::runs::issues(connection, published.run_id).await?;
    let checks = db::checks::of_run(connection, published.run_id).await?;
    let mut charts = None;
    if known_charts != Some(published.run_id) {
        let weeks = db::data::weeks(connection).await?;
        let provinces = db::data::provinces(connection).await?;
        let reproduction_number = db::data::reproduction_number(connection).await?;
        charts = Some(Charts { weeks, provinces, reproduction_number });
    }
    Ok(Box::new(DataSummary {
        published: Some(published),
        refused,
        tables,
        left_out,
        checks,
        issues,
        charts,
    }))
}

async fn rejected(target: &Target, run: Uuid, dataset: &str, reason: &str) -> Result<Vec<RejectedRow>> {
    let database = read_database(target).await?;
    let mut connection = db::connect(&database).await?;
    let rows = db::data::rejected(&mut connection, run, dataset, reason, MAX_REJECTED).await?;
    Ok(rows.into_iter().map(|(line, raw)| RejectedRow { line, raw }).collect())
}

pub(super) async fn save_report(target: &Target, name: &str) -> Result<String> {
    let files = ops::reports::copy(&target.storage.reports().await?, name, Path::new(name)).await?;
    Ok(format!("saved {files} files to the directory `{name}`"))
}

/// Writes a new file; an existing one is not overwritten.
pub(super) async fn save_text(path: String, text: String) -> Result<String> {
    let file = File::options().write(true).create_new(true).open(&path).await;
    let mut file = file.context(|| format!("cannot create `{path}`"))?;
    let written = async {
        file.write_all(text.as_bytes()).await?;
        file.flush().await
    };
    written.await.context(|| format!("cannot write `{path}`"))?;
    Ok(format!("saved {} lines to `{path}`", text.lines().count()))
}

async fn activity(target: &Target) -> Result<Box<Activity>> {
    let database = read_database(target).await?;
    let mut connection = db::connect(&database).await?;
    Ok(Box::new(db::activity::read(&mut connection).await?))
}

/// Cancels a query or ends a session, as the administrator: other roles may signal their own sessions only.
pub(super) async fn end_session(target: &Target, pid: i32, began_at: i64, terminate: bool) -> Result<()> {
    let access = DatabaseAccess { server: DatabaseServer::MASTER, role: DatabaseRole::Administrator };
    let database = target.databases.database(access).await?;
    let mut connection = db::connect(&database).await?;
    db::activity::end(&mut connection, pid, began_at, terminate).await
}

async fn checks(target: &Target) -> Vec<Check> {
    let checks = Mutex::new(Vec::new());
    let sink = |check| checks.lock().unwrap_or_else(PoisonError::into_inner).push(check);
    ops::doctor::diagnose(target, &DoctorContext::default(), &sink).await;
    checks.into_inner().unwrap_or_else(PoisonError::into_inner)
}

async fn metrics(target: &Target) -> Result<Measurements> {
    let machine = machine::metrics(&target.location());
    Ok(Measurements { machine, kept: target.components.metrics().await? })
}

/// Returns the database for reading. The caller keeps it as long as its connection: dropping it closes the tunnel.
async fn read_database(target: &Target) -> Result<Database> {
    target.databases.database(DatabaseAccess::READ).await
}
