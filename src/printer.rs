//! The only place that prints: data to standard output, everything else to standard error.
//!
//! A reader that went away (`covidctl runs | head -1`) is no error: what follows is dropped and the command ends as it would
//! have ended. Any other trouble with standard output, such as a full disk, is reported at the end. Text is made visible
//! here, so that nothing that came from outside can steer the terminal.

use std::fmt::Display;
use std::io::{self, IsTerminal as _, Write as _};
use std::os::fd::AsFd as _;
use std::sync::{Arc, Mutex, PoisonError};

use common::failure::{Context as _, Failure, Result};
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use serde::Serialize;

use crate::cli::{Color, Format};
use crate::settings::Settings;
use common::terminal::visible;
use logs::log_line::LogLine;
use target::Progress;
use tunnel::event::Tell;

/// Where a command's words go.
#[derive(Debug)]
#[expect(clippy::struct_excessive_bools, reason = "each is a setting of its own")]
pub struct Printer {
    format: Format,
    color: bool,
    /// The same for data, which may go elsewhere.
    color_data: bool,
    quiet: bool,
    verbose: bool,
    trouble: Mutex<Option<io::Error>>,
}

/// What a piece of text on standard error is, from which its colour follows.
#[derive(Debug, Clone, Copy)]
enum Role {
    Error,
    Hint,
    Step,
    Faint,
}

impl Default for Printer {
    fn default() -> Self {
        Self {
            format: Format::Text,
            color: false,
            color_data: false,
            quiet: false,
            verbose: false,
            trouble: Mutex::new(None),
        }
    }
}

impl Printer {
    /// Returns a sink that prints the events of tunnels on standard error, except that they are ready.
    pub fn tunnel_events(self: &Arc<Self>) -> Tell {
        let printer = Arc::clone(self);
        Arc::new(move |event| {
            if !event.is_ready() {
                printer.say(&event.to_string());
            }
        })
    }

    /// A printer as the settings want it.
    pub fn new(settings: &Settings) -> Self {
        let color = |terminal: bool| match settings.color.value {
            Color::Always => true,
            Color::Never => false,
            Color::Auto => terminal,
        };
        Self {
            format: settings.output.value,
            color: color(io::stderr().is_terminal()),
            color_data: color(io::stdout().is_terminal()),
            quiet: settings.quiet,
            verbose: settings.verbose,
            ..Self::default()
        }
    }

    /// How data are wanted.
    pub fn format(&self) -> Format {
        self.format
    }

    /// Whether data may have colours.
    pub fn colors_data(&self) -> bool {
        self.color_data
    }

    /// Whether data are wanted as JSON.
    pub fn json(&self) -> bool {
        self.format == Format::Json
    }

    /// Whether the user wants to hear only what went wrong.
    pub fn quiet(&self) -> bool {
        self.quiet
    }

    /// Whether the user wants to hear more.
    pub fn verbose(&self) -> bool {
        self.verbose
    }

    /// A result: its text, or one JSON document with the same facts.
    pub fn show<T: Display + Serialize>(&self, value: &T) -> Result<()> {
        if self.json() {
            let json = serde_json::to_string_pretty(value).context(|| "cannot write JSON".to_owned())?;
            self.bytes(format!("{json}\n").as_bytes());
        } else {
            self.text(&value.to_string());
        }
        Ok(())
    }

    /// The same value again: in the place of the one before on a terminal, else after it; as JSON, one line.
    pub fn show_again<T: Display + Serialize>(&self, value: &T) -> Result<()> {
        if self.json() {
            let json = serde_json::to_string(value).context(|| "cannot write JSON".to_owned())?;
            self.bytes(format!("{json}\n").as_bytes());
        } else {
            let clear = if io::stdout().is_terminal() { "\x1b[H\x1b[J" } else { "" };
            self.bytes(format!("{clear}{}\n", visible(&value.to_string())).as_bytes());
        }
        Ok(())
    }

    /// Text to standard output.
    pub fn text(&self, text: &str) {
        let mut text = visible(text);
        if !text.is_empty() && !text.ends_with('\n') {
            text.push('\n');
        }
        self.bytes(text.as_bytes());
    }

    /// Bytes of our own to standard output, as they are.
    pub fn bytes(&self, bytes: &[u8]) {
        let mut trouble = self.trouble.lock().unwrap_or_else(PoisonError::into_inner);
        if trouble.is_some() {
            return;
        }
        let mut out = io::stdout().lock();
        if let Err(error) = out.write_all(bytes).and_then(|()| out.flush()) {
            *trouble = Some(error);
        }
    }

    /// Whether standard output still takes something. A pipe tells that its reader has left before anything is written to it.
    pub fn has_reader(&self) -> bool {
        let trouble = self.trouble.lock().unwrap_or_else(PoisonError::into_inner);
        let stdout = io::stdout();
        let mut asked = [PollFd::new(stdout.as_fd(), PollFlags::empty())];
        let left = poll(&mut asked, PollTimeout::ZERO).is_ok()
            && asked[0]
                .revents()
                .is_some_and(|said| said.intersects(PollFlags::POLLERR | PollFlags::POLLHUP));
        trouble.is_none() && !left
    }

    /// A remark.
    pub fn say(&self, text: &str) {
        if !self.quiet {
            Self::stderr(&visible(text));
        }
    }

    /// A line of a job's log.
    pub fn log(&self, line: &LogLine) {
        if self.quiet && !line.is_trouble() {
            return;
        }
        let role = if line.is_trouble() { Role::Error } else { Role::Faint };
        let (label, rest) = line.parts();
        Self::stderr(&format!("{} {}", self.paint(role, &visible(&label)), visible(&rest)));
    }

    /// A failure and what to do about it.
    pub fn failure(&self, failure: &Failure) {
        Self::stderr(&format!("{} {}", self.paint(Role::Error, "error:"), visible(&failure.to_string())));
        if let Some(hint) = failure.hint_text() {
            Self::stderr(&format!("\n{} {}", self.paint(Role::Hint, "hint:"), visible(hint)));
        }
    }

    /// Reports what went wrong with standard output, unless its reader just had enough.
    pub fn finish(&self) -> Result<()> {
        match self.trouble.lock().unwrap_or_else(PoisonError::into_inner).take() {
            Some(error) if error.kind() != io::ErrorKind::BrokenPipe => {
                Err(Failure::new("cannot write to standard output").source(error))
            }
            _ => Ok(()),
        }
    }

    fn paint(&self, role: Role, text: &str) -> String {
        let code = match role {
            Role::Error => "1;31",
            Role::Hint => "36",
            Role::Step => "1;32",
            Role::Faint => "2",
        };
        if self.color { format!("\x1b[{code}m{text}\x1b[0m") } else { text.to_owned() }
    }

    fn stderr(line: &str) {
        // There is nobody left to tell when standard error fails.
        drop(writeln!(io::stderr().lock(), "{line}"));
    }
}

impl Progress for Printer {
    fn step(&self, step: &str) {
        if !self.quiet {
            Self::stderr(&format!("{} {}", self.paint(Role::Step, "·"), visible(step)));
        }
    }
}
