//! Commands without arguments, which keys are bound to and the palette lists.

use super::Screen;

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
    /// Starts the jobs of the full pipeline.
    StartAll,
    Stop,
    /// Starts another run of the selected run's job.
    Rerun,
    RunLogs,
    /// Compares the selected run with the last good one before it.
    CompareRun,
    /// Pauses or resumes following the newest log line.
    Follow,
    Search,
    NextMatch,
    PreviousMatch,
    Filter,
    /// Shows only the lines whose fields meet a condition.
    Where,
    NextError,
    PreviousError,
    GoToTime,
    Patterns,
    NextMark,
    PreviousMark,
    CopyJson,
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
    CancelQuery,
    EndSession,
    /// Shows who changed the target's resources lately.
    Changes,
    /// Shows what the account costs.
    Cost,
    CloseTunnel,
    Yes,
    No,
    Submit,
    Complete,
    Toggle,
}

impl Command {
    /// Whether it changes the target, which `--read-only` forbids.
    pub const fn changes_target(self) -> bool {
        matches!(
            self,
            Self::BringUp
                | Self::StartEtl
                | Self::StartReport
                | Self::StartAll
                | Self::Stop
                | Self::Rerun
                | Self::CancelQuery
                | Self::EndSession
        )
    }
}
