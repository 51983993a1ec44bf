//! The state of the Runs screen.

use std::borrow::Cow;

use chrono::{DateTime, Utc};
use uuid::Uuid;

use super::{Cursor, Remote};
use crate::tui::domain::{ActiveRun, Issue, PatternChange, Run, RunCheck};

/// What the database has about a run beside its record.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct RunDetails {
    pub checks: Vec<RunCheck>,
    pub issues: Vec<Issue>,
}

#[derive(Debug, Clone, Default)]
pub struct Runs {
    pub history: Remote<Vec<Run>>,
    pub active: Remote<Vec<ActiveRun>>,
    /// Runs that were asked to stop and have not ended.
    pub stopping: Vec<Uuid>,
    /// Runs whose end gives a notice: those that were active, and those that were started here.
    pub awaited: Vec<Uuid>,
    /// Runs whose end has given a notice; an answer that was under way may still list one as active.
    pub noticed: Vec<Uuid>,
    pub cursor: Cursor,
    /// The run whose details are open.
    pub page: Option<Uuid>,
    pub details: Remote<RunDetails>,
    /// The runs that are compared, the earlier one first, and what the second one logged differently.
    pub compared: Option<(Uuid, Uuid)>,
    pub comparison: Remote<Vec<PatternChange>>,
    pub page_cursor: Cursor,
}

impl Runs {
    /// Gives a notice when a run has ended.
    pub fn wait_for(&mut self, run: Uuid) {
        if !self.awaited.contains(&run) && !self.noticed.contains(&run) {
            self.awaited.push(run);
        }
    }

    /// Active runs that the history does not have yet, then the history.
    pub fn rows(&self) -> Vec<RunRow<'_>> {
        let history = self.history.items();
        let is_new = |active: &&ActiveRun| history.iter().all(|run| run.run_id != active.run);
        let new = self.active.items().iter().rev().filter(is_new).map(|active| RunRow {
            id: active.run,
            kind: active.kind.to_string().into(),
            started_at: active.started_at,
            record: None,
        });
        let recorded = history.iter().map(|run| RunRow {
            id: run.run_id,
            kind: run.kind.as_str().into(),
            started_at: run.started_at,
            record: Some(run),
        });
        new.chain(recorded).collect()
    }

    pub fn row(&self, run: Uuid) -> Option<RunRow<'_>> {
        self.rows().into_iter().find(|row| row.id == run)
    }

    /// The run of the open page, or the selected one.
    pub fn selected(&self) -> Option<Uuid> {
        self.page.or_else(|| self.rows().get(self.cursor.at).map(|row| row.id))
    }

    /// The last successful run of the same kind before a run.
    pub fn last_good_before(&self, run: Uuid) -> Option<&Run> {
        let history = self.history.items();
        let this = history.iter().find(|other| other.run_id == run)?;
        let before = history.iter().filter(|other| {
            other.kind == this.kind && other.status == "succeeded" && other.started_at < this.started_at
        });
        before.max_by_key(|other| other.started_at)
    }

    pub fn is_active(&self, run: Uuid) -> bool {
        self.active.items().iter().any(|active| active.run == run)
    }

    pub fn checks(&self) -> &[RunCheck] {
        self.details.value.as_ref().map_or(&[], |details| &details.checks)
    }

    pub fn issues(&self) -> &[Issue] {
        self.details.value.as_ref().map_or(&[], |details| &details.issues)
    }
}

/// A row in the list of runs.
#[derive(Debug, Clone)]
pub struct RunRow<'a> {
    pub id: Uuid,
    pub kind: Cow<'a, str>,
    pub started_at: DateTime<Utc>,
    /// None for an active run that the history does not have yet.
    pub record: Option<&'a Run>,
}
