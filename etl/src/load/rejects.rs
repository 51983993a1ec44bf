//! Writes rejected rows with line and reason to `rejected_row`, by a COPY on a session of its own, so that a file of rejects needs no more
//! memory than another. The rows carry the id of their run and are committed just before the publication.

use sqlx::postgres::PgConnection;
use uuid::Uuid;

use super::copy::BinaryCopy;
use crate::clean::encoding::value;
use crate::database::execute;
use crate::dataset::Dataset;
use common::failure::Result;

const WHAT: &str = "cannot store the rejected rows";

pub struct Rejects<'a> {
    copy: BinaryCopy<'a>,
    run_id: Uuid,
    buffer: Vec<u8>,
}

impl<'a> Rejects<'a> {
    pub async fn begin(session: &'a mut PgConnection, run_id: Uuid) -> Result<Self> {
        // The publication flushes the log.
        execute(session, "SET synchronous_commit = off", WHAT).await?;
        let columns = "run_id, dataset, line, reason, raw";
        let copy = BinaryCopy::begin(session, "public.rejected_row", columns, WHAT).await?;
        Ok(Self { copy, run_id, buffer: Vec::new() })
    }

    /// Adds a row to the buffer.
    pub async fn add(&mut self, dataset: Dataset, line: u64, reason: &str, raw: &[u8]) -> Result<()> {
        self.buffer.extend_from_slice(&5_i16.to_be_bytes());
        value(&mut self.buffer, Some(self.run_id.into_bytes()));
        value(&mut self.buffer, Some(dataset.name()));
        value(&mut self.buffer, Some(line.to_be_bytes()));
        value(&mut self.buffer, Some(reason));
        // PostgreSQL cannot store NUL.
        value(&mut self.buffer, Some(String::from_utf8_lossy(raw).replace('\0', "")));
        if self.buffer.len() >= 64 << 10 { self.flush().await } else { Ok(()) }
    }

    /// Ends and commits the COPY.
    pub async fn finish(mut self) -> Result<()> {
        self.flush().await?;
        self.copy.finish().await.map(drop)
    }

    /// Deletes the rejected rows of datasets that were not loaded.
    pub async fn forget(session: &mut PgConnection, run_id: Uuid, datasets: &[Dataset]) -> Result<()> {
        for dataset in datasets {
            let delete = sqlx::query("DELETE FROM rejected_row WHERE run_id = $1 AND dataset = $2");
            execute(session, delete.bind(run_id).bind(dataset.name()), WHAT).await?;
        }
        Ok(())
    }

    async fn flush(&mut self) -> Result<()> {
        self.copy.send(&self.buffer).await?;
        self.buffer.clear();
        Ok(())
    }
}
