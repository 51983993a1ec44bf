//! Writes the counts of doses. Those of a file with more groups than fit in memory come in parts, which PostgreSQL adds up at the end.

use sqlx::AssertSqlSafe;
use sqlx::postgres::PgConnection;
use uuid::Uuid;

use super::copy::{self, BinaryCopy};
use crate::aggregates::Rows;
use crate::aggregates::doses::{DoseAggregates, TABLES};
use crate::clean::texts::Texts;
use crate::database::execute;
use common::failure::Result;

const WHAT: &str = "cannot write the counts of the doses";

/// Writes the counts in one transaction, so that a file that cannot be read to its end leaves none.
pub struct DoseCountWriter<'a> {
    session: &'a mut PgConnection,
    run_id: Uuid,
    texts: Texts,
    in_parts: bool,
}

impl<'a> DoseCountWriter<'a> {
    pub async fn begin(session: &'a mut PgConnection, run_id: Uuid, texts: Texts) -> Result<Self> {
        execute(session, copy::BEGIN, WHAT).await?;
        Ok(Self { session, run_id, texts, in_parts: false })
    }

    /// Writes and empties the counts as one part of several.
    pub async fn write_part(&mut self, counts: &mut DoseAggregates) -> Result<()> {
        if !std::mem::replace(&mut self.in_parts, true) {
            for (table, _) in TABLES {
                let create =
                    format!("CREATE TEMPORARY TABLE {table}_part (LIKE public.{table}) ON COMMIT DROP");
                execute(self.session, AssertSqlSafe(create), WHAT).await?;
            }
        }
        self.copy(counts).await
    }

    /// Writes the rest and commits.
    pub async fn finish(mut self, counts: &mut DoseAggregates) -> Result<()> {
        self.copy(counts).await?;
        if self.in_parts {
            execute(self.session, "SET LOCAL work_mem = '64MB'", WHAT).await?;
            for (table, columns) in TABLES {
                let keys = columns.trim_end_matches(", doses");
                let add_up = format!(
                    "INSERT INTO public.{table} (run_id, {keys}, doses)
                     SELECT run_id, {keys}, sum(doses) FROM pg_temp.{table}_part GROUP BY run_id, {keys}"
                );
                execute(self.session, AssertSqlSafe(add_up), WHAT).await?;
            }
        }
        execute(self.session, "COMMIT", WHAT).await?;
        for (table, _) in TABLES {
            execute(self.session, AssertSqlSafe(format!("ANALYZE public.{table}")), WHAT).await?;
        }
        Ok(())
    }

    /// Undoes everything.
    pub async fn abort(self) -> Result<()> {
        execute(self.session, "ROLLBACK", WHAT).await
    }

    async fn copy(&mut self, counts: &mut DoseAggregates) -> Result<()> {
        let texts = self.texts.snapshot();
        for Rows { table, columns, pieces } in counts.take(self.run_id, &texts) {
            let table =
                if self.in_parts { format!("pg_temp.{table}_part") } else { format!("public.{table}") };
            let columns = format!("run_id, {columns}");
            let mut copy = BinaryCopy::begin(self.session, &table, &columns, WHAT).await?;
            for piece in pieces {
                copy.send(&piece).await?;
            }
            copy.finish().await?;
        }
        Ok(())
    }
}
