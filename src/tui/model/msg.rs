//! Messages to `update`: user input, time, responses and events from outside.

use std::sync::Arc;

use chrono::{DateTime, Utc};
use tui_input::InputRequest;
use uuid::Uuid;

use super::data::{DataSummary, RejectedRow};
use super::health::Measurements;
use super::logs::ParsedEvent;
use super::runs::RunDetails;
use super::{Command, RequestId, Response, UserError};
use crate::tui::domain::{
    ActiveRun, Activity, Check, Component, Location, Millis, MonthCost, PatternChange, Report,
    ResourceHistory, Run, ServiceStatus, Snapshot,
};

#[derive(Debug, Clone)]
pub enum Msg {
    // User input. The coordinates of a click count from 0; down is positive for the wheel.
    Command(Command),
    Edit(InputRequest),
    Paste(String),
    Click { column: u16, row: u16 },
    Wheel { lines: i32 },
    Resize { width: u16, height: u16 },

    Tick { now: DateTime<Utc> },

    // Responses to requests.
    Components(RequestId, Response<(Vec<Component>, Location)>),
    Active(RequestId, Response<Vec<ActiveRun>>),
    Runs(RequestId, Response<Vec<Run>>),
    RunDetails(RequestId, Response<RunDetails>),
    Comparison(RequestId, Response<Vec<PatternChange>>),
    Data(RequestId, Response<Box<DataSummary>>),
    Rejected(RequestId, Response<Vec<RejectedRow>>),
    Reports(RequestId, Response<Vec<Report>>),
    Report(RequestId, Response<String>),
    Activity(RequestId, Response<Box<Activity>>),
    Checks(RequestId, Response<Vec<Check>>),
    Metrics(RequestId, Response<Measurements>),
    Changes(RequestId, Response<ResourceHistory>),
    Cost(RequestId, Response<MonthCost>),
    Tunnels(RequestId, Response<Vec<ServiceStatus>>),

    // Events. `RunStarted` is a run that these screens started. `Step` is the current step of a long operation, none when it has ended. `Done` and `Failed` are results of changes.
    Logs(RequestId, LogEvent),
    RunStarted(Uuid),
    Step(Option<String>),
    Done(String),
    Failed(UserError),
    Tunnel(u64, TunnelEvent),
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

/// `Ready` accepts connections on `local`; `usage` is a command or a URL. `Ended` has an error unless the tunnel was closed on request.
#[derive(Debug, Clone)]
pub enum TunnelEvent {
    Ready { bastion: String, local: String, usage: String },
    Counters { at: Millis, snapshot: Snapshot },
    Status { text: Arc<str>, up: bool },
    Ended(Option<UserError>),
}
