//! Keeps every rejected row, with its line and reason, in `rejected_row`: by a COPY of its own, on a session of its own, so that a
//! file of nothing but rejects costs no more memory than any other.
//!
//! The rows are committed just before the publication; they belong to their run and nobody takes them for data.

use sqlx::Executor as _;
use sqlx::postgres::{PgConnection, PgCopyIn};
use uuid::Uuid;

use crate::database::OrSqlFail as _;
use crate::dataset::Dataset;
use common::failure::Result;

const WHAT: &str = "cannot keep the rejected rows";

/// A COPY into `rejected_row`.
pub struct Rejects<'a> {
    copy: PgCopyIn<&'a mut PgConnection>,
    run_id: Uuid,
    buffer: Vec<u8>,
}

impl<'a> Rejects<'a> {
    /// Opens it.
    pub async fn begin(session: &'a mut PgConnection, run_id: Uuid) -> Result<Self> {
        // The publication waits for the disk, and with it for these rows.
        session.execute("SET synchronous_commit = off").await.or_sql_fail(WHAT)?;
        let statement =
            "COPY public.rejected_row (run_id, dataset, line, reason, raw) FROM STDIN (FORMAT text)";
        let copy = session.copy_in_raw(statement).await.or_sql_fail(WHAT)?;
        Ok(Self { copy, run_id, buffer: Vec::new() })
    }

    /// Adds one row; it is sent with others.
    pub async fn add(&mut self, dataset: Dataset, line: u64, reason: &str, raw: &[u8]) -> Result<()> {
        let start = format!("{}\t{}\t{line}\t{reason}\t", self.run_id, dataset.name());
        self.buffer.extend_from_slice(start.as_bytes());
        escape(&String::from_utf8_lossy(raw), &mut self.buffer);
        self.buffer.push(b'\n');
        if self.buffer.len() >= 64 << 10 { self.flush().await } else { Ok(()) }
    }

    /// Ends the COPY, which makes the rows permanent.
    pub async fn finish(mut self) -> Result<u64> {
        self.flush().await?;
        self.copy.finish().await.or_sql_fail(WHAT)
    }

    /// Takes back the rejected rows of datasets of which nothing was loaded in the end.
    pub async fn forget(session: &mut PgConnection, run_id: Uuid, datasets: &[Dataset]) -> Result<()> {
        for dataset in datasets {
            sqlx::query("DELETE FROM rejected_row WHERE run_id = $1 AND dataset = $2")
                .bind(run_id)
                .bind(dataset.name())
                .execute(&mut *session)
                .await
                .or_sql_fail(WHAT)?;
        }
        Ok(())
    }

    async fn flush(&mut self) -> Result<()> {
        self.copy.send(self.buffer.as_slice()).await.or_sql_fail(WHAT)?;
        self.buffer.clear();
        Ok(())
    }
}

/// A value in COPY's text format, without NUL, which PostgreSQL cannot hold.
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
    fn nothing_in_a_row_can_end_it() {
        let mut out = Vec::new();
        escape("a\tb\\N\r\n\0ñ", &mut out);
        assert_eq!(String::from_utf8(out).unwrap(), "a\\tb\\\\N\\r\\nñ");
    }
}
