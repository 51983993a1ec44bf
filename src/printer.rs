//! Standard output and standard error: data go to the first, everything else to the second.
//!
//! A closed pipe (`covidctl runs | head -1`) is not an error: further output is dropped. Any other error on standard output, such as a
//! full disk, is reported at the end. Text is escaped here, so that text from outside cannot control the terminal.

use std::borrow::Cow;
use std::fmt::Display;
use std::io::{self, IsTerminal as _, Write as _};
use std::os::fd::AsFd as _;
use std::sync::{Arc, LazyLock, Mutex, PoisonError};

use anstyle::{AnsiColor, Style};
use clap::CommandFactory as _;
use common::ascii;
use common::failure::{Context as _, Failure, Result};
use common::terminal::{visible, visible_json};
use common::text::table;
use logs::LogLine;
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use regex::{Captures, Regex};
use serde::Serialize;
use target::{Origin, Progress};
use tunnel::EventSink;

use crate::cli::Cli;
use crate::settings::{Color, Format, Settings};

/// The escape sequence that moves the cursor home and clears the screen.
const CLEAR: &str = "\x1b[H\x1b[J";

/// Prints as the settings say.
#[derive(Debug, Default)]
#[expect(clippy::struct_excessive_bools, reason = "independent settings")]
pub struct Printer {
    format: Format,
    color: bool,
    color_data: bool,
    quiet: bool,
    verbose: bool,
    /// The target, if a flag names it.
    target: Option<String>,
    /// The first error on standard output.
    stdout_error: Mutex<Option<io::Error>>,
}

/// The role of text on standard error, which determines its style.
#[derive(Debug, Clone, Copy)]
enum Role {
    Error,
    Hint,
    Step,
    Dim,
}

impl Printer {
    /// Returns a sink that prints the events of tunnels, except `ready`, on standard error.
    pub fn tunnel_events(self: &Arc<Self>) -> EventSink {
        let printer = Arc::clone(self);
        Arc::new(move |event| {
            if !event.is_ready() {
                printer.note(&event.to_string());
            }
        })
    }

