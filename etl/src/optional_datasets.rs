//! Loads the optional datasets: small files, copied into tables whose rows carry the id of their run.
//!
//! Readers see the rows when the run publishes, so nothing is swapped. A file that cannot be read leaves no rows behind and is left out with
//! a warning; only errors of the database end the run.

use std::sync::Arc;

use common::failure::Result;
use sqlx::AssertSqlSafe;
use sqlx::postgres::PgConnection;
use uuid::Uuid;

use crate::aggregates::doses::TABLES as DOSE_TABLES;
use crate::clean::RowCleaner;
use crate::clean::laboratories::{self, Laboratories};
use crate::clean::vaccinations::{self, Vaccinations};
use crate::context::LoadContext;
use crate::database::execute;
use crate::dataset::Dataset;
use crate::doses;
use crate::extract::Source;
use crate::load::copy::{self, BinaryCopy};
use crate::load::rejects::Rejects;
use crate::tally::{IssueKind, RowCounts, Tally};
use crate::transform::Transform;

/// Returns table and columns of a dataset whose rows are loaded as they are.
const fn table(dataset: Dataset) -> (&'static str, &'static str) {
    match dataset {
        Dataset::Vaccinations => ("vaccination_count", vaccinations::COPY_COLUMNS),
        _ => ("test_count", laboratories::COPY_COLUMNS),
    }
}

/// Loads a file. The inner error is the file's: none of its rows is loaded then, and the run goes on.
pub async fn load(
    context: &LoadContext<'_>,
    source: &Source,
    session: &mut PgConnection,
    rejects: &mut Rejects<'_>,
    tally: &mut Tally,
) -> Result<Result<RowCounts>> {
    if source.dataset == Dataset::Doses {
        return doses::load(context, source, session, rejects, tally).await;
    }
    // The others remember rows, so they have one worker.
    let (from, position) = ((context.store, source), Arc::default());
    let (rules, run_id) = (Arc::clone(&context.rules), context.options.run_id);
    let geography = rules.geography.clone();
    if source.dataset == Dataset::Vaccinations {
        let transform = Transform::start(from, 1, &position, move |header, name| {
            Vaccinations::new(header, name, run_id, geography.clone())
        })?;
        return fill(transform, source.dataset, session, rejects, tally).await;
    }
    let transform = Transform::start(from, 1, &position, move |header, name| {
        Laboratories::new(header, name, run_id, rules.period.clone(), geography.clone())
    })?;
    fill(transform, source.dataset, session, rejects, tally).await
}

async fn fill<C>(
    mut transform: Transform<C>,
    dataset: Dataset,
    session: &mut PgConnection,
    rejects: &mut Rejects<'_>,
    tally: &mut Tally,
) -> Result<Result<RowCounts>>
where
    C: RowCleaner<Accepted = Vec<&'static str>, Notes = ()>,
{
    let (table, columns) = table(dataset);
    let what = format!("cannot fill the table `{table}`");
    execute(session, copy::BEGIN, &what).await?;
    let mut copy = BinaryCopy::begin(session, &format!("public.{table}"), columns, &what).await?;
    let (mut counts, mut issues) = (RowCounts::default(), Tally::default());
    loop {
        let block = match transform.next().await {
            Ok(Some(block)) => block,
            Ok(None) => break,
            Err(failure) => {
                copy.abort("the file cannot be read").await;
                execute(session, "ROLLBACK", &what).await?;
                return Ok(Err(failure));
            }
        };
        copy.send(&block.encoded).await?;
        for row in &block.rejected {
            issues.count(dataset, IssueKind::Rejected, row.reason, 1);
            rejects.add(dataset, row.line, row.reason, block.text(&row.raw)).await?;
        }
        for repair in block.accepted.iter().flat_map(|row| &row.data) {
            issues.count(dataset, IssueKind::Repaired, repair, 1);
        }
        counts.read += block.read;
        counts.filtered += block.filtered;
        counts.loaded += block.accepted.len() as u64;
        transform.recycle(block);
    }
    counts.rejected = issues.total(dataset, IssueKind::Rejected);
    counts.repaired = issues.total(dataset, IssueKind::Repaired);
    copy.finish().await?;
    execute(session, AssertSqlSafe(format!("COMMIT; ANALYZE public.{table}")), &what).await?;
    tally.merge(&issues);
    Ok(Ok(counts))
}

/// Deletes the rows that a run loaded of a dataset that the publish gate refused.
pub async fn discard(session: &mut PgConnection, dataset: Dataset, run_id: Uuid) -> Result<()> {
    let tables = if dataset == Dataset::Doses {
        DOSE_TABLES.map(|(table, _)| table).to_vec()
    } else {
        vec![table(dataset).0]
    };
    for table in tables {
        let delete = sqlx::query(AssertSqlSafe(format!("DELETE FROM public.{table} WHERE run_id = $1")));
        execute(session, delete.bind(run_id), &format!("cannot delete the refused rows of `{table}`"))
            .await?;
    }
    Ok(())
}
