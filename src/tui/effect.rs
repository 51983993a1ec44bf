//! What `update` wants done outside the model. Plain data, so that tests can inspect it.

use uuid::Uuid;

use super::domain::{JobKind, Millis, TunnelTarget};
use super::request::RequestId;

/// Where a tunnel leads.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Route {
    /// To a named endpoint of the target on AWS, through its bastion.
    Named(TunnelTarget),
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

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Effect {
    // Requests: each is answered by a message with the same id.
    LoadComponents {
        id: RequestId,
    },
    LoadActive {
        id: RequestId,
    },
    LoadRuns {
        id: RequestId,
    },
    LoadRunDetails {
        id: RequestId,
        run: Uuid,
    },
    /// The charts are left out if they belong to the load `known_charts`.
    LoadData {
        id: RequestId,
        known_charts: Option<Uuid>,
    },
    LoadRejected {
        id: RequestId,
        run: Uuid,
        dataset: String,
        reason: String,
    },
    LoadReports {
        id: RequestId,
    },
    LoadReport {
        id: RequestId,
        name: String,
    },
    /// Follows the logs from `since`, or those of one run from its first line, and stops following before.
    FollowLogs {
        id: RequestId,
        since: Millis,
        run: Option<Uuid>,
    },

    // Changes of the target.
    BringUp,
    /// Starts jobs one after the other until one fails. `years` limits a load to cases of these years.
    StartJobs {
        kinds: Vec<JobKind>,
        years: Option<String>,
    },
    StopRun {
        run: Uuid,
    },
    OpenTunnel {
        tunnel: u64,
        route: Route,
    },
    CloseTunnel {
        tunnel: u64,
    },

    // On this machine.
    /// Writes `text` to a new file.
    SaveText {
        path: String,
        text: String,
    },
    /// Copies the files of a report to a directory of the same name.
    SaveReport {
        name: String,
    },
    /// Copies `text` to the terminal's clipboard.
    Copy {
        text: String,
    },
    SwitchTarget(SwitchTarget),
    Suspend,
    Redraw,
}
