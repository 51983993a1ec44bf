//! Questions to the target, its database and its store, one function each.

use std::path::Path;

use common::failure::Result;
use sqlx::postgres::PgConnection;
use uuid::Uuid;

use super::{Answers, reply, send, write_new};
use crate::db;
use crate::ops;
use crate::tui::effect::Ticket;
use crate::tui::model::RunDetails;
use crate::tui::model::data::{Answer, Charts, Rejected, Table};
use crate::tui::msg::{Msg, Trouble};
use target::{DatabaseAccess, Target};

/// So many runs are listed.
const MOST_RUNS: usize = 200;

/// So many rejected rows are listed.
const MOST_REJECTED: i64 = 500;

pub(super) async fn parts(target: Target, to: Answers, ticket: Ticket) {
    // Whoever was asked knows by now where all of it is: on AWS, in which account.
    let question = async { Ok((ops::status::components(&target).await?, target.location())) };
    reply(&to, question, |result| Msg::Parts { ticket, result }).await;
}

pub(super) async fn active(target: Target, to: Answers, ticket: Ticket) {
    reply(&to, target.runs.active(), |result| Msg::Active { ticket, result }).await;
}

pub(super) async fn runs(target: Target, to: Answers, ticket: Ticket) {
    reply(&to, target.runs.history(MOST_RUNS), |result| Msg::Runs { ticket, result }).await;
}

pub(super) async fn run_details(target: Target, to: Answers, ticket: Ticket, run: Uuid) {
    let question = async {
        let database = target.databases.database(DatabaseAccess::READ).await?;
        let mut connection = db::connect(&database).await?;
        let checks = db::checks::of_run(&mut connection, run).await?;
        let issues = db::runs::issues(&mut connection, run).await?;
        Ok(RunDetails { checks, issues })
    };
    reply(&to, question, |result| Msg::RunDetails { ticket, result }).await;
}

pub(super) async fn data(target: Target, to: Answers, ticket: Ticket, known: Option<Uuid>) {
    let question = async {
        let database = target.databases.database(DatabaseAccess::READ).await?;
        let mut connection = db::connect(&database).await?;
        read_data(&mut connection, known).await.map(Box::new)
    };
    reply(&to, question, |result| Msg::Data { ticket, result }).await;
}

async fn read_data(connection: &mut PgConnection, known: Option<Uuid>) -> Result<Answer> {
    let refused = db::runs::refused(connection).await?;
    let Some(published) = db::runs::published(connection).await? else {
        return Ok(Answer { refused, ..Answer::default() });
    };
    let mut tables = Vec::new();
    // Counting a large table takes long; the load that made it has counted it.
    let large = [
        ("covid_case", published.rows_loaded.unwrap_or_default()),
        ("rejected_row", published.rows_rejected.unwrap_or_default()),
    ];
    let optional = db::data::optional(connection, published.run_id).await?;
    let left_out = optional.iter().filter(|optional| optional.status != "loaded");
    let left_out = left_out.map(|optional| format!("{} {}", optional.dataset, optional.status)).collect();
    let loaded = optional.into_iter().filter_map(|optional| Some((optional.table, optional.rows?)));
    let small = db::data::small_tables(connection).await?;
    let large = large.into_iter().map(|(name, rows)| (name.to_owned(), rows));
    let counted = large.chain(loaded).chain(small);
    for (name, rows) in counted {
        let size = db::data::size(connection, &name).await?;
        tables.push(Table { name, rows, size });
    }
    let issues = db::runs::issues(connection, published.run_id).await?;
    let checks = db::checks::of_run(connection, published.run_id).await?;
    let charts = if known == Some(published.run_id) {
        None
    } else {
        Some(Charts {
            weeks: db::data::weeks(connection).await?,
            provinces: db::data::provinces(connection).await?,
        })
    };
    Ok(Answer { published: Some(published), refused, tables, left_out, checks, issues, charts })
}

pub(super) async fn rejected(
    target: Target,
    to: Answers,
    ticket: Ticket,
    run: Uuid,
    dataset: String,
    reason: String,
) {
    let question = async {
        let database = target.databases.database(DatabaseAccess::READ).await?;
        let mut connection = db::connect(&database).await?;
        let rows = db::data::rejected(&mut connection, run, &dataset, &reason, MOST_REJECTED).await?;
        Ok(rows.into_iter().map(|(line, raw)| Rejected { line, raw }).collect())
    };
    reply(&to, question, |result| Msg::Rejected { ticket, result }).await;
}

pub(super) async fn reports(target: Target, to: Answers, ticket: Ticket) {
    let question = async { ops::reports::list(&target.storage.reports().await?).await };
    reply(&to, question, |result| Msg::Reports { ticket, result }).await;
}

pub(super) async fn report(target: Target, to: Answers, ticket: Ticket, name: String) {
    let question = async { ops::reports::text(&target.storage.reports().await?, &name).await };
    reply(&to, question, |result| Msg::Report { ticket, result }).await;
}

pub(super) async fn save_report(target: Target, to: Answers, name: String) {
    let saved = async {
        let files = ops::reports::copy(&target.storage.reports().await?, &name, Path::new(&name)).await?;
        Ok(format!("{files} files are in the folder `{name}`"))
    };
    done(&to, saved.await).await;
}

pub(super) async fn save(to: Answers, path: String, text: String) {
    let lines = text.lines().count();
    let saved = write_new(&path, text).await.map(|()| format!("{lines} lines are in `{path}`"));
    done(&to, saved).await;
}

async fn done(to: &Answers, result: Result<String>) {
    let msg = match result {
        Ok(text) => Msg::Done { text },
        Err(failure) => Msg::Failed { trouble: Trouble::from(failure) },
    };
    send(to, msg).await;
}