    /// Returns a printer with the colors, format and verbosity of the settings.
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
            target: (settings.target.origin == Origin::Flag).then(|| settings.target.value.clone()),
            stdout_error: Mutex::default(),
        }
    }

    pub fn format(&self) -> Format {
        self.format
    }

    pub fn colors_data(&self) -> bool {
        self.color_data
    }

    pub fn json(&self) -> bool {
        self.format == Format::Json
    }

    pub fn quiet(&self) -> bool {
        self.quiet
    }

    pub fn verbose(&self) -> bool {
        self.verbose
    }

    /// Prints a value as text or as a JSON document, on standard output.
    pub fn show<T: Display + Serialize>(&self, value: &T) -> Result<()> {
        self.show_as(value, T::to_string)
    }

    /// Prints a value as a JSON document, or as the text that `text` returns.
    pub fn show_as<T: Serialize>(&self, value: &T, text: impl FnOnce(&T) -> String) -> Result<()> {
        if self.json() {
            return self.document(value);
        }
        self.text(&text(value));
        Ok(())
    }

    /// Prints a value as a JSON document.
    pub fn document<T: Serialize>(&self, value: &T) -> Result<()> {
        let json = serde_json::to_string_pretty(value).context(|| "cannot write JSON")?;
        self.bytes(visible_json(&format!("{json}\n")).as_bytes());
        Ok(())
    }

    /// Prints values as a JSON array, or as a table with the cells that `cells` returns.
    pub fn show_table<T: Serialize, const N: usize>(
        &self,
        heads: [&str; N],
        values: &[T],
        cells: impl Fn(&T) -> [String; N],
    ) -> Result<()> {
        self.show_as(&values, |values| table(heads, values.iter().map(cells)))
    }

    /// Prints a value that changes: replaces the screen of a terminal, otherwise appends; JSON takes one line.
    pub fn refresh<T: Display + Serialize>(&self, value: &T) -> Result<()> {
        if self.json() {
            let json = serde_json::to_string(value).context(|| "cannot write JSON")?;
            self.bytes(visible_json(&format!("{json}\n")).as_bytes());
        } else {
            let clear = if io::stdout().is_terminal() { CLEAR } else { "" };
            let text = visible(&value.to_string());
            self.bytes(format!("{clear}{}\n", ascii::in_locale(&text)).as_bytes());
        }
        Ok(())
    }

    /// Prints text on standard output, escaped.
    pub fn text(&self, text: &str) {
        let mut text = ascii::in_locale(&visible(text)).into_owned();
        if !text.is_empty() && !text.ends_with('\n') {
            text.push('\n');
        }
        self.bytes(text.as_bytes());
    }

    /// Prints bytes of this program on standard output, unescaped.
    pub fn bytes(&self, bytes: &[u8]) {
        let mut stdout_error = self.stdout_error.lock().unwrap_or_else(PoisonError::into_inner);
        if stdout_error.is_some() {
            return;
        }
        let mut out = io::stdout().lock();
        if let Err(error) = out.write_all(bytes).and_then(|()| out.flush()) {
            *stdout_error = Some(error);
        }
    }

    /// Returns whether standard output is still open. A pipe reports a closed reader before anything is written to it.
    pub fn has_reader(&self) -> bool {
        let failed = self.stdout_error.lock().unwrap_or_else(PoisonError::into_inner).is_some();
        let stdout = io::stdout();
        let mut polled = [PollFd::new(stdout.as_fd(), PollFlags::empty())];
        let closed = poll(&mut polled, PollTimeout::ZERO).is_ok()
            && polled[0]
                .revents()
                .is_some_and(|events| events.intersects(PollFlags::POLLERR | PollFlags::POLLHUP));
        !failed && !closed
    }

    /// Prints a message on standard error, unless `--quiet` is set.
    pub fn note(&self, text: &str) {
        if !self.quiet {
            Self::stderr(&visible(&self.for_target(text)));
        }
    }

    /// Returns the text with `--target` in every command line of this program, if the current one has it.
    pub fn for_target<'a>(&self, text: &'a str) -> Cow<'a, str> {
        static COMMAND: LazyLock<Regex> = LazyLock::new(|| {
            let names: Vec<String> =
                Cli::command().get_subcommands().map(|command| command.get_name().to_owned()).collect();
            Regex::new(&format!(r"\bcovidctl ({})\b", names.join("|"))).expect("names of commands are words")
        });
        match &self.target {
            None => text.into(),
            Some(target) => COMMAND.replace_all(text, |found: &Captures<'_>| {
                format!("covidctl --target {target} {}", &found[1])
            }),
        }
    }

    /// Prints a line of a job's log on standard error.
    pub fn log(&self, line: &LogLine) {
        if self.quiet && !line.is_warning() {
            return;
        }
        let role = if line.is_warning() { Role::Error } else { Role::Dim };
        let (label, rest) = line.parts();
        Self::stderr(&format!("{} {}", self.paint(role, &visible(&label)), visible(&rest)));
    }

    /// Prints an error and its hint on standard error.
    pub fn failure(&self, failure: &Failure) {
        Self::stderr(&format!(
            "{} {}",
            self.paint(Role::Error, "error:"),
            visible(&self.for_target(&failure.to_string()))
        ));
        if let Some(hint) = failure.hint_text() {
            Self::stderr(&format!(
                "\n{} {}",
                self.paint(Role::Hint, "hint:"),
                visible(&self.for_target(hint))
            ));
        }
    }

    /// Returns the error on standard output, if there was one other than a closed pipe.
    pub fn finish(&self) -> Result<()> {
        match self.stdout_error.lock().unwrap_or_else(PoisonError::into_inner).take() {
            Some(error) if error.kind() != io::ErrorKind::BrokenPipe => {
                Err(Failure::new("cannot write to standard output").source(error))
            }
            _ => Ok(()),
        }
    }

    fn paint(&self, role: Role, text: &str) -> String {
        let style = match role {
            Role::Error => Style::new().bold().fg_color(Some(AnsiColor::Red.into())),
            Role::Hint => Style::new().fg_color(Some(AnsiColor::Cyan.into())),
            Role::Step => Style::new().bold().fg_color(Some(AnsiColor::Green.into())),
            Role::Dim => Style::new().dimmed(),
        };
        if self.color { format!("{style}{text}{style:#}") } else { text.to_owned() }
    }

    fn stderr(line: &str) {
        // An error on standard error cannot be reported anywhere.
        drop(writeln!(io::stderr().lock(), "{}", ascii::in_locale(line)));
    }
}

impl Progress for Printer {
    fn step(&self, step: &str) {
        if !self.quiet {
            Self::stderr(&format!("{} {}", self.paint(Role::Step, "·"), visible(step)));
        }
    }
}
