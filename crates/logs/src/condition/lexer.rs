//! Splits a condition into tokens, each with its position.

use std::ops::Range;

use super::error::ConditionError;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Operator {
    Equal,
    NotEqual,
    Less,
    AtMost,
    Greater,
    AtLeast,
    Matches,
    MatchesNot,
}

/// Longer ones first.
pub(super) const OPERATORS: [(&str, Operator); 8] = [
    ("!=", Operator::NotEqual),
    ("!~", Operator::MatchesNot),
    ("=~", Operator::Matches),
    ("<=", Operator::AtMost),
    (">=", Operator::AtLeast),
    ("=", Operator::Equal),
    ("<", Operator::Less),
    (">", Operator::Greater),
];

#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum TokenKind {
    Open,
    Close,
    And,
    Or,
    Not,
    Operator(Operator),
    /// A name, or a value without quotes.
    Word(String),
    /// A value in quotes, without them.
    Quoted(String),
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Token {
    pub(super) kind: TokenKind,
    /// Bytes of the condition.
    pub(super) at: Range<usize>,
}

/// Characters of words: names such as `record.metrics.durationMs`, values such as `-2.5`, `10:30` or `a/b`.
fn is_word(character: char) -> bool {
    character.is_alphanumeric() || "_.-:/@$%+*,;#&|?".contains(character)
}

pub(super) fn tokens(text: &str) -> Result<Vec<Token>, ConditionError> {
    let mut tokens = Vec::new();
    let mut at = 0;
    while let Some(first) = text[at..].chars().next() {
        if first.is_whitespace() {
            at += first.len_utf8();
            continue;
        }
        let (kind, length) = token(text, at, first)?;
        tokens.push(Token { kind, at: at..at + length });
        at += length;
    }
    Ok(tokens)
}

fn token(text: &str, at: usize, first: char) -> Result<(TokenKind, usize), ConditionError> {
    let rest = &text[at..];
    match first {
        '(' => return Ok((TokenKind::Open, 1)),
        ')' => return Ok((TokenKind::Close, 1)),
        '"' | '\'' => return quoted(text, at, first),
        _ => {}
    }
    if let Some((sign, operator)) = OPERATORS.iter().find(|(sign, _)| rest.starts_with(sign)) {
        return Ok((TokenKind::Operator(*operator), sign.len()));
    }
    let word = &rest[..rest.find(|c| !is_word(c)).unwrap_or(rest.len())];
    if word.is_empty() {
        let message = format!("`{}` has no meaning here", common::terminal::visible(&first.to_string()));
        return Err(ConditionError::new(text, at..at + first.len_utf8(), message));
    }
    let kind = match word.to_ascii_lowercase().as_str() {
        "and" | "&&" => TokenKind::And,
        "or" | "||" => TokenKind::Or,
        "not" => TokenKind::Not,
        _ => TokenKind::Word(word.to_owned()),
    };
    Ok((kind, word.len()))
}

/// In quotes, a backslash before the quote escapes it; before another character it stays, as regular expressions need it.
fn quoted(text: &str, at: usize, quote: char) -> Result<(TokenKind, usize), ConditionError> {
    let mut value = String::new();
    let mut characters = text[at + 1..].char_indices();
    while let Some((offset, character)) = characters.next() {
        if character == quote {
            return Ok((TokenKind::Quoted(value), offset + 2));
        }
        value.push(character);
        if character == '\\' {
            let Some((_, next)) = characters.next() else { break };
            if next == quote {
                value.pop();
            }
            value.push(next);
        }
    }
    Err(ConditionError::new(text, at..text.len(), format!("the quote {quote} is not closed")))
}
