//! What is shown above a screen: inputs, choices, questions, texts and notices.

use chrono::{DateTime, Utc};
use tui_input::Input;

use super::{Cursor, Effect};

/// A line of text that is being typed.
#[derive(Debug, Clone)]
pub struct TextInput {
    pub purpose: Purpose,
    pub input: Input,
    /// Why the text was not accepted.
    pub error: Option<String>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Purpose {
    Palette,
    Search,
    Filter,
    /// A condition on fields.
    Where,
    /// A time to go to.
    Time,
    Tunnel,
    SaveLogs,
}

/// A question before a change.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Confirm {
    pub question: &'static str,
    /// What is affected, as names and values.
    pub details: Vec<(&'static str, String)>,
    /// What a yes does.
    pub effects: Vec<Effect>,
}

/// What is shown above the screen; at most one.
#[derive(Debug, Clone)]
pub enum Overlay {
    Help(Cursor),
    Confirm(Confirm),
    Input(TextInput),
    /// The choice of visible log sources.
    Sources(Cursor),
    /// The choice of a pattern of the log, whose lines are then shown.
    Patterns(Cursor),
    /// The choice of the target.
    Targets(Cursor),
    Text {
        title: String,
        lines: Vec<String>,
        cursor: Cursor,
    },
}

impl Overlay {
    pub fn text(title: String, lines: Vec<String>) -> Self {
        Self::Text { title, lines, cursor: Cursor::default() }
    }
}

/// The line above the footer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Notice {
    pub text: String,
    pub hint: Option<String>,
    pub is_error: bool,
    pub since: DateTime<Utc>,
}
