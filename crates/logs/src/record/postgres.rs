//! Lines of PostgreSQL's server log, with the default prefix (`%m [%p] `, also with `%q%u@%d `) or that of RDS (`%t:%r:%u@%d:[%p]:`).

use super::timestamp;
use crate::Millis;

/// What the server calls the kind of a line, before a colon and two spaces.
const KINDS: [&str; 20] = [
    "LOG",
    "ERROR",
    "FATAL",
    "PANIC",
    "WARNING",
    "NOTICE",
    "INFO",
    "DEBUG",
    "DEBUG1",
    "DEBUG2",
    "DEBUG3",
    "DEBUG4",
    "DEBUG5",
    "DETAIL",
    "HINT",
    "STATEMENT",
    "CONTEXT",
    "QUERY",
    "LOCATION",
    "BACKTRACE",
];

pub(super) const FIELDS: [&str; 6] = ["pid", "user", "database", "host", "duration", "statement"];

/// A line of the server's log.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct ServerLine<'a> {
    pub(super) time: Millis,
    /// Between the time and the level.
    prefix: &'a str,
    /// The level, or `DETAIL` and the like for what belongs to the line before.
    pub(super) level: &'a str,
    pub(super) message: &'a str,
}

impl<'a> ServerLine<'a> {
    pub(super) fn parse(text: &'a str) -> Option<Self> {
        let (time, length) = timestamp::leading(text)?;
        let first = text[length..].lines().next()?;
        let end = memchr::memmem::find(first.as_bytes(), b":  ")?;
        let level = &first[..end];
        let level = &level[level.rfind([' ', ':']).map_or(0, |before| before + 1)..];
        if !KINDS.contains(&level) {
            return None;
        }
        let prefix = &first[..end - level.len()];
        // Other programs write levels like these, but not the process id.
        prefix.contains('[').then(|| Self { time, prefix, level, message: &text[length + end + 3..] })
    }

    pub(super) fn field(&self, name: &str) -> Option<&'a str> {
        let words = || self.prefix.split([' ', ':']).filter(|word| !word.is_empty());
        let login = || words().find_map(|word| word.split_once('@'));
        match name {
            "pid" => words().find_map(|word| word.strip_prefix('[')?.strip_suffix(']')),
            "user" => login().map(|(user, _)| user),
            "database" => login().map(|(_, database)| database),
            "host" => words().find_map(|word| Some(word.strip_suffix(')')?.split_once('(')?.0)),
            "duration" => Some(self.message.strip_prefix("duration: ")?.split("  ").next()?.trim()),
            "statement" => self.message.split_once("statement: ").map(|(_, statement)| statement),
            _ => None,
        }
    }
}
