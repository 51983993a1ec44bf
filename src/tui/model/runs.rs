//! The state of the Runs screen.

use chrono::{DateTime, Utc};
use uuid::Uuid;

use super::list::Cursor;
use super::remote::Remote;
use crate::tui::domain::{ActiveRun, Issue, Run, RunCheck};

/// What the database has about a run beside its record.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct RunDetails {
    pub checks: Vec<RunCheck>,
    pub issues: Vec<Issue>,
}

#[derive(Debug, Clone)]
pub struct RunPage {
    pub run: Uuid,
    pub details: Remote<RunDetails>,
    pub cursor: Cursor,
}

impl RunPage {
    pub fn checks(&self) -> &[RunCheck] {
        self.details.value.as_ref().map_or(&[], |details| &details.checks)
    }

    pub fn issues(&self) -> &[Issue] {
        self.details.value.as_ref().map_or(&[], |details| &details.issues)
    }
}

#[derive(Debug, Clone, Default)]
pub struct Runs {
    pub history: Remote<Vec<Run>>,
    pub active: Remote<Vec<ActiveRun>>,
    /// Runs that were asked to stop and have not ended.
    pub stopping: Vec<Uuid>,
    pub cursor: Cursor,
    pub page: Option<RunPage>,
}

impl Runs {
    /// Active runs that the history does not have yet, then the history.
    pub fn rows(&self) -> Vec<RunRow<'_>> {
        let history = self.history.items();
        let is_new = |active: &&ActiveRun| history.iter().all(|run| run.run_id != active.run);
        let new = self.active.items().iter().rev().filter(is_new);
        new.map(RunRow::Active).chain(history.iter().map(RunRow::Recorded)).collect()
    }

    pub fn row(&self, run: Uuid) -> Option<RunRow<'_>> {
        self.rows().into_iter().find(|row| row.id() == run)
    }

    /// The run of the open page, or the selected one.
    pub fn selected(&self) -> Option<Uuid> {
        match &self.page {
            Some(page) => Some(page.run),
            None => self.rows().get(self.cursor.at).map(RunRow::id),
        }
    }

    pub fn is_active(&self, run: Uuid) -> bool {
        self.active.items().iter().any(|active| active.run == run)
    }
}

/// A row in the list of runs.
#[derive(Debug, Clone, Copy)]
pub enum RunRow<'a> {
    /// Active, and not in the history yet.
    Active(&'a ActiveRun),
    Recorded(&'a Run),
}

impl<'a> RunRow<'a> {
    pub fn id(&self) -> Uuid {
        match self {
            Self::Active(active) => active.run,
            Self::Recorded(run) => run.run_id,
        }
    }

    pub fn kind(&self) -> String {
        match self {
            Self::Active(active) => active.kind.to_string(),
            Self::Recorded(run) => run.kind.clone(),
        }
    }

    pub fn started_at(&self) -> DateTime<Utc> {
        match self {
            Self::Active(active) => active.started_at,
            Self::Recorded(run) => run.started_at,
        }
    }

    pub fn record(&self) -> Option<&'a Run> {
        match self {
            Self::Active(_) => None,
            Self::Recorded(run) => Some(run),
        }
    }
}
