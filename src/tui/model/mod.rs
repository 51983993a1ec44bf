//! All that the screens know. Plain data: no terminal, no target, no clock.
//!
//! [`update`](mod@super::update) is the only part that changes it, views only read it. What is on top, and so what keys mean, is
//! never stored: [`Model::layer`] derives it.

pub mod data;
pub mod freshness;
pub mod list;
pub mod logs;
mod overlay;
pub mod remote;
mod screen;
pub mod tunnels;

use chrono::{DateTime, FixedOffset, Utc};
use uuid::Uuid;

use self::data::Data;
use self::list::Cursor;
use self::logs::Logs;
pub use self::overlay::{Confirm, Input, Notice, Overlay, Purpose};
use self::remote::Remote;
pub use self::screen::Screen;
use self::tunnels::Tunnels;
use super::effect::Ticket;
use super::keys::Layer;
use super::msg::Trouble;
use crate::db::checks::RunCheck;
use crate::db::runs::Issue;
use crate::ops::reports::Report;
use target::Run;
use target::{ActiveRun, Component, Location};

/// A run, opened.
#[derive(Debug, Clone)]
pub struct RunPage {
    /// Which.
    pub run: Uuid,
    /// Its checks and its tally.
    pub details: Remote<RunDetails>,
    /// How far one has scrolled.
    pub cursor: Cursor,
}

/// What the database knows of a run beside its summary.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct RunDetails {
    /// What the publish gate found.
    pub checks: Vec<RunCheck>,
    /// Its tally.
    pub issues: Vec<Issue>,
}

/// The Runs screen.
#[derive(Debug, Clone, Default)]
pub struct Runs {
    /// The history.
    pub history: Remote<Vec<Run>>,
    /// Where one is.
    pub cursor: Cursor,
    /// What is opened.
    pub page: Option<RunPage>,
}

/// A report, opened.
#[derive(Debug, Clone)]
pub struct ReportPage {
    /// Which.
    pub name: String,
    /// It.
    pub text: Remote<String>,
    /// How far one has scrolled.
    pub cursor: Cursor,
}

/// The Reports screen.
#[derive(Debug, Clone, Default)]
pub struct Reports {
    /// The list.
    pub list: Remote<Vec<Report>>,
    /// Where one is.
    pub cursor: Cursor,
    /// What is opened.
    pub page: Option<ReportPage>,
}

/// The Overview.
#[derive(Debug, Clone, Default)]
pub struct Overview {
    /// The parts of the target and of its pipeline, in the pipeline's order.
    pub parts: Remote<Vec<Component>>,
    /// Where one is.
    pub cursor: Cursor,
}

/// Something long that goes on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Step {
    /// In words.
    pub text: String,
    /// Since when.
    pub since: DateTime<Utc>,
}

/// All of it.
#[derive(Debug, Clone)]
pub struct Model {
    /// Columns of the terminal.
    pub width: u16,
    /// Rows of the terminal.
    pub height: u16,
    /// How late it is.
    pub now: DateTime<Utc>,
    /// The zone of the times that are shown.
    pub zone: FixedOffset,
    /// Where the pipeline lives.
    pub place: Location,
    /// The targets that there are.
    pub targets: Vec<String>,
    /// Whether changes are forbidden.
    pub read_only: bool,
    /// The screen that is shown.
    pub screen: Screen,
    /// What stands above it.
    pub overlay: Option<Overlay>,
    /// What just happened.
    pub notice: Option<Notice>,
    /// Something long that goes on.
    pub step: Option<Step>,
    /// The Overview.
    pub overview: Overview,
    /// The runs in progress.
    pub active: Remote<Vec<ActiveRun>>,
    /// Runs that were asked to end.
    pub stopping: Vec<Uuid>,
    /// The Runs screen.
    pub runs: Runs,
    /// The Logs screen.
    pub logs: Logs,
    /// The Data screen.
    pub data: Data,
    /// The Reports screen.
    pub reports: Reports,
    /// The Tunnels screen.
    pub tunnels: Tunnels,
    /// Whether it is over.
    pub quit: bool,
    tickets: u64,
}

