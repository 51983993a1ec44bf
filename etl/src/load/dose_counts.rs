//! Writes the counts of doses, in a transaction of their own. Their rows carry the id of the run, as the aggregates of the cases do.

use common::failure::{Failure, Result};
use sqlx::AssertSqlSafe;
use sqlx::postgres::PgConnection;
use uuid::Uuid;

use super::copy::{self, BinaryCopy, MESSAGE_SIZE};
use crate::aggregates::doses::{DoseAggregates, Group, TABLES};
use crate::clean::encoding::value;
use crate::database::execute;
use crate::interner::Interner;

const WHAT: &str = "cannot write the counts of the doses";

/// Writes all counts. `texts` has the texts of the doses by number.
pub async fn write(
    session: &mut PgConnection,
    run_id: Uuid,
    doses: DoseAggregates,
    texts: &Interner,
) -> Result<()> {
    execute(session, copy::BEGIN, WHAT).await?;
    for ((table, columns), counts) in TABLES.into_iter().zip(doses.into_tables()) {
        let mut copy = BinaryCopy::begin(
            session,
            &format!("public.{table}"),
            &format!("run_id, {columns}, doses"),
            WHAT,
        )
        .await?;
        let mut rows = Vec::new();
        for sum in counts.into_sums().map_err(no_room)? {
            let (key, doses) = sum.map_err(no_room)?;
            rows.extend_from_slice(&8_i16.to_be_bytes());
            value(&mut rows, Some(run_id.into_bytes()));
            Group::of_key(key).encode(texts, &mut rows);
            value(&mut rows, Some(doses.to_be_bytes()));
            if rows.len() >= MESSAGE_SIZE {
                copy.send(&rows).await?;
                rows.clear();
            }
        }
        copy.send(&rows).await?;
        copy.finish().await?;
    }
    execute(session, "COMMIT", WHAT).await?;
    for (table, _) in TABLES {
        execute(session, AssertSqlSafe(format!("ANALYZE public.{table}")), WHAT).await?;
    }
    Ok(())
}

/// Returns the failure of a temporary file.
pub fn no_room(error: std::io::Error) -> Failure {
    Failure::new("cannot count the doses")
        .source(error)
        .hint("the temporary directory (TMPDIR) needs free space and write permission")
}
