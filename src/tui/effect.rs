//! What the screens want done: the only way in which they reach the outside. Data, so that a test can look at it.

use uuid::Uuid;

use crate::cli::TunnelTarget;
use logs::Millis;
use target::JobKind;

/// The name of a question. An answer that bears another one than the last is stale, and is dropped.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Ticket(pub u64);

/// Where a tunnel leads.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Route {
    /// To what has a name, through the bastion of the target on AWS.
    Named(TunnelTarget),
    /// Anywhere.
    Through {
        /// What leads where: `5432:db.example:5432`.
        forwarding: String,
        /// Through whom: `user@host`.
        bastion: String,
    },
}

/// What is shown from now on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Whither {
    /// Another target.
    Target(String),
    /// The target on AWS, as this profile sees it.
    Profile(String),
    /// The target on AWS, in this region.
    Region(String),
}

/// One thing to do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Effect {
    // ── Questions: each is answered by a message with the same ticket.
    /// The parts of the target and of its pipeline.
    LoadParts {
        /// Its name.
        ticket: Ticket,
    },
    /// The runs in progress.
    LoadActive {
        /// Its name.
        ticket: Ticket,
    },
    /// The history of runs.
    LoadRuns {
        /// Its name.
        ticket: Ticket,
    },
    /// The checks and the tally of one run.
    LoadRunDetails {
        /// Its name.
        ticket: Ticket,
        /// Whose.
        run: Uuid,
    },
    /// What is published, and the charts of it unless they are of this load already.
    LoadData {
        /// Its name.
        ticket: Ticket,
        /// The load whose charts are known.
        known: Option<Uuid>,
    },
    /// Rejected rows of a run.
    LoadRejected {
        /// Its name.
        ticket: Ticket,
        /// Whose.
        run: Uuid,
        /// Of which dataset.
        dataset: String,
        /// Why they were rejected.
        reason: String,
    },
    /// The list of reports.
    LoadReports {
        /// Its name.
        ticket: Ticket,
    },
    /// The text of a report.
    ReadReport {
        /// Its name.
        ticket: Ticket,
        /// Which.
        name: String,
    },

    // ── Logs
    /// Follow the logs from here on; whatever was followed before is left.
    Follow {
        /// Its name.
        ticket: Ticket,
        /// From when on; from the run's first line where there is a run.
        since: Millis,
        /// Only this run.
        run: Option<Uuid>,
    },

    // ── Changes
    /// Bring the target up.
    Up,
    /// Start jobs one after the other; one that fails is the last.
    Start {
        /// Which.
        kinds: Vec<JobKind>,
        /// Of which years a load takes the cases; the usual ones where nobody says.
        years: Option<String>,
    },
    /// Stop a run.
    Stop {
        /// Which.
        run: Uuid,
    },
    /// Open a tunnel.
    OpenTunnel {
        /// The number under which it is shown.
        id: u64,
        /// What leads where, and through whom.
        route: Route,
    },
    /// Close it.
    CloseTunnel {
        /// Which.
        id: u64,
    },

    // ── This machine
    /// Write text into a new file.
    Save {
        /// Its name.
        path: String,
        /// What.
        text: String,
    },
    /// Copy the files of a report into a folder of its name.
    SaveReport {
        /// Which.
        name: String,
    },
    /// Give text to the terminal's clipboard.
    Copy {
        /// What.
        text: String,
    },
    /// Show another target.
    Switch {
        /// Which.
        to: Whither,
    },
    /// Give the terminal back to the shell until it wants us again.
    Suspend,
    /// Draw everything anew, because something else wrote to the terminal.
    Redraw,
}
