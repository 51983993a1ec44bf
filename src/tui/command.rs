//! What a user can want, one word each. Keys, the palette and the help are three ways to the same list.

use super::model::Screen;

/// A command without arguments.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Command {
    /// Show a screen.
    Go(Screen),
    /// The screen to the right.
    NextScreen,
    /// The screen to the left.
    PreviousScreen,
    /// Leave.
    Quit,
    /// Leave whatever is open; on a top screen, leave.
    Close,
    /// Back to where one came from.
    Back,
    /// Show the keys.
    Help,
    /// Type a command.
    Palette,
    /// Choose another target.
    Targets,
    /// Ask everything again.
    Refresh,
    /// Give the terminal back for a while.
    Suspend,
    /// Draw everything anew.
    Redraw,
    /// One line up.
    Up,
    /// One line down.
    Down,
    /// A page up.
    PageUp,
    /// A page down.
    PageDown,
    /// To the beginning.
    Top,
    /// To the end.
    Bottom,
    /// Open what is selected.
    Open,
    /// Copy what is selected.
    Copy,
    /// Bring the target up.
    BringUp,
    /// Load the datasets.
    StartEtl,
    /// Write a report.
    StartReport,
    /// Both.
    StartPipeline,
    /// Stop the selected run.
    Stop,
    /// Start another run of the selected one's kind.
    Again,
    /// The log of the selected run.
    RunLogs,
    /// Keep to the newest line, or stay.
    Follow,
    /// Type what to look for.
    Search,
    /// The next match.
    Next,
    /// The match before.
    Previous,
    /// Type what lines must match.
    Filter,
    /// Choose the sources.
    Sources,
    /// Break long lines.
    Wrap,
    /// Times: of day, whole, none.
    Stamps,
    /// Unfold traces, or fold them.
    Fold,
    /// Draw a line here.
    Mark,
    /// Look less far back.
    Shorter,
    /// Look further back.
    Longer,
    /// Forget the lines that are shown.
    Clear,
    /// Write it into a file.
    Save,
    /// Open a tunnel.
    OpenTunnel,
    /// Close the selected tunnel.
    CloseTunnel,
    /// Answer a question with yes.
    Yes,
    /// Answer it with no.
    No,
    /// End the typing; what was typed holds.
    Submit,
    /// Complete the word that is being typed.
    Complete,
    /// Choose, or choose no longer.
    Toggle,
}

impl Command {
    /// The word in the palette, for those that make sense there.
    pub const fn word(self) -> Option<&'static str> {
        Some(match self {
            Self::Go(screen) => screen.word(),
            Self::Quit => "quit",
            Self::Help => "help",
            Self::Targets => "targets",
            Self::Refresh => "refresh",
            Self::BringUp => "up",
            Self::StartEtl => "run etl",
            Self::StartReport => "run report",
            Self::StartPipeline => "run pipeline",
            Self::Stop => "stop",
            Self::Again => "again",
            Self::RunLogs => "run logs",
            Self::Follow => "follow",
            Self::Search => "search",
            Self::Filter => "filter",
            Self::Sources => "sources",
            Self::Wrap => "wrap",
            Self::Stamps => "times",
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

    /// Whether it would change something, and is forbidden by `--read-only`.
    pub const fn changes(self) -> bool {
        matches!(
            self,
            Self::BringUp
                | Self::StartEtl
                | Self::StartReport
                | Self::StartPipeline
                | Self::Stop
                | Self::Again
        )
    }
}
