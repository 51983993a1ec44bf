//! Commands and actions: what keys, the mouse, the palette and text inputs ask `update` to do.

use regex::Regex;
use uuid::Uuid;

use super::effect::{Route, SwitchTarget};
use super::screen::Screen;

/// What `update` dispatches.
#[derive(Debug, Clone)]
pub enum Action {
    Command(Command),
    /// A command that belongs to a screen, which is shown first.
    CommandOn(Screen, Command),
    SwitchTarget(SwitchTarget),
    SearchLogs(Option<Regex>),
    FilterLogs(Option<Regex>),
    /// Sets how far back the logs go: an index into the log windows.
    SetLogWindow(usize),
    /// Follows the logs of one run, or of all.
    FollowRun(Option<Uuid>),
    SaveLogs {
        path: String,
    },
    OpenTunnel(Route),
}

/// A command without arguments, which a key can be bound to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Command {
    Show(Screen),
    NextScreen,
    PreviousScreen,
    Quit,
    /// Closes the open page; from the top level of a screen, quits.
    Close,
    Back,
    Help,
    Palette,
    Targets,
    Refresh,
    Suspend,
    Redraw,
    Up,
    Down,
    PageUp,
    PageDown,
    Top,
    Bottom,
    Open,
    Copy,
    BringUp,
    StartEtl,
    StartReport,
    StartPipeline,
    Stop,
    /// Starts another run of the selected run's job.
    Rerun,
    RunLogs,
    /// Pauses or resumes following the newest log line.
    Follow,
    Search,
    NextMatch,
    PreviousMatch,
    Filter,
    Sources,
    Wrap,
    Timestamps,
    Fold,
    Mark,
    ShortenWindow,
    ExtendWindow,
    Clear,
    Save,
    OpenTunnel,
    CloseTunnel,
    Yes,
    No,
    Submit,
    Complete,
    Toggle,
}

impl Command {
    /// The command's words in the palette.
    pub const fn words(self) -> Option<&'static str> {
        Some(match self {
            Self::Show(Screen::Overview) => "overview",
            Self::Show(Screen::Runs) => "runs",
            Self::Show(Screen::Logs) => "logs",
            Self::Show(Screen::Data) => "data",
            Self::Show(Screen::Reports) => "reports",
            Self::Show(Screen::Tunnels) => "tunnels",
            Self::Quit => "quit",
            Self::Help => "help",
            Self::Targets => "targets",
            Self::Refresh => "refresh",
            Self::BringUp => "up",
            Self::StartEtl => "run etl",
            Self::StartReport => "run report",
            Self::StartPipeline => "run pipeline",
            Self::Stop => "stop",
            Self::Rerun => "again",
            Self::RunLogs => "run logs",
            Self::Follow => "follow",
            Self::Search => "search",
            Self::Filter => "filter",
            Self::Sources => "sources",
            Self::Wrap => "wrap",
            Self::Timestamps => "times",
            Self::Fold => "fold",
            Self::Mark => "mark",
            Self::Clear => "clear",
            Self::Save => "save",
            Self::Copy => "copy",
            Self::OpenTunnel => "tunnel",
            Self::CloseTunnel => "close tunnel",
            _ => return None,
        })
    }

    /// The only screen that the command applies to.
    pub const fn screen(self) -> Option<Screen> {
        Some(match self {
            Self::Follow
            | Self::Search
            | Self::Filter
            | Self::Sources
            | Self::Wrap
            | Self::Timestamps
            | Self::Fold
            | Self::Mark
            | Self::Clear => Screen::Logs,
            Self::Stop | Self::Rerun | Self::RunLogs => Screen::Runs,
            Self::OpenTunnel | Self::CloseTunnel => Screen::Tunnels,
            _ => return None,
        })
    }

    /// Whether it changes the target, which `--read-only` forbids.
    pub const fn changes_target(self) -> bool {
        matches!(
            self,
            Self::BringUp
                | Self::StartEtl
                | Self::StartReport
                | Self::StartPipeline
                | Self::Stop
                | Self::Rerun
        )
    }
}
