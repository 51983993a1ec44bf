//! CloudWatch's filter patterns, for sources without a service that applies them.
//!
//! Required words, `?optional` words of which one must occur, `-excluded` words, `"phrases"`, `%regular expressions%`, and comparisons
//! of JSON fields joined by `&&` or `||`. Any other syntax is an error.

use common::failure::{Failure, Result};
use regex::Regex;
use serde_json::Value;

/// A filter pattern.
#[derive(Debug)]
pub struct FilterPattern(Expression);

#[derive(Debug)]
enum Expression {
    Words(Words),
    /// `{ … }`: a disjunction of conjunctions.
    Json(Vec<Vec<Condition>>),
}

#[derive(Debug, Default)]
struct Words {
    all: Vec<Regex>,
    any: Vec<Regex>,
    none: Vec<Regex>,
}

/// `$.field = value`.
#[derive(Debug)]
struct Condition {
    path: Vec<String>,
    comparison: &'static str,
    value: String,
    /// Matches `value`, with `*` as wildcard.
    glob: Regex,
}

const COMPARISONS: [&str; 6] = ["!=", "<=", ">=", "=", "<", ">"];

impl FilterPattern {
    /// Parses a pattern.
    ///
    /// # Errors
    /// A usage error if the syntax is not supported.
    pub fn parse(text: &str) -> Result<Self> {
        let unsupported = || {
            Failure::usage(format!("cannot apply the filter pattern `{text}`"))
                .hint("words, ?either ?or, -without, \"a phrase\", %regex% and { $.level = \"ERROR\" } are supported")
        };
        let text = text.trim();
        if let Some(inside) = text.strip_prefix('{') {
            let inside = inside.strip_suffix('}').ok_or_else(unsupported)?;
            let group = |group: &str| split(group, "&&").into_iter().map(Condition::parse).collect();
            let groups: Option<_> = split(inside, "||").into_iter().map(group).collect();
            return groups.map(|groups| Self(Expression::Json(groups))).ok_or_else(unsupported);
        }
        if text.starts_with('[') {
            return Err(unsupported());
        }
        Words::parse(text).map(|words| Self(Expression::Words(words))).ok_or_else(unsupported)
    }

    /// Returns whether a message matches.
    pub fn matches(&self, message: &str) -> bool {
        match &self.0 {
            Expression::Words(words) => words.match_text(message),
            Expression::Json(groups) => serde_json::from_str::<Value>(message).is_ok_and(|json| {
                groups.iter().any(|group| group.iter().all(|condition| condition.holds(&json)))
            }),
        }
    }
}

impl Words {
    fn parse(text: &str) -> Option<Self> {
        let (mut words, mut rest) = (Self::default(), text.trim_start());
        while !rest.is_empty() {
            let (list, start) = match rest.as_bytes()[0] {
                b'?' => (&mut words.any, &rest[1..]),
                b'-' => (&mut words.none, &rest[1..]),
                _ => (&mut words.all, rest),
            };
            let (word, after) = parse_word(start)?;
            list.push(word);
            rest = after.trim_start();
        }
        Some(words)
    }

    fn match_text(&self, text: &str) -> bool {
        let found = |word: &Regex| word.is_match(text);
        // As in CloudWatch, optional words have no effect beside required ones.
        let any = self.any.is_empty() || !self.all.is_empty() || self.any.iter().any(found);
        any && self.all.iter().all(found) && !self.none.iter().any(found)
    }
}

/// Parses the word at the start and returns it with the rest.
fn parse_word(text: &str) -> Option<(Regex, &str)> {
    if let Some(inside) = text.strip_prefix('%') {
        let (pattern, rest) = inside.split_once('%')?;
        return Some((Regex::new(pattern).ok()?, rest));
    }
    let (word, rest) = match text.strip_prefix('"') {
        Some(inside) => inside.split_once('"')?,
        None => match text.find(char::is_whitespace).unwrap_or(text.len()) {
            0 => return None,
            end => text.split_at(end),
        },
    };
    Some((Regex::new(&regex::escape(word)).ok()?, rest))
}

