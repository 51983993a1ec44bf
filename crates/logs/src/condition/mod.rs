//! Conditions on the fields of events: `level >= warn and reason = "malformed" and seconds > 2`.
//!
//! A comparison with a field that an event does not have is false, also `!=` and `!~`; `not` turns it around.

mod completion;
mod error;
mod lexer;
mod parser;
mod prefilter;

#[cfg(test)]
mod tests;

use std::fmt;

use chrono::{DateTime, FixedOffset};
use regex::Regex;

pub use self::completion::{COMMON_FIELDS, Completion, complete_condition};
pub use self::error::ConditionError;
use self::lexer::Operator;
use self::parser::Parser;
pub(crate) use self::prefilter::Prefilter;
use crate::record::leading_number;
use crate::{Millis, Record, Severity};

/// A condition on the fields of an event.
#[derive(Debug, Clone)]
pub struct Condition {
    text: String,
    expression: Expression,
}

/// What a condition is about.
#[derive(Debug, Clone, Copy)]
pub struct Subject<'a> {
    /// The message.
    pub record: Record<'a>,
    /// The time of the event.
    pub time: Millis,
    /// The name of its source.
    pub source: &'a str,
    /// The log stream: a task, an invocation, a run or a file.
    pub stream: &'a str,
}

#[derive(Debug, Clone)]
enum Expression {
    Or(Vec<Self>),
    And(Vec<Self>),
    Not(Box<Self>),
    Comparison(Comparison),
}

#[derive(Debug, Clone)]
struct Comparison {
    field: Field,
    operator: Operator,
    value: Value,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Field {
    Level,
    Time,
    Source,
    Stream,
    Named(String),
}

#[derive(Debug, Clone)]
enum Value {
    Level(Severity),
    Time(Millis),
    Number(f64),
    Text(String),
    Pattern(Regex),
}

impl Condition {
    /// Parses a condition. Times of day and ages are resolved with `now`.
    ///
    /// # Errors
    /// What is wrong, and where.
    pub fn parse(text: &str, now: DateTime<FixedOffset>) -> Result<Self, ConditionError> {
        Ok(Self { text: text.to_owned(), expression: Parser::parse(text, now)? })
    }

    /// Returns the condition as it was typed.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// Returns whether it holds for an event.
    pub fn holds(&self, subject: &Subject<'_>) -> bool {
        self.expression.holds(subject)
    }

    /// Returns whether it is about the time of events.
    pub(crate) fn needs_time(&self) -> bool {
        self.expression.any(&|comparison| comparison.field == Field::Time)
    }

    /// Returns what can tell without recognising fields that it does not hold.
    pub(crate) fn prefilter(&self) -> Option<Prefilter> {
        Prefilter::of(&self.expression)
    }
}

impl fmt::Display for Condition {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl Field {
    fn named(name: String) -> Self {
        match name.as_str() {
            "level" => Self::Level,
            "time" => Self::Time,
            "source" => Self::Source,
            "stream" => Self::Stream,
            _ => Self::Named(name),
        }
    }
}

impl Expression {
    fn holds(&self, subject: &Subject<'_>) -> bool {
        match self {
            Self::Or(all) => all.iter().any(|expression| expression.holds(subject)),
            Self::And(all) => all.iter().all(|expression| expression.holds(subject)),
            Self::Not(expression) => !expression.holds(subject),
            Self::Comparison(comparison) => comparison.holds(subject).unwrap_or(false),
        }
    }
}

impl Expression {
    /// Returns whether any comparison in it is as wanted.
    fn any(&self, wanted: &dyn Fn(&Comparison) -> bool) -> bool {
        match self {
            Self::Or(all) | Self::And(all) => all.iter().any(|expression| expression.any(wanted)),
            Self::Not(expression) => expression.any(wanted),
            Self::Comparison(comparison) => wanted(comparison),
        }
    }
}

impl Comparison {
    /// Returns whether it holds; none if the event does not have the field.
    fn holds(&self, subject: &Subject<'_>) -> Option<bool> {
        let ordering = match (&self.field, &self.value) {
            (Field::Level, Value::Level(level)) => subject.record.severity()?.cmp(level),
            (Field::Time, Value::Time(time)) => subject.time.cmp(time),
            (field, value) => {
                let text = match field {
                    Field::Source => subject.source.into(),
                    Field::Stream => subject.stream.into(),
                    Field::Level => subject.record.severity()?.name().into(),
                    Field::Time => crate::to_datetime(subject.time).to_rfc3339().into(),
                    Field::Named(name) => subject.record.field(name)?,
                };
                match value {
                    Value::Pattern(pattern) => {
                        return Some(pattern.is_match(&text) == (self.operator == Operator::Matches));
                    }
                    Value::Number(number) => match leading_number(&text) {
                        Some(value) => value.partial_cmp(number)?,
                        None if matches!(self.operator, Operator::NotEqual) => return Some(true),
                        None => return None,
                    },
                    Value::Text(wanted) => text.as_ref().cmp(wanted.as_str()),
                    Value::Level(_) | Value::Time(_) => return None,
                }
            }
        };
        Some(match self.operator {
            Operator::Equal => ordering.is_eq(),
            Operator::NotEqual => ordering.is_ne(),
            Operator::Less => ordering.is_lt(),
            Operator::AtMost => ordering.is_le(),
            Operator::Greater => ordering.is_gt(),
            Operator::AtLeast => ordering.is_ge(),
            Operator::Matches | Operator::MatchesNot => return None,
        })
    }
}
