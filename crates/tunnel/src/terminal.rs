//! Questions on the terminal of the process, `/dev/tty`, whatever standard input and output are.

use std::fs::File;
use std::io::{BufRead as _, BufReader, Write as _};

use nix::sys::termios::{LocalFlags, SetArg, Termios, tcgetattr, tcsetattr};

/// Whether what is typed is shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Echo {
    On,
    Off,
}

/// Why there is no answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum NoAnswer {
    /// The process has no terminal.
    NoTerminal,
    Failed(String),
}

/// The terminal's settings, which are restored when dropped, also if the question is cancelled by a signal.
struct Quiet {
    terminal: File,
    before: Termios,
}

impl Quiet {
    fn new(terminal: File) -> nix::Result<Self> {
        let before = tcgetattr(&terminal)?;
        let mut silent = before.clone();
        silent.local_flags.remove(LocalFlags::ECHO);
        tcsetattr(&terminal, SetArg::TCSAFLUSH, &silent)?;
        Ok(Self { terminal, before })
    }
}

impl Drop for Quiet {
    fn drop(&mut self) {
        _ = tcsetattr(&self.terminal, SetArg::TCSAFLUSH, &self.before);
        // The line break that was typed was not echoed.
        drop(self.terminal.write_all(b"\n"));
    }
}

/// Asks and returns the line that is typed. Echo is disabled before the question is shown, so that no typed character is visible. Control
/// characters in the question, which may come from the server, are escaped.
pub(crate) async fn ask(question: &str, echo: Echo) -> Result<String, NoAnswer> {
    let open = || File::options().read(true).write(true).open("/dev/tty").map_err(|_| NoAnswer::NoTerminal);
    let (mut terminal, reader) = (open()?, open()?);
    let _quiet = match echo {
        Echo::On => None,
        Echo::Off => Some(Quiet::new(open()?).map_err(|_| NoAnswer::NoTerminal)?),
    };
    let question = common::terminal::visible(question);
    terminal.write_all(question.as_bytes()).map_err(|_| NoAnswer::NoTerminal)?;
    let (sender, line) = tokio::sync::oneshot::channel();
    // A thread of its own, which the runtime does not wait for: reading cannot be cancelled, and Ctrl-C must end the program.
    std::thread::spawn(move || {
        let mut line = String::new();
        let read = BufReader::new(reader).read_line(&mut line);
        drop(sender.send(read.map(|_| line)));
    });
    let line = line.await.map_err(|_| NoAnswer::NoTerminal)?;
    let line = line.map_err(|error| NoAnswer::Failed(error.to_string()))?;
    Ok(line.trim_end_matches(['\r', '\n']).to_owned())
}