impl Condition {
    fn parse(text: &str) -> Option<Self> {
        let text = text.trim().strip_prefix("$.")?;
        let found = COMPARISONS.iter().filter_map(|comparison| Some((text.find(comparison)?, *comparison)));
        // The first one, and the longest of those at the same position: `<=` before `<`.
        let (at, comparison) =
            found.min_by_key(|(at, comparison)| (*at, std::cmp::Reverse(comparison.len())))?;
        let path: Vec<String> = text[..at].trim().split('.').map(str::to_owned).collect();
        let value = text[at + comparison.len()..].trim();
        let value = value.strip_prefix('"').and_then(|value| value.strip_suffix('"')).unwrap_or(value);
        let simple =
            |name: &String| !name.is_empty() && name.chars().all(|c| c.is_alphanumeric() || "_-".contains(c));
        let valid = path.iter().all(simple) && !value.is_empty() && !value.contains(['"', '(', ')', '%']);
        let glob = value.split('*').map(regex::escape).collect::<Vec<_>>().join(".*");
        let glob = Regex::new(&format!("(?s)^{glob}$")).ok()?;
        valid.then(|| Self { path, comparison, value: value.to_owned(), glob })
    }

    fn holds(&self, json: &Value) -> bool {
        let field = self.path.iter().try_fold(json, |value, name| value.get(name));
        let Some(field) = field else { return false };
        if let (Some(left), Ok(right)) = (field.as_f64(), self.value.parse::<f64>()) {
            return match self.comparison {
                "<" => left < right,
                "<=" => left <= right,
                ">" => left > right,
                ">=" => left >= right,
                // Both are parsed from decimal text.
                "=" => left.total_cmp(&right).is_eq(),
                _ => left.total_cmp(&right).is_ne(),
            };
        }
        let text = field.as_str().map_or_else(|| field.to_string(), str::to_owned);
        match self.comparison {
            "=" => self.glob.is_match(&text),
            "!=" => !self.glob.is_match(&text),
            _ => false,
        }
    }
}

/// Splits at a separator outside quotes.
fn split<'a>(text: &'a str, separator: &str) -> Vec<&'a str> {
    let (mut parts, mut start, mut quoted) = (Vec::new(), 0, false);
    for (at, character) in text.char_indices() {
        quoted ^= character == '"';
        if !quoted && at >= start && text[at..].starts_with(separator) {
            parts.push(&text[start..at]);
            start = at + separator.len();
        }
    }
    parts.push(&text[start..]);
    parts
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn matches_words_and_phrases() {
        let text = "run failed: no such file";
        for (pattern, expected) in [
            ("", true),
            ("failed run", true),
            ("failed well", false),
            ("\"no such\"", true),
            ("\"such no\"", false),
            ("?well ?file", true),
            ("?well ?good", false),
            ("run -failed", false),
            ("run -well", true),
            ("FAILED", false),
            ("%fail(ed|ure)%", true),
            ("%^failed%", false),
        ] {
            assert_eq!(FilterPattern::parse(pattern).unwrap().matches(text), expected, "{pattern}");
        }
    }

    #[test]
    fn matches_json_fields() {
        let text = r#"{"level":"ERROR","rows":12,"at":{"file":"cases.csv"},"ok":false}"#;
        for (pattern, expected) in [
            (r#"{ $.level = "ERROR" }"#, true),
            ("{$.level=ERROR}", true),
            (r#"{ $.level != "ERROR" }"#, false),
            ("{ $.rows >= 12 && $.rows < 13 }", true),
            ("{ $.rows > 12 || $.ok = false }", true),
            ("{ $.at.file = \"case*csv\" }", true),
            ("{ $.at.file = \"*x*\" }", false),
            ("{ $.none != 1 }", false),
        ] {
            assert_eq!(FilterPattern::parse(pattern).unwrap().matches(text), expected, "{pattern}");
        }
        assert!(!FilterPattern::parse("{ $.level = ERROR }").unwrap().matches("ERROR"));
    }

    #[test]
    fn parse_rejects_unsupported_syntax() {
        for pattern in
            ["[ip, user]", "{ $.a }", "{ $.a = 1", "{ ($.a = 1) }", "\"open", "%(%", "{ $.a IS NULL }", "?"]
        {
            assert_eq!(FilterPattern::parse(pattern).err().unwrap().exit().code(), 2, "{pattern}");
        }
    }
}
