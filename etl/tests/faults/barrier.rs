//! Stops a run in a stage by a lock that the test holds and the run needs, without code for it in the run.

use sqlx::PgConnection;

use crate::fixture::{Fixture, execute};
use crate::run::Run;
use crate::watch::{until, waits_in};

/// A stage in which a run can be stopped.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Stage {
    /// During the COPY into the table of the new release.
    Copying,
    /// The cases are committed, the COPY of rejected rows is not.
    KeepingRejects,
    /// While aggregates are written and keys are added.
    Counting,
    /// Foreign keys are being added to the new release.
    AddingKeys,
    /// Before the publication, which needs a lock on the pointer.
    Publishing,
    /// The new release is published; a reader blocks dropping the old one.
    Retiring,
}

/// A closed barrier, which opens when dropped.
pub(crate) struct Barrier {
    stage: Stage,
    /// Holds the lock.
    _keeper: PgConnection,
    watcher: PgConnection,
}

/// A trigger function that waits at a barrier.
const GATE: &str = "
    CREATE FUNCTION wait_at_gate() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
        PERFORM pg_advisory_lock_shared(1), pg_advisory_unlock_shared(1);
        RETURN new;
    END $$;";

/// Closes the barrier in a table, for these rows.
fn gate_in(table: &str, rows: &str) -> String {
    format!(
        "{GATE} CREATE TRIGGER gate BEFORE INSERT ON {table} FOR EACH ROW {rows} EXECUTE FUNCTION wait_at_gate();
         SELECT pg_advisory_lock(1)"
    )
}

impl Barrier {
    /// Closes the barrier of a stage in a migrated database, at most one per database.
    pub(crate) async fn close(fixture: &Fixture, stage: Stage) -> Self {
        let (mut reaper, watcher) = (fixture.connect().await, fixture.connect().await);
        let next: i32 = sqlx::query_scalar("SELECT min(release_id) FROM release WHERE run_id IS NULL")
            .fetch_one(&mut reaper)
            .await
            .unwrap();
        let close = match stage {
            Stage::Copying => gate_in(&format!("release_case_{next}"), "WHEN (new.case_id % 100 = 0)"),
            Stage::KeepingRejects => gate_in("rejected_row", ""),
            Stage::Counting => gate_in("case_count", ""),
            // Not in the way of other writers or of readers, but of a new foreign key.
            Stage::AddingKeys => format!("BEGIN; LOCK TABLE release_province_{next} IN ROW EXCLUSIVE MODE"),
            Stage::Publishing => "BEGIN; SELECT FROM published_release FOR UPDATE".to_owned(),
            Stage::Retiring => "BEGIN; SELECT count(*) FROM province".to_owned(),
        };
        execute(&mut reaper, &close).await;
        Self { stage, _keeper: reaper, watcher }
    }

    /// Waits until the run is blocked by the barrier.
    pub(crate) async fn reached_by(&mut self, run: &Run) {
        let statement = match self.stage {
            Stage::Copying => "COPY public.release_case_",
            Stage::KeepingRejects => "COPY public.rejected_row",
            Stage::Counting => "COPY public.case_count",
            Stage::AddingKeys => "ALTER TABLE public.release_case_",
            Stage::Publishing => "INSERT INTO published_release",
            Stage::Retiring => "ALTER TABLE release_case_",
        };
        let stage = self.stage;
        until(&format!("the run is in the stage {stage:?}; it said:\n{}", run.said()), async || {
            let at_gate = waits_in(&mut self.watcher, run, statement).await;
            at_gate && (stage != Stage::KeepingRejects || self.cases_are_committed().await)
        })
        .await;
    }

    async fn cases_are_committed(&mut self) -> bool {
        sqlx::query_scalar("SELECT EXISTS (SELECT FROM release_case WHERE release_id = (SELECT max(release_id) FROM release WHERE run_id IS NOT NULL))")
            .fetch_one(&mut self.watcher)
            .await
            .unwrap()
    }
}
