//! Writes rejected rows with line and reason to `rejected_row`, by a COPY on a session of its own, so that a file of rejects needs no more
//! memory than another. The rows carry the id of their run and are committed just before the publication.

use sqlx::Executor as _;
use sqlx::postgres::{PgConnection, PgCopyIn};
use uuid::Uuid;

use crate::database::DbContext as _;
use crate::dataset::Dataset;
use common::failure::Result;

const WHAT: &str = "cannot store the rejected rows";

/// A COPY into `rejected_row`.
pub struct Rejects<'a> {
    copy: PgCopyIn<&'a mut PgConnection>,
    run_id: Uuid,
    buffer: Vec<u8>,
}

impl<'a> Rejects<'a> {
    /// Begins the COPY.
    pub async fn begin(session: &'a mut PgConnection, run_id: Uuid) -> Result<Self> {
        // The publication flushes the log.
        session.execute("SET synchronous_commit = off").await.db_context(WHAT)?;
        let statement =
            "COPY public.rejected_row (run_id, dataset, line, reason, raw) FROM STDIN (FORMAT text)";
        let copy = session.copy_in_raw(statement).await.db_context(WHAT)?;
        Ok(Self { copy, run_id, buffer: Vec::new() })
    }

    /// Adds a row to the buffer.
    pub async fn add(&mut self, dataset: Dataset, line: u64, reason: &str, raw: &[u8]) -> Result<()> {
        let start = format!("{}\t{}\t{line}\t{reason}\t", self.run_id, dataset.name());
        self.buffer.extend_from_slice(start.as_bytes());
        escape(&String::from_utf8_lossy(raw), &mut self.buffer);
        self.buffer.push(b'\n');
        if self.buffer.len() >= 64 << 10 { self.flush().await } else { Ok(()) }
    }

    /// Ends and commits the COPY.
    pub async fn finish(mut self) -> Result<u64> {
        self.flush().await?;
        self.copy.finish().await.db_context(WHAT)
    }

    /// Deletes the rejected rows of datasets that were not loaded.
    pub async fn forget(session: &mut PgConnection, run_id: Uuid, datasets: &[Dataset]) -> Result<()> {
        for dataset in datasets {
            sqlx::query("DELETE FROM rejected_row WHERE run_id = $1 AND dataset = $2")
                .bind(run_id)
                .bind(dataset.name())
                .execute(&mut *session)
                .await
                .db_context(WHAT)?;
        }
        Ok(())
    }

    async fn flush(&mut self) -> Result<()> {
        self.copy.send(self.buffer.as_slice()).await.db_context(WHAT)?;
        self.buffer.clear();
        Ok(())
    }
}

/// Escapes a value for COPY's text format, without NUL, which PostgreSQL cannot store.
fn escape(text: &str, out: &mut Vec<u8>) {
    for byte in text.bytes() {
        match byte {
            b'\\' => out.extend_from_slice(b"\\\\"),
            b'\n' => out.extend_from_slice(b"\\n"),
            b'\r' => out.extend_from_slice(b"\\r"),
            b'\t' => out.extend_from_slice(b"\\t"),
            0 => {}
            byte => out.push(byte),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn escape_keeps_row_in_one_line() {
        let mut out = Vec::new();
        escape("a\tb\\N\r\n\0ñ", &mut out);
        assert_eq!(String::from_utf8(out).unwrap(), "a\\tb\\\\N\\r\\nñ");
    }
}
