//! Parses conditions: `or` binds weaker than `and`, `and` weaker than `not`.

use std::ops::Range;

use chrono::{DateTime, FixedOffset};
use regex::Regex;

use super::error::ConditionError;
use super::lexer::{Operator, Token, TokenKind, tokens};
use super::{Comparison, Expression, Field, Value};
use crate::record::typed_time;
use crate::{Severity, TimeArg, parse_time};

/// Deeper nesting is refused, so that evaluation cannot exhaust the stack.
const MAX_DEPTH: usize = 50;

const SIGNS: &str = "=, !=, <, <=, >, >=, =~ or !~";

pub(super) struct Parser<'a> {
    text: &'a str,
    tokens: Vec<Token>,
    next: usize,
    depth: usize,
    now: DateTime<FixedOffset>,
}

type Parsed<T> = Result<T, ConditionError>;

impl<'a> Parser<'a> {
    pub(super) fn parse(text: &'a str, now: DateTime<FixedOffset>) -> Parsed<Expression> {
        let mut parser = Self { text, tokens: tokens(text)?, next: 0, depth: 0, now };
        let expression = parser.disjunction()?;
        match parser.peek() {
            None => Ok(expression),
            Some(TokenKind::Close) => parser.refuse("there is no `(` for this `)`"),
            Some(_) => parser.refuse("`and` or `or` is missing before this"),
        }
    }

    fn peek(&self) -> Option<&TokenKind> {
        self.tokens.get(self.next).map(|token| &token.kind)
    }

    fn take(&mut self, wanted: &TokenKind) -> bool {
        let found = self.peek() == Some(wanted);
        self.next += usize::from(found);
        found
    }

    /// The place of the next token, or the end of the text.
    fn place(&self) -> Range<usize> {
        self.tokens.get(self.next).map_or(self.text.len()..self.text.len(), |token| token.at.clone())
    }

    fn refuse<T>(&self, message: impl Into<String>) -> Parsed<T> {
        Err(ConditionError::new(self.text, self.place(), message))
    }

    fn disjunction(&mut self) -> Parsed<Expression> {
        let mut all = vec![self.conjunction()?];
        while self.take(&TokenKind::Or) {
            all.push(self.conjunction()?);
        }
        Ok(if all.len() == 1 { all.remove(0) } else { Expression::Or(all) })
    }

    fn conjunction(&mut self) -> Parsed<Expression> {
        let mut all = vec![self.negation()?];
        while self.take(&TokenKind::And) {
            all.push(self.negation()?);
        }
        Ok(if all.len() == 1 { all.remove(0) } else { Expression::And(all) })
    }

    fn negation(&mut self) -> Parsed<Expression> {
        self.depth += 1;
        if self.depth > MAX_DEPTH {
            return self.refuse(format!("the condition is nested more than {MAX_DEPTH} times"));
        }
        let expression = if self.take(&TokenKind::Not) {
            Expression::Not(Box::new(self.negation()?))
        } else if self.take(&TokenKind::Open) {
            let inside = self.disjunction()?;
            if !self.take(&TokenKind::Close) {
                return self.refuse("a `)` is missing");
            }
            inside
        } else {
            Expression::Comparison(self.comparison()?)
        };
        self.depth -= 1;
        Ok(expression)
    }

    fn comparison(&mut self) -> Parsed<Comparison> {
        let name = match self.peek() {
            Some(TokenKind::Word(name) | TokenKind::Quoted(name)) if !name.is_empty() => name.clone(),
            Some(TokenKind::Operator(_)) => return self.refuse("the name of a field is missing before this"),
            _ => return self.refuse("the name of a field is missing here"),
        };
        self.next += 1;
        let Some(TokenKind::Operator(operator)) = self.peek() else {
            return self.refuse(format!("after `{name}` belongs one of {SIGNS}"));
        };
        let operator = *operator;
        self.next += 1;
        let (text, is_quoted) = match self.peek() {
            Some(TokenKind::Word(text)) => (text.clone(), false),
            Some(TokenKind::Quoted(text)) => (text.clone(), true),
            Some(TokenKind::Operator(_)) => return self.refuse(format!("one of {SIGNS} is enough")),
            _ => return self.refuse(format!("the value that `{name}` is compared with is missing here")),
        };
        let field = Field::named(name);
        let value = self.value(&field, operator, text, is_quoted)?;
        self.next += 1;
        Ok(Comparison { field, operator, value })
    }

    fn value(&self, field: &Field, operator: Operator, text: String, is_quoted: bool) -> Parsed<Value> {
        if matches!(operator, Operator::Matches | Operator::MatchesNot) {
            return match crate::parse_regex(&text) {
                Ok(_) => {
                    Regex::new(&text).map(Value::Pattern).or_else(|error| self.refuse(error.to_string()))
                }
                Err(why) => self.refuse(why),
            };
        }
        match field {
            Field::Level => {
                if let Some(severity) = Severity::parse(&text) {
                    return Ok(Value::Level(severity));
                }
                let levels = Severity::ALL.map(Severity::name).join(", ").to_lowercase();
                self.refuse(format!("`{text}` is not a level; the levels are {levels}"))
            }
            Field::Time => match self.time(&text) {
                Some(time) => Ok(Value::Time(time)),
                None => self.refuse(format!(
                    "`{text}` is not a time such as 10m, 14:30, today, \"2026-03-01 14:30\" or 2026-03-01T14:30:00Z"
                )),
            },
            Field::Source | Field::Stream | Field::Named(_) => Ok(match text.parse::<f64>() {
                Ok(number) if number.is_finite() && !is_quoted => Value::Number(number),
                _ => Value::Text(text),
            }),
        }
    }

    fn time(&self, text: &str) -> Option<crate::Millis> {
        if let Some(time) = typed_time(text, *self.now.offset()) {
            return Some(time);
        }
        let typed: TimeArg = parse_time(text).ok()?;
        Some(typed.since(&self.now))
    }
}
