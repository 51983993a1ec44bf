//! Which rows are shown: a regular expression, a condition on their fields, one pattern, and the chosen sources.

use regex::Regex;

use super::LogSource;
use super::parsed_event::LogRow;
use crate::tui::domain::{Condition, Pattern, PatternMiner, Record, Subject};

#[derive(Debug, Clone, Default)]
pub struct RowFilter {
    pub grep: Option<Regex>,
    pub condition: Option<Condition>,
    pub pattern: Option<Pattern>,
    sources: Vec<(String, bool)>,
}

impl RowFilter {
    /// Takes the names of the sources and which of them are hidden.
    pub fn set_sources(&mut self, sources: &[LogSource]) {
        self.sources = sources.iter().map(|source| (source.name.clone(), source.hidden)).collect();
    }

    /// Whether a row is shown. Marks of the user always are.
    pub fn shows(&self, row: &LogRow) -> bool {
        let Some(source) = row.source else { return true };
        let (name, is_hidden) =
            self.sources.get(source).map_or(("", false), |(name, hidden)| (name.as_str(), *hidden));
        !is_hidden
            && self.grep.as_ref().is_none_or(|grep| row.matches(grep))
            && self.condition.as_ref().is_none_or(|condition| {
                let message = row.message();
                condition.holds(&Subject {
                    record: Record::new(&message),
                    time: row.time,
                    source: name,
                    stream: &row.stream,
                })
            })
            && self.pattern.as_ref().is_none_or(|pattern| {
                PatternMiner::find(std::slice::from_ref(pattern), &row.message()).is_some()
            })
    }

    /// Removes the innermost filter; returns whether there was one.
    pub fn pop(&mut self) -> bool {
        self.pattern.take().is_some() || self.condition.take().is_some() || self.grep.take().is_some()
    }
}
