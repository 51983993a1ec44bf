//! The state of the screens, and the navigation between them; the commands, messages and effects that `update` turns into each other.
//!
//! Plain data: no terminal, no I/O, no clock. `update` changes it, views read it. The topmost [`Layer`], which decides what a key means,
//! is derived.

mod command;
pub mod data;
pub mod database;
mod effect;
pub mod freshness;
pub mod health;
mod list;
pub mod logs;
mod msg;
pub mod overlay;
mod remote;
pub mod runs;
mod screen;
pub mod tunnels;

use chrono::{DateTime, FixedOffset, Utc};

pub use self::command::Command;
pub use self::effect::{Effect, Request, Route, SwitchTarget};
pub use self::list::{Cursor, Motion};
pub use self::msg::{LogEvent, Msg, TunnelEvent};
pub use self::remote::{Remote, RequestId, Response, UserError};
pub use self::screen::{Layer, Screen};

use self::data::Data;
use self::database::DatabaseView;
use self::health::Health;
use self::logs::Logs;
use self::overlay::{Confirm, Notice, Overlay, Purpose, TextInput};
use self::runs::Runs;
use self::tunnels::Tunnels;
use super::domain::{Component, Location, Report};

#[derive(Debug, Clone, Default)]
pub struct Reports {
    pub list: Remote<Vec<Report>>,
    pub cursor: Cursor,
    /// The name of the open report.
    pub page: Option<String>,
    pub text: Remote<String>,
    pub page_cursor: Cursor,
}

impl Reports {
    /// The name of the open report, or of the selected one.
    pub fn selected(&self) -> Option<&str> {
        let listed = || self.list.items().get(self.cursor.at).map(|report| report.name.as_str());
        self.page.as_deref().or_else(listed)
    }
}

#[derive(Debug, Clone, Default)]
pub struct Overview {
    /// The components of the target, in the order of the pipeline.
    pub components: Remote<Vec<Component>>,
    pub cursor: Cursor,
}

impl Overview {
    pub fn selected(&self) -> Option<&Component> {
        self.components.items().get(self.cursor.at)
    }
}

/// The current step of a long operation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Step {
    pub text: String,
    pub since: DateTime<Utc>,
}

#[derive(Debug, Clone)]
pub struct Model {
    /// Columns and rows of the terminal.
    pub width: u16,
    pub height: u16,
    pub now: DateTime<Utc>,
    /// The time zone of the displayed times.
    pub zone: FixedOffset,
    pub location: Location,
    /// The names of all targets.
    pub targets: Vec<String>,
    pub read_only: bool,
    pub screen: Screen,
    pub overlay: Option<Overlay>,
    pub notice: Option<Notice>,
    pub step: Option<Step>,
    pub overview: Overview,
    pub runs: Runs,
    pub logs: Logs,
    pub data: Data,
    pub reports: Reports,
    pub tunnels: Tunnels,
    pub database: DatabaseView,
    pub health: Health,
    pub quit: bool,
    last_request: u64,
}

impl Model {
    pub fn new(
        location: Location,
        targets: Vec<String>,
        read_only: bool,
        now: DateTime<Utc>,
        zone: FixedOffset,
        (width, height): (u16, u16),
    ) -> Self {
        Self {
            width,
            height,
            now,
            zone,
            location,
            targets,
            read_only,
            screen: Screen::Overview,
            overlay: None,
            notice: None,
            step: None,
            overview: Overview::default(),
            runs: Runs::default(),
            logs: Logs { following: true, window: logs::DEFAULT_WINDOW, ..Logs::default() },
            data: Data::default(),
            reports: Reports::default(),
            tunnels: Tunnels::default(),
            database: DatabaseView::default(),
            health: Health::default(),
            quit: false,
            last_request: 0,
        }
    }

    /// Whether the target is on this machine. Requests to it are cheap, and these screens can bring it up; the other one has stacks
    /// and named endpoints behind a bastion.
    pub fn has_services(&self) -> bool {
        self.location.capabilities.services
    }

    pub fn next_request(&mut self) -> RequestId {
        self.last_request += 1;
        RequestId(self.last_request)
    }

    pub fn layer(&self) -> Layer {
        match &self.overlay {
            Some(Overlay::Help(_) | Overlay::Text { .. }) => Layer::Help,
            Some(Overlay::Confirm(_)) => Layer::Confirm,
            Some(Overlay::Input(_)) => Layer::Input,
            Some(Overlay::Sources(_) | Overlay::Targets(_) | Overlay::Patterns(_)) => Layer::Choice,
            None => self.layer_below(),
        }
    }

    /// The layer below the overlay.
    pub fn layer_below(&self) -> Layer {
        if self.page_is_open() { Layer::Page(self.screen) } else { Layer::Screen(self.screen) }
    }

    /// Whether a page is open on the screen.
    pub fn page_is_open(&self) -> bool {
        match self.screen {
            Screen::Runs => self.runs.page.is_some(),
            Screen::Data => self.data.page.is_some(),
            Screen::Reports => self.reports.page.is_some(),
            Screen::Overview | Screen::Logs | Screen::Tunnels | Screen::Database | Screen::Health => false,
        }
    }

    /// Whether the selection of the screen is visible: nothing but an input is above it.
    pub fn has_focus(&self) -> bool {
        matches!(self.overlay, None | Some(Overlay::Input(_)))
    }

    pub fn show(&mut self, screen: Screen) {
        self.overlay = None;
        self.screen = screen;
    }

    pub fn close_page(&mut self) {
        match self.screen {
            Screen::Runs => self.runs.page = None,
            Screen::Data => self.data.page = None,
            Screen::Reports => self.reports.page = None,
            Screen::Overview | Screen::Logs | Screen::Tunnels | Screen::Database | Screen::Health => {}
        }
    }

    /// Closes the overlay. A cancelled search is forgotten.
    pub fn close_overlay(&mut self) {
        if let Some(Overlay::Input(TextInput { purpose: Purpose::Search, .. })) = self.overlay.take() {
            self.logs.search = None;
        }
    }

    /// Undoes the innermost of: overlay, page, search, filter, notice, screen.
    pub fn go_back(&mut self) {
        let is_logs = self.screen == Screen::Logs;
        if self.overlay.is_some() {
            self.close_overlay();
        } else if self.page_is_open() {
            self.close_page();
        } else if is_logs && self.logs.search.is_some() {
            self.logs.search = None;
        } else if is_logs && self.logs.buffer.filter.pop() {
            self.logs.refilter();
        } else if self.notice.is_some() {
            self.notice = None;
        } else {
            self.screen = Screen::Overview;
        }
    }

    pub fn open_input(&mut self, purpose: Purpose, text: &str) {
        self.overlay = Some(Overlay::Input(TextInput { purpose, input: text.into(), error: None }));
    }

    /// Asks for confirmation of `effects`. The details of the question end with the target.
    pub fn confirm(
        &mut self,
        question: &'static str,
        mut details: Vec<(&'static str, String)>,
        effects: Vec<Effect>,
    ) {
        let Location { target, location, .. } = self.location.clone();
        details.extend([("target", target), ("location", location)]);
        self.overlay = Some(Overlay::Confirm(Confirm { question, details, effects }));
    }

    pub fn notify(&mut self, text: impl Into<String>) {
        self.notice = Some(Notice { text: text.into(), hint: None, is_error: false, since: self.now });
    }

    pub fn notify_error(&mut self, UserError { message, hint }: UserError) {
        self.notice = Some(Notice { text: message, hint, is_error: true, since: self.now });
    }
}
