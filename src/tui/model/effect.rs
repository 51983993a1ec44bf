//! Effects of `update` outside the model. Plain data, so that tests can inspect it.

use uuid::Uuid;

use super::RequestId;
use super::tunnels::TunnelProcess;
use crate::tui::domain::{JobKind, Millis};

/// The endpoint of a tunnel, and the way to it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Route {
    /// To a named endpoint of the target on AWS, through its bastion.
    Named(String),
    /// `forwarding` as in `5432:db.example:5432`, through `bastion` as in `user@host`.
    Through { forwarding: String, bastion: String },
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SwitchTarget {
    Target(String),
    /// To the target on AWS, with this profile.
    Profile(String),
    /// To the target on AWS, in this region.
    Region(String),
}

/// A request to the target. The response to `Data` leaves the charts out if they belong to the load `known_charts`. `Logs` follows the
/// logs from `since`, or those of one run from its first line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Request {
    Components,
    Active,
    Runs,
    RunDetails(Uuid),
    /// Compares what two runs logged.
    CompareRuns {
        before: Uuid,
        after: Uuid,
    },
    Data {
        known_charts: Option<Uuid>,
    },
    Rejected {
        run: Uuid,
        dataset: String,
        reason: String,
    },
    Reports,
    Report(String),
    Activity,
    Checks,
    Metrics,
    Changes,
    Cost,
    /// The tunnels in the background.
    Tunnels,
    Logs {
        since: Millis,
        run: Option<Uuid>,
    },
}

/// `StartJobs` starts jobs one after the other until one fails; `years` limits a load to cases of these years. `SaveReport` copies the
/// files of a report to a directory of the same name, `Copy` a text to the terminal's clipboard.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Effect {
    // Answered by messages with the same id; aborts a pending request of the same kind.
    Request(RequestId, Request),

    // Changes of the target.
    BringUp,
    StartJobs {
        kinds: Vec<JobKind>,
        years: Option<String>,
    },
    StopRun(Uuid),
    /// Cancels the query of a session, or ends the session.
    EndSession {
        pid: i32,
        began_at: i64,
        terminate: bool,
    },
    OpenTunnel {
        tunnel: u64,
        route: Route,
    },
    CloseTunnel(u64),
    StopTunnelProcess(TunnelProcess),

    // On this machine.
    SaveText {
        path: String,
        text: String,
    },
    SaveReport(String),
    Copy(String),
    /// A notice outside the screens; its text has no text from a log.
    Notify(String),
    SwitchTarget(SwitchTarget),
    Suspend,
    Redraw,
}
