//! Counts the cases of a load, once, so that questions need not: a few hundred lines for each day instead of some ten thousand.
//!
//! The counts belong to their run. Readers ask for those of the published run, so the publication's own commit is what makes them
//! visible, together with the cases; nothing is swapped. The counts of the release before stay, to be compared with. What is
//! counted stands once, in the functions of the migration, which count what is published; here the same is done with the
//! staging table.

use sqlx::postgres::PgConnection;
use sqlx::{AssertSqlSafe, Executor as _};
use uuid::Uuid;

use super::staging::STAGING;
use crate::database::OrSqlFail as _;
use crate::failure::Result;

/// The kinds of counts: a table each, called `…_count`, and the function that counts.
const KINDS: [(&str, &str); 4] = [
    ("case_count", "count_cases"),
    ("place_count", "count_places"),
    ("delay_count", "count_delays"),
    ("contradiction_count", "count_contradictions"),
];

/// The tables of the optional datasets, whose rows belong to a run just so.
const COUNTED_BY_THE_MINISTRY: [&str; 2] = ["test_count", "vaccination_count"];

/// Counts the rows of the staging table.
///
/// It goes through a table of its own, because PostgreSQL reads on several cores for CREATE TABLE AS and not for INSERT.
/// All in one transaction: nothing remains of a count that fails.
pub async fn count(session: &mut PgConnection, run_id: Uuid) -> Result<()> {
    let mut statements =
        "BEGIN; SET LOCAL synchronous_commit = off; SET LOCAL work_mem = '32MB'; SET LOCAL jit = off;"
            .to_owned();
    for (table, function) in KINDS {
        let query = query(session, function).await?;
        statements.extend([format!(
            "CREATE TABLE public.{table}_staging AS {query};
             INSERT INTO public.{table} SELECT '{run_id}', * FROM public.{table}_staging;
             DROP TABLE public.{table}_staging;"
        )]);
    }
    statements.push_str(
        "COMMIT; ANALYZE public.case_count; ANALYZE public.place_count; ANALYZE public.delay_count",
    );
    session.execute(AssertSqlSafe(statements)).await.or_sql_fail("cannot count the loaded cases").map(drop)
}

/// What a function asks of the published table, asked of the staging table.
async fn query(session: &mut PgConnection, function: &str) -> Result<String> {
    let body: String = sqlx::query_scalar("SELECT prosrc FROM pg_proc WHERE oid = to_regproc($1)")
        .bind(format!("public.{function}"))
        .fetch_one(session)
        .await
        .or_sql_fail("cannot read how cases are counted")?;
    Ok(body.replace("public.covid_case", &format!("public.{STAGING}")))
}

/// Forgets the counts of every run that is neither published nor the release before.
pub async fn forget_others(session: &mut PgConnection) -> Result<()> {
    // Asked once each: a function in the condition itself would be called for every row.
    let others = "run_id IS DISTINCT FROM (SELECT public.published_load())
              AND run_id IS DISTINCT FROM (SELECT public.previous_load())";
    let tables = KINDS.iter().map(|(table, _)| *table).chain(COUNTED_BY_THE_MINISTRY);
    let statements: Vec<String> =
        tables.map(|table| format!("DELETE FROM public.{table} WHERE {others};")).collect();
    session
        .execute(AssertSqlSafe(statements.concat()))
        .await
        .or_sql_fail("cannot forget the counts of older runs")
        .map(drop)
}
