//! What is wrong with a condition, and where.

use std::fmt;
use std::ops::Range;

/// An error in a condition. Displayed as a sentence, then the condition with a mark below the place.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ConditionError {
    message: String,
    /// The condition, without control characters.
    text: String,
    /// Characters before the place, and of the place.
    before: usize,
    length: usize,
}

impl ConditionError {
    pub(super) fn new(text: &str, at: Range<usize>, message: impl Into<String>) -> Self {
        let shown = |text: &str| common::terminal::visible(text).replace(['\n', '\t'], " ");
        let (before, place) = (shown(&text[..at.start]), shown(&text[at]));
        Self {
            message: message.into(),
            text: shown(text),
            before: before.chars().count(),
            length: place.chars().count().max(1),
        }
    }

    /// Returns the sentence alone.
    pub fn message(&self) -> &str {
        &self.message
    }

    /// Returns the position of the place, in characters.
    pub const fn position(&self) -> usize {
        self.before
    }
}

impl fmt::Display for ConditionError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { message, text, before, length } = self;
        write!(f, "{message}\n  {}\n  {:before$}{}", text.trim_end(), "", "^".repeat(*length))
    }
}

impl std::error::Error for ConditionError {}
