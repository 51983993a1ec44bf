//! What a person reads when something fails: what failed, on what, why, and what to type next.
//!
//! One type for both programs. It carries the exit code too, so that `main` only prints and returns. It does not log.

use std::error::Error;
use std::fmt;

/// How a failure ends the process.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Exit {
    /// It ran and failed: 1.
    Failed,
    /// The command line or a setting is wrong: 2.
    Usage,
    /// Credentials are missing, expired or refused: 4.
    Credentials,
    /// A time limit was reached: 124.
    Timeout,
    /// It could not be started: 125.
    NotStarted,
    /// The user interrupted it: 130.
    Interrupted,
    /// A child process ended with this code; it is passed on.
    Child(u8),
}

impl Exit {
    /// The process's exit code.
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

/// A failure in words for a person, with a hint and an exit code.
///
/// `Display` is one sentence, `what: cause: its cause`, without a full stop.
pub struct Failure {
    what: String,
    cause: Option<Box<dyn Error + Send + Sync>>,
    hint: Option<String>,
    exit: Exit,
}

/// The usual result of this project.
pub type Result<T, E = Failure> = std::result::Result<T, E>;

impl Failure {
    /// Something ran and failed (exit code 1).
    pub fn new(what: impl Into<String>) -> Self {
        Self { what: what.into(), cause: None, hint: None, exit: Exit::Failed }
    }

    /// A wrong flag or setting (exit code 2).
    pub fn usage(what: impl Into<String>) -> Self {
        Self::new(what).exit_code(Exit::Usage)
    }

    /// Adds the underlying error; its whole chain is shown.
    #[must_use]
    pub fn source(mut self, cause: impl Into<Box<dyn Error + Send + Sync>>) -> Self {
        self.cause = Some(cause.into());
        self
    }

    /// Adds what to do or type next.
    #[must_use]
    pub fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }

    /// Changes the exit code.
    #[must_use]
    pub const fn exit_code(mut self, exit: Exit) -> Self {
        self.exit = exit;
        self
    }

    /// What to do or type next, where it is known.
    pub fn hint_text(&self) -> Option<&str> {
        self.hint.as_deref()
    }

    /// How the process should end.
    pub const fn exit(&self) -> Exit {
        self.exit
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.what)?;
        let mut said = self.what.clone();
        let mut cause = self.cause.as_deref().map(|cause| cause as &dyn Error);
        while let Some(error) = cause {
            let text = error.to_string();
            // Many libraries repeat the inner error in the outer one's text; say each thing once.
            if !said.contains(&text) {
                write!(f, ": {text}")?;
                said.push_str(&text);
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

/// Turns any error into a [`Failure`] that says what was being done.
pub trait Context<T> {
    /// `what` names the action and its object: "cannot read `x.zip`".
    fn context(self, what: impl FnOnce() -> String) -> Result<T>;
}

impl<T, E: Into<Box<dyn Error + Send + Sync>>> Context<T> for std::result::Result<T, E> {
    fn context(self, what: impl FnOnce() -> String) -> Result<T> {
        self.map_err(|cause| Failure::new(what()).source(cause))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_cause_is_said_once() {
        let inner = std::io::Error::other("disk is gone");
        let outer = std::io::Error::other(inner);
        let failure = Failure::new("cannot write `a`").source(outer).hint("free some space");
        assert_eq!(failure.to_string(), "cannot write `a`: disk is gone");
        assert_eq!(format!("{failure:?}"), "cannot write `a`: disk is gone\nhint: free some space");
    }

    #[test]
    fn codes_are_the_documented_ones() {
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
