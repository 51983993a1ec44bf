//! A binary COPY.

use common::failure::Result;
use sqlx::postgres::{PgConnection, PgCopyIn};

use crate::clean::encoding::{COPY_HEADER, COPY_TRAILER};
use crate::database::DbContext as _;

/// Bytes of a message of the protocol. PostgreSQL reads a message whole: keep it small enough for its buffers.
pub const MESSAGE_SIZE: usize = 64 << 10;

/// Begins a transaction whose commit does not wait for the disk; the publication does.
pub const BEGIN: &str = "BEGIN; SET LOCAL synchronous_commit = off";

/// A COPY in progress. Dropped unfinished, it leaves no row behind.
pub struct BinaryCopy<'a> {
    copy: PgCopyIn<&'a mut PgConnection>,
    what: &'a str,
}

impl<'a> BinaryCopy<'a> {
    /// Begins the COPY into a table with its schema; `what` names it in errors.
    pub async fn begin(
        session: &'a mut PgConnection,
        table: &str,
        columns: &str,
        what: &'a str,
    ) -> Result<Self> {
        let statement = format!("COPY {table} ({columns}) FROM STDIN (FORMAT binary)");
        let mut copy = session.copy_in_raw(&statement).await.db_context(what)?;
        copy.send(COPY_HEADER).await.db_context(what)?;
        Ok(Self { copy, what })
    }

    pub async fn send(&mut self, rows: &[u8]) -> Result<()> {
        for piece in rows.chunks(MESSAGE_SIZE) {
            self.copy.send(piece).await.db_context(self.what)?;
        }
        Ok(())
    }

    /// Ends the COPY; returns the number of rows.
    pub async fn finish(mut self) -> Result<u64> {
        self.copy.send(COPY_TRAILER).await.db_context(self.what)?;
        self.copy.finish().await.db_context(self.what)
    }

    pub async fn abort(self, reason: &str) {
        // The server answers with the error that it was sent.
        drop(self.copy.abort(reason).await);
    }
}
