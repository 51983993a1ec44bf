//! Stops a run in a stage of its work, by a lock that the test holds and the run must have: nothing in the run knows of it.

use sqlx::PgConnection;

use crate::place::{Place, execute};
use crate::run::Run;
use crate::watch::{until, waits_in};

/// Where a run can be stopped.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Stage {
    /// In the middle of the COPY into the table of the new release.
    Copying,
    /// The cases are committed, the COPY of rejected rows is not.
    KeepingRejects,
    /// In the middle of writing the counts, while keys are added.
    Counting,
    /// The keys are added; the new release is about to be attached.
    Attaching,
    /// Everything is ready; a lock on the pointer is in the way.
    Publishing,
    /// The new release is published; a reader is in the way of dropping the old one.
    Retiring,
}

/// A closed gate. Dropped, it is open.
pub(crate) struct Gate {
    stage: Stage,
    /// Holds the lock.
    _keeper: PgConnection,
    watcher: PgConnection,
}

/// A trigger function that waits at a gate, and for the table of the new release, which does not exist yet, an event trigger that puts
/// it there.
const GATES: &str = "
    CREATE FUNCTION wait_at_gate() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
        PERFORM pg_advisory_lock_shared(1), pg_advisory_unlock_shared(1);
        RETURN new;
    END $$;
    CREATE FUNCTION build_gate() RETURNS event_trigger LANGUAGE plpgsql AS $$
    DECLARE
        made regclass := (SELECT objid FROM pg_event_trigger_ddl_commands() WHERE object_identity LIKE 'public.release\\_case\\_%' AND object_type = 'table');
    BEGIN
        IF made IS NOT NULL THEN
            EXECUTE format('CREATE TRIGGER gate BEFORE INSERT ON %s
                FOR EACH ROW WHEN (new.case_id %% 100 = 0) EXECUTE FUNCTION wait_at_gate()', made);
        END IF;
    END $$;";

const GATE_IN_COPY: &str = "CREATE EVENT TRIGGER gate ON ddl_command_end WHEN TAG IN ('CREATE TABLE') EXECUTE FUNCTION build_gate();";

/// The gate of a table that is there already.
fn gate_in(table: &str) -> String {
    format!("CREATE TRIGGER gate BEFORE INSERT ON {table} FOR EACH ROW EXECUTE FUNCTION wait_at_gate();")
}

impl Gate {
    /// Closes the gate of a stage, in a database that has its tables. One for each database.
    pub(crate) async fn close(place: &Place, stage: Stage) -> Self {
        let (mut keeper, watcher) = (place.connect().await, place.connect().await);
        let close = match stage {
            Stage::Copying => format!("{GATES} {GATE_IN_COPY} SELECT pg_advisory_lock(1)"),
            Stage::KeepingRejects => {
                format!("{GATES} {} SELECT pg_advisory_lock(1)", gate_in("rejected_row"))
            }
            Stage::Counting => format!("{GATES} {} SELECT pg_advisory_lock(1)", gate_in("case_count")),
            // Not in the way of writers or readers, but of a new partition.
            Stage::Attaching => "BEGIN; LOCK TABLE release_case IN SHARE UPDATE EXCLUSIVE MODE".to_owned(),
            Stage::Publishing => "BEGIN; SELECT FROM published_release FOR UPDATE".to_owned(),
            Stage::Retiring => "BEGIN; SELECT count(*) FROM province".to_owned(),
        };
        execute(&mut keeper, &close).await;
        Self { stage, _keeper: keeper, watcher }
    }

    /// Waits until the run stands at the gate.
    pub(crate) async fn reached_by(&mut self, run: &Run) {
        let statement = match self.stage {
            Stage::Copying => "COPY public.release_case_",
            Stage::KeepingRejects => "COPY public.rejected_row",
            Stage::Counting => "COPY public.case_count",
            Stage::Attaching => "ALTER TABLE public.release_case ATTACH",
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
        sqlx::query_scalar("SELECT to_regclass('release_case_' || (SELECT max(release_id) FROM release)) IS NOT NULL")
            .fetch_one(&mut self.watcher)
            .await
            .unwrap()
    }
}
