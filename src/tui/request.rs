//! What identifies a request, and what it is answered with.

use common::failure::Failure;

/// Identifies a request. A response to any but the newest request of its kind is stale, and is dropped.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RequestId(pub u64);

/// An error as a notice shows it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UserError {
    pub message: String,
    pub hint: Option<String>,
}

impl UserError {
    pub fn new(message: impl Into<String>, hint: impl Into<String>) -> Self {
        Self { message: message.into(), hint: Some(hint.into()) }
    }
}

impl From<&Failure> for UserError {
    fn from(failure: &Failure) -> Self {
        Self { message: failure.to_string(), hint: failure.hint_text().map(str::to_owned) }
    }
}

impl From<Failure> for UserError {
    fn from(failure: Failure) -> Self {
        Self::from(&failure)
    }
}

pub type Response<T> = Result<T, UserError>;
