//! What stands above a screen for a while: something to type, to choose, to answer or to read. It decides nothing.

use chrono::{DateTime, Utc};

use crate::tui::effect::Effect;

/// What is typed, and what for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Input {
    /// What for.
    pub purpose: Purpose,
    /// So far.
    pub text: String,
    /// Why it will not do.
    pub error: Option<String>,
}

/// What a line of text is typed for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Purpose {
    /// A command.
    Palette,
    /// What to look for in the logs.
    Search,
    /// What lines must match.
    Filter,
    /// What leads where, and through whom.
    Tunnel,
    /// The name of a file.
    SaveLogs,
}

/// A question that is asked before something is done.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Confirm {
    /// The question.
    pub question: String,
    /// What it touches: target, place, run.
    pub touches: Vec<(String, String)>,
    /// What is done after a yes.
    pub then: Vec<Effect>,
}

/// What stands above the screen. There is never more than one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Overlay {
    /// The keys of the screen below.
    Help {
        /// The first line in sight.
        top: usize,
    },
    /// A question.
    Confirm(Confirm),
    /// A line of text.
    Input(Input),
    /// Which sources of logs are shown.
    Sources {
        /// The selected one.
        at: usize,
    },
    /// Which target is shown.
    Targets {
        /// The selected one.
        at: usize,
    },
    /// Something to read.
    Text {
        /// What it is.
        title: String,
        /// It.
        lines: Vec<String>,
        /// The first line in sight.
        top: usize,
    },
}

/// Something that just happened, in the line above the footer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Notice {
    /// In a sentence.
    pub text: String,
    /// What to do about it.
    pub hint: Option<String>,
    /// Whether it is bad.
    pub bad: bool,
    /// Since when.
    pub since: DateTime<Utc>,
}
