//! Ends a run whose database does not answer any more.
//!
//! A session that waits for an answer does not notice that its server or the network is gone, and `sqlx` offers no TCP keepalive. A session of
//! its own therefore asks the server at intervals whether the run's sessions still exist.

use std::collections::BTreeSet;

use sqlx::postgres::PgConnection;
use tokio::time::Instant;

use crate::database::{self, Database, DbContext as _, application_name};
use common::failure::{Failure, Result};

/// Questions within the timeout.
const QUESTIONS: u32 = 6;

impl Database {
    /// Runs `work` to its end, or drops it when the server has not answered for a minute, or has ended one of the run's sessions without
    /// the run noticing.
    pub fn watched<T>(&self, work: impl Future<Output = Result<T>>) -> impl Future<Output = Result<T>> {
        // Futures of connecting are large.
        let (work, lost) = (Box::pin(work), Box::pin(self.lost()));
        async {
            tokio::select! {
                biased;
                result = work => result,
                failure = lost => Err(failure),
            }
        }
    }

    /// Returns when a session is lost.
    async fn lost(&self) -> Failure {
        let timeout = self.timeout();
        let interval = timeout / QUESTIONS;
        let mut own_session = None;
        let mut missing_before = BTreeSet::new();
        let mut answered_at = Instant::now();
        loop {
            tokio::time::sleep(interval).await;
            match tokio::time::timeout(interval, self.missing(&mut own_session)).await {
                Ok(Ok(missing)) => {
                    answered_at = Instant::now();
                    // At the first time, the run may not have read yet that the server has ended the session.
                    if missing.intersection(&missing_before).next().is_some() {
                        return Failure::new(
                            "PostgreSQL has ended a session of the run, and its answer did not arrive",
                        )
                        .hint(HINT);
                    }
                    missing_before = missing;
                }
                unanswered => {
                    if let Ok(Err(error)) = unanswered {
                        tracing::debug!(%error, "cannot ask PostgreSQL for the sessions of the run");
                    }
                    own_session = None;
                    if answered_at.elapsed() >= timeout {
                        let seconds = timeout.as_secs();
                        return Failure::new(format!("PostgreSQL has not answered for {seconds} seconds"))
                            .hint(HINT);
                    }
                }
            }
        }
    }

    /// Returns the process ids of open sessions that the server does not have.
    async fn missing(&self, own_session: &mut Option<PgConnection>) -> Result<BTreeSet<i32>> {
        // Before the question, because a session may be opened during it.
        let open = self.open_sessions();
        let session = match own_session {
            Some(session) => session,
            None => own_session.insert(database::connect(self.url(), self.run_id()).await?),
        };
        let alive: Vec<i32> =
            sqlx::query_scalar("SELECT pid FROM pg_stat_activity WHERE application_name = $1")
                .bind(application_name(self.run_id()))
                .fetch_all(session)
                .await
                .db_context("cannot read the sessions of the run")?;
        let alive = BTreeSet::from_iter(alive);
        // A session that was closed during the question is not missing.
        Ok(open.intersection(&self.open_sessions()).filter(|pid| !alive.contains(pid)).copied().collect())
    }
}

const HINT: &str =
    "check that PostgreSQL runs and the network to it, then run again; the published release is untouched";
