//! Errors for people: what failed, on what, why, and what to do next; with the exit code of the process.

use std::error::Error;
use std::fmt;

/// The exit status of a failed process.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Exit {
    /// Failure: 1.
    Failed,
    /// Invalid command line or setting: 2.
    Usage,
    /// Credentials are missing, expired or refused: 4.
    Credentials,
    /// Timeout: 124.
    Timeout,
    /// Not started: 125.
    NotStarted,
    /// Interrupted by SIGINT: 130.
    Interrupted,
    /// The exit code of a child process or job.
    Child(u8),
}

impl Exit {
    /// Returns the exit code.
    pub const fn code(self) -> u8 {
        match self {
            Self::Failed => 1,
            Self::Usage => 2,
            Self::Credentials => 4,
            Self::Timeout => 124,
            Self::NotStarted => 125,
            Self::Interrupted => 130,
            Self::Child(code) => code,
        }
    }
}

/// An error with a hint and an exit code. Displayed as `what: cause: cause of the cause`.
pub struct Failure {
    what: String,
    cause: Option<Box<dyn Error + Send + Sync>>,
    hint: Option<String>,
    exit: Exit,
}

/// A result with a [`Failure`].
pub type Result<T, E = Failure> = std::result::Result<T, E>;

impl Failure {
    /// Returns an error with exit code 1.
    pub fn new(what: impl Into<String>) -> Self {
        Self { what: what.into(), cause: None, hint: None, exit: Exit::Failed }
    }

    /// Returns an error about a flag or setting, with exit code 2.
    pub fn usage(what: impl Into<String>) -> Self {
        Self::new(what).exit_code(Exit::Usage)
    }

    /// Adds the underlying error; its whole chain is shown.
    #[must_use]
    pub fn source(mut self, cause: impl Into<Box<dyn Error + Send + Sync>>) -> Self {
        self.cause = Some(cause.into());
        self
    }

    /// Adds a hint: a command, or one imperative sentence.
    #[must_use]
    pub fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }

    /// Sets the exit status.
    #[must_use]
    pub const fn exit_code(mut self, exit: Exit) -> Self {
        self.exit = exit;
        self
    }

    /// Returns the hint.
    pub fn hint_text(&self) -> Option<&str> {
        self.hint.as_deref()
    }

    /// Returns the exit status.
    pub const fn exit(&self) -> Exit {
        self.exit
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.what)?;
        let mut text_so_far = self.what.clone();
        let mut cause = self.cause.as_deref().map(|cause| cause as &dyn Error);
        while let Some(error) = cause {
            let text = error.to_string();
            // Many libraries repeat the text of the inner error in the outer one.
            if !text_so_far.contains(&text) {
                write!(f, ": {text}")?;
                text_so_far.push_str(&text);
            }
            cause = error.source();
        }
        Ok(())
    }
}

impl fmt::Debug for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)?;
        match &self.hint {
            Some(hint) => write!(f, "\nhint: {hint}"),
            None => Ok(()),
        }
    }
}

impl Error for Failure {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        self.cause.as_deref().map(|cause| cause as &(dyn Error + 'static))
    }
}

/// Adds what failed to an error.
pub trait Context<T> {
    /// Wraps the error; `what` names action and object, such as "cannot read `x.zip`".
    fn context<S: Into<String>>(self, what: impl FnOnce() -> S) -> Result<T>;
}

impl<T, E: Into<Box<dyn Error + Send + Sync>>> Context<T> for std::result::Result<T, E> {
    fn context<S: Into<String>>(self, what: impl FnOnce() -> S) -> Result<T> {
        self.map_err(|cause| Failure::new(what()).source(cause))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn display_names_each_cause_once() {
        let inner = std::io::Error::other("disk is gone");
        let outer = std::io::Error::other(inner);
        let failure = Failure::new("cannot write `a`").source(outer).hint("free some space");
        assert_eq!(failure.to_string(), "cannot write `a`: disk is gone");
        assert_eq!(format!("{failure:?}"), "cannot write `a`: disk is gone\nhint: free some space");
    }

    #[test]
    fn exit_codes_match_documentation() {
        let codes = [
            Exit::Failed,
            Exit::Usage,
            Exit::Credentials,
            Exit::Timeout,
            Exit::NotStarted,
            Exit::Interrupted,
        ];
        assert_eq!(codes.map(Exit::code), [1, 2, 4, 124, 125, 130]);
        assert_eq!(Exit::Child(137).code(), 137);
    }
}
