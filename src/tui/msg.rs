//! Everything that can happen to the screens: what the user does, what time it is, what was answered.

use std::sync::Arc;

use chrono::{DateTime, Utc};
use common::failure::Failure;
use uuid::Uuid;

use super::command::Command;
use super::effect::Ticket;
use super::model::RunDetails;
use super::model::data::{Answer as Data, Rejected};
use super::model::logs::Incoming;
use crate::ops::reports::Report;
use logs::Millis;
use target::Run;
use target::{ActiveRun, Component, JobKind, Location};
use tunnel::Snapshot;

/// Why something went wrong, and what to do about it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Trouble {
    /// What failed, on what, and why.
    pub message: String,
    /// The next thing to do.
    pub hint: Option<String>,
}

/// What a question is answered with.
pub type Answer<T> = Result<T, Trouble>;

/// One thing that happened.
#[derive(Debug, Clone)]
pub enum Msg {
    // ── The user
    /// A key or a word that stands for a command.
    Command(Command),
    /// A change to the text that is being typed.
    Edit(Edit),
    /// A click.
    Click {
        /// Its column, from 0.
        column: u16,
        /// Its row, from 0.
        row: u16,
    },
    /// The mouse's wheel; down is positive.
    Wheel {
        /// By so many lines.
        lines: i32,
    },
    /// The terminal has another size.
    Resize {
        /// Columns.
        width: u16,
        /// Rows.
        height: u16,
    },

    // ── Time
    /// It is this late.
    Tick {
        /// The time.
        now: DateTime<Utc>,
    },

    // ── Answers
    /// The parts, and where they are.
    Parts {
        /// To which question.
        ticket: Ticket,
        /// The answer.
        result: Answer<(Vec<Component>, Location)>,
    },
    /// The runs in progress.
    Active {
        /// To which question.
        ticket: Ticket,
        /// The answer.
        result: Answer<Vec<ActiveRun>>,
    },
    /// The history.
    Runs {
        /// To which question.
        ticket: Ticket,
        /// The answer.
        result: Answer<Vec<Run>>,
    },
    /// A run's checks and tally.
    RunDetails {
        /// To which question.
        ticket: Ticket,
        /// The answer.
        result: Answer<RunDetails>,
    },
    /// The data.
    Data {
        /// To which question.
        ticket: Ticket,
        /// The answer.
        result: Answer<Box<Data>>,
    },
    /// Rejected rows.
    Rejected {
        /// To which question.
        ticket: Ticket,
        /// The answer.
        result: Answer<Vec<Rejected>>,
    },
    /// The list of reports.
    Reports {
        /// To which question.
        ticket: Ticket,
        /// The answer.
        result: Answer<Vec<Report>>,
    },
    /// A report's text.
    Report {
        /// To which question.
        ticket: Ticket,
        /// The answer.
        result: Answer<String>,
    },
    /// Something about the logs.
    Logs {
        /// Which following.
        ticket: Ticket,
        /// What.
        news: LogNews,
    },

    // ── What happens by itself
    /// A step of something long begins; none any more.
    Step {
        /// Its words.
        text: Option<String>,
    },
    /// A run began.
    Started {
        /// Which.
        run: Uuid,
        /// What it does.
        kind: JobKind,
    },
    /// A run that we started ended.
    Ended {
        /// Which.
        run: Uuid,
        /// What it did.
        kind: JobKind,
        /// Its exit code.
        code: u8,
    },
    /// Something was done.
    Done {
        /// In a sentence.
        text: String,
    },
    /// Something was not.
    Failed {
        /// Why.
        trouble: Trouble,
    },
    /// A tunnel says something.
    Tunnel {
        /// Which.
        id: u64,
        /// What.
        news: TunnelNews,
    },
    /// Another target is shown from now on.
    Switched {
        /// Which.
        place: Location,
    },
}

/// A change to the text that is being typed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Edit {
    /// One character more.
    Insert(char),
    /// Text from the clipboard.
    Paste(String),
    /// The last character goes.
    Backspace,
    /// The last word goes.
    Word,
    /// All of it goes.
    Clear,
}

/// What happens to the logs.
#[derive(Debug, Clone)]
pub enum LogNews {
    /// The names of the sources; nothing has been read yet.
    Sources(Vec<String>),
    /// Events, in order.
    Lines(Vec<Incoming>),
    /// What was there in the beginning has been shown.
    CaughtUp,
    /// Something to know.
    Note(String),
    /// Nothing more will come, and why.
    Ended(Option<Trouble>),
}

/// What happens to a tunnel.
#[derive(Debug, Clone)]
pub enum TunnelNews {
    /// It serves: through whom, where, and how to go through it.
    Ready {
        /// Through whom.
        bastion: String,
        /// The local address and port.
        local: String,
        /// A command, or an address for the browser.
        usage: String,
    },
    /// Its numbers.
    Count {
        /// At this time.
        at: Millis,
        /// These.
        snapshot: Snapshot,
    },
    /// Something to know: the bastion went away, is back, a key was pinned.
    Note {
        /// In a sentence.
        text: Arc<str>,
        /// Whether it works at the moment.
        up: bool,
    },
    /// It has ended; with the reason, where nobody wanted that.
    Ended {
        /// Why.
        trouble: Option<Trouble>,
    },
}

impl From<Failure> for Trouble {
    fn from(failure: Failure) -> Self {
        Self { message: failure.to_string(), hint: failure.hint_text().map(str::to_owned) }
    }
}