impl Model {
    /// Nothing is known yet but where we are.
    pub fn new(
        place: Location,
        read_only: bool,
        now: DateTime<Utc>,
        zone: FixedOffset,
        size: (u16, u16),
    ) -> Self {
        Self {
            width: size.0,
            height: size.1,
            now,
            zone,
            place,
            targets: vec!["local".to_owned(), "aws".to_owned()],
            read_only,
            screen: Screen::Overview,
            overlay: None,
            notice: None,
            step: None,
            overview: Overview::default(),
            active: Remote::default(),
            stopping: Vec::new(),
            runs: Runs::default(),
            logs: Logs::default(),
            data: Data::default(),
            reports: Reports::default(),
            tunnels: Tunnels::default(),
            quit: false,
            tickets: 0,
        }
    }

    /// A name for a question that no question had before.
    pub fn ticket(&mut self) -> Ticket {
        self.tickets += 1;
        Ticket(self.tickets)
    }

    /// What is on top.
    pub fn layer(&self) -> Layer {
        match &self.overlay {
            Some(Overlay::Help { .. } | Overlay::Text { .. }) => Layer::Help,
            Some(Overlay::Confirm(_)) => Layer::Confirm,
            Some(Overlay::Input(_)) => Layer::Input,
            Some(Overlay::Sources { .. } | Overlay::Targets { .. }) => Layer::Choice,
            None if self.page_is_open() => Layer::Page(self.screen),
            None => Layer::Screen(self.screen),
        }
    }

    /// Whether something was opened from the screen.
    pub fn page_is_open(&self) -> bool {
        match self.screen {
            Screen::Runs => self.runs.page.is_some(),
            Screen::Data => self.data.page.is_some(),
            Screen::Reports => self.reports.page.is_some(),
            Screen::Overview | Screen::Logs | Screen::Tunnels => false,
        }
    }

    /// Rows between header and footer.
    pub fn body(&self) -> usize {
        usize::from(self.height).saturating_sub(4).max(1)
    }

    /// Rows of a list or a text in the body: a heading and its line are above it.
    pub fn page(&self) -> usize {
        self.body().saturating_sub(2).max(1)
    }

    /// Says something.
    pub fn say(&mut self, text: impl Into<String>) {
        self.notice = Some(Notice { text: text.into(), hint: None, bad: false, since: self.now });
    }

    /// Says that something went wrong.
    pub fn complain(&mut self, trouble: Trouble) {
        let Trouble { message, hint } = trouble;
        self.notice = Some(Notice { text: message, hint, bad: true, since: self.now });
    }

    /// The selected run: in progress or not.
    pub fn selected_run(&self) -> Option<Uuid> {
        if let Some(page) = &self.runs.page {
            return Some(page.run);
        }
        self.run_rows().get(self.runs.cursor.at).map(RunRow::run)
    }

    /// The runs as they are listed: those in progress that the history does not have yet, then the history.
    pub fn run_rows(&self) -> Vec<RunRow<'_>> {
        let history = self.runs.history.last.as_deref().unwrap_or_default();
        let active = self.active.last.as_deref().unwrap_or_default();
        let only_active =
            active.iter().rev().filter(|active| history.iter().all(|run| run.run_id != active.run));
        only_active.map(RunRow::Active).chain(history.iter().map(RunRow::Known)).collect()
    }

    /// Whether a run is in progress, as far as we know.
    pub fn is_active(&self, run: Uuid) -> bool {
        self.active.last.iter().flatten().any(|active| active.run == run)
    }
}

/// A row of the list of runs.
#[derive(Debug, Clone, Copy)]
pub enum RunRow<'a> {
    /// In progress, and not in the database yet.
    Active(&'a ActiveRun),
    /// In the database.
    Known(&'a Run),
}

impl RunRow<'_> {
    /// Its id.
    pub fn run(&self) -> Uuid {
        match self {
            Self::Active(active) => active.run,
            Self::Known(run) => run.run_id,
        }
    }

    /// What it does.
    pub fn kind(&self) -> String {
        match self {
            Self::Active(active) => active.kind.to_string(),
            Self::Known(run) => run.kind.clone(),
        }
    }
}
