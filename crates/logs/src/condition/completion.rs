//! Completes a condition that is being typed.

use super::lexer::{OPERATORS, TokenKind, tokens};
use crate::Severity;

/// What can follow a condition that is being typed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Completion {
    /// Bytes at the end of the text that a candidate replaces.
    pub replaces: usize,
    /// The candidates, in order.
    pub candidates: Vec<String>,
}

/// The fields that events of any log can have.
pub const COMMON_FIELDS: [&str; 6] = ["level", "message", "time", "source", "stream", "exception"];

/// Returns what can follow: names of fields, operators, levels, `and` and `or`.
///
/// `fields` are the names that occur in the log.
pub fn complete_condition(text: &str, fields: &[String]) -> Completion {
    let Ok(mut tokens) = tokens(text) else { return Completion { replaces: 0, candidates: Vec::new() } };
    let is_typing = !text.is_empty() && !text.ends_with(|c: char| c.is_whitespace() || c == '(');
    let last = if is_typing { tokens.pop() } else { None };
    let typed = last.as_ref().map_or("", |token| &text[token.at.clone()]);
    let before = tokens.last().map(|token| &token.kind);
    let field = tokens.iter().rev().nth(1).map(|token| &token.kind);
    let words = |words: &[&str]| words.iter().map(|word| (*word).to_owned()).collect::<Vec<_>>();
    let candidates = match before {
        None | Some(TokenKind::And | TokenKind::Or | TokenKind::Not | TokenKind::Open) => {
            let mut names = words(&COMMON_FIELDS);
            names.extend(fields.iter().filter(|name| !COMMON_FIELDS.contains(&name.as_str())).cloned());
            names.extend(words(&["not"]));
            names
        }
        Some(TokenKind::Operator(_)) => match field {
            Some(TokenKind::Word(name)) if name == "level" => {
                Severity::ALL.map(|level| level.name().to_lowercase()).into()
            }
            _ => Vec::new(),
        },
        Some(TokenKind::Word(_)) if !matches!(field, Some(TokenKind::Operator(_))) => {
            OPERATORS.map(|(sign, _)| sign.to_owned()).into()
        }
        Some(TokenKind::Word(_) | TokenKind::Quoted(_) | TokenKind::Close) => words(&["and", "or"]),
    };
    let candidates: Vec<String> =
        candidates.into_iter().filter(|word| word.starts_with(typed) && word != typed).collect();
    Completion { replaces: typed.len(), candidates }
}
