//! Everything that `update` is notified of: user input, time, responses and events from outside.

use std::sync::Arc;

use chrono::{DateTime, Utc};
use tui_input::InputRequest;
use uuid::Uuid;

use super::action::Command;
use super::domain::{ActiveRun, Component, JobKind, Location, Millis, Report, Run, Snapshot};
use super::model::data::{DataSummary, RejectedRow};
use super::model::logs::ParsedEvent;
use super::model::runs::RunDetails;
use super::request::{RequestId, Response, UserError};

#[derive(Debug, Clone)]
pub enum Msg {
    // User input.
    Command(Command),
    Edit(InputRequest),
    Paste(String),
    /// A click on a cell; both coordinates count from 0.
    Click {
        column: u16,
        row: u16,
    },
    /// The mouse wheel, by this many lines; down is positive.
    Wheel {
        lines: i32,
    },
    Resize {
        width: u16,
        height: u16,
    },

    Tick {
        now: DateTime<Utc>,
    },

    // Responses to requests.
    Components(RequestId, Response<(Vec<Component>, Location)>),
    Active(RequestId, Response<Vec<ActiveRun>>),
    Runs(RequestId, Response<Vec<Run>>),
    RunDetails(RequestId, Response<RunDetails>),
    Data(RequestId, Response<Box<DataSummary>>),
    Rejected(RequestId, Response<Vec<RejectedRow>>),
    Reports(RequestId, Response<Vec<Report>>),
    Report(RequestId, Response<String>),

    // Events.
    Logs(RequestId, LogEvent),
    /// The current step of a long operation; none when it has ended.
    Step {
        text: Option<String>,
    },
    RunStarted {
        run: Uuid,
        kind: JobKind,
    },
    /// A run started from these screens ended with this exit code.
    RunEnded {
        run: Uuid,
        kind: JobKind,
        code: u8,
    },
    Done {
        text: String,
    },
    Failed(UserError),
    Tunnel {
        tunnel: u64,
        event: TunnelEvent,
    },
    TargetSwitched(Location),
}

#[derive(Debug, Clone)]
pub enum LogEvent {
    /// The names of the sources, before their first line.
    Sources(Vec<String>),
    Lines(Vec<ParsedEvent>),
    /// The lines that existed when following began have been sent.
    CaughtUp,
    Status(String),
    /// No more lines will come; with the reason unless the followed run has ended.
    Ended(Option<UserError>),
}

#[derive(Debug, Clone)]
pub enum TunnelEvent {
    /// It accepts connections on `local`; `usage` is a command or a URL.
    Ready {
        bastion: String,
        local: String,
        usage: String,
    },
    Counters {
        at: Millis,
        snapshot: Snapshot,
    },
    Status {
        text: Arc<str>,
        up: bool,
    },
    /// It has ended; with an error unless it was closed on request.
    Ended {
        error: Option<UserError>,
    },
}
