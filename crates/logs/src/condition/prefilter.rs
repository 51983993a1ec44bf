//! Text that an event must contain for a condition to hold, which is searched at the speed of memory.

use regex::bytes::Regex;

use super::lexer::Operator;
use super::{Comparison, Expression, Field, Value};
use crate::Severity;
use crate::record::{LEVEL_NAMES, LEVEL_NUMBERS, NUMBERED_LEVEL, spellings};

/// A shorter text is found in too many lines.
const MIN_LENGTH: usize = 3;

/// Texts of which an event contains at least one.
#[derive(Debug, Clone)]
pub(crate) struct Prefilter(Regex);

impl Prefilter {
    pub(super) fn of(expression: &Expression) -> Option<Self> {
        let needles = needles(expression)?;
        // A character of a JSON string may be escaped by its number.
        Regex::new(&format!(r"(?-u){}|\\u00", needles.join("|"))).ok().map(Self)
    }

    /// Returns the position of the first text at or after `start`.
    pub(crate) fn find(&self, bytes: &[u8], start: usize) -> Option<usize> {
        self.0.find_at(bytes, start).map(|found| found.start())
    }
}

/// Returns patterns of which a matching event contains one; none if it may contain anything.
fn needles(expression: &Expression) -> Option<Vec<String>> {
    match expression {
        Expression::Or(all) => {
            let all: Option<Vec<_>> = all.iter().map(needles).collect();
            all.map(|all| all.concat())
        }
        // The fewest alternatives, of those the longest.
        Expression::And(all) => all
            .iter()
            .filter_map(needles)
            .min_by_key(|needles| (needles.len(), usize::MAX - needles.first().map_or(0, String::len))),
        Expression::Not(_) => None,
        Expression::Comparison(comparison) => of_comparison(comparison),
    }
}

fn of_comparison(comparison: &Comparison) -> Option<Vec<String>> {
    match (&comparison.field, &comparison.value) {
        (Field::Level, Value::Level(level)) => of_level(comparison.operator, *level),
        (Field::Named(_), Value::Text(text)) if comparison.operator == Operator::Equal => {
            let is_plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '-' | '.' | ' ');
            let longest = text.split(|c| !is_plain(c)).max_by_key(|part| part.len())?;
            (longest.len() >= MIN_LENGTH).then(|| vec![regex::escape(longest)])
        }
        _ => None,
    }
}

fn of_level(operator: Operator, level: Severity) -> Option<Vec<String>> {
    let accepted = |severity: Severity| match operator {
        Operator::Equal => severity == level,
        Operator::AtLeast => severity >= level,
        Operator::Greater => severity > level,
        _ => true,
    };
    if Severity::ALL.into_iter().all(accepted) {
        return None;
    }
    let names = LEVEL_NAMES.iter().filter(|(_, severity)| accepted(*severity)).map(|(name, _)| *name);
    let names: Vec<String> = names.flat_map(spellings).collect();
    // Of names that contain another one, the other one is enough.
    let contains_other =
        |name: &&String| names.iter().any(|other| other != *name && name.contains(other.as_str()));
    let names = names.iter().filter(|name| !contains_other(name)).map(|name| regex::escape(name));
    let numbers = LEVEL_NUMBERS.iter().filter(|(_, severity)| accepted(*severity));
    let numbers =
        numbers.flat_map(|(number, _)| ["", "\""].map(|quote| format!("{NUMBERED_LEVEL}{quote}{number}")));
    Some(names.chain(numbers).collect())
}
