//! Asking for a passphrase: only on the terminal itself, and without showing it.

use std::fs::File;
use std::io::{BufRead as _, BufReader, Write as _};

use nix::sys::termios::{LocalFlags, SetArg, Termios, tcgetattr, tcsetattr};

/// Puts the terminal back as it was, also when the question is interrupted.
struct Silence {
    terminal: File,
    before: Termios,
}

impl Silence {
    fn new(terminal: File) -> nix::Result<Self> {
        let before = tcgetattr(&terminal)?;
        let mut silent = before.clone();
        silent.local_flags.remove(LocalFlags::ECHO);
        tcsetattr(&terminal, SetArg::TCSAFLUSH, &silent)?;
        Ok(Self { terminal, before })
    }
}

impl Drop for Silence {
    fn drop(&mut self) {
        _ = tcsetattr(&self.terminal, SetArg::TCSAFLUSH, &self.before);
        // The Enter that ended it was not shown either.
        drop(self.terminal.write_all(b"\n"));
    }
}

/// Asks; says why where there is nobody to ask.
pub(super) async fn ask(question: &str) -> Result<String, String> {
    let none =
        || "it has a passphrase, and there is no terminal to ask on; add it to the ssh agent".to_owned();
    let terminal = File::options().read(true).write(true).open("/dev/tty").map_err(|_| none())?;
    let reader = terminal.try_clone().map_err(|_| none())?;
    // Silent before the question is there: who answers at once is neither shown nor, with what was typed before, forgotten.
    let mut silence = Silence::new(terminal).map_err(|_| none())?;
    silence.terminal.write_all(question.as_bytes()).map_err(|_| none())?;
    let (answered, answer) = tokio::sync::oneshot::channel();
    // In a thread of its own, because it cannot be cancelled: Ctrl-C must end the program, not wait for Enter.
    std::thread::spawn(move || {
        let mut line = String::new();
        let read = BufReader::new(reader).read_line(&mut line);
        drop(answered.send(read.map(|_| line)));
    });
    let line = answer.await.map_err(|_| none())?.map_err(|error| error.to_string())?;
    drop(silence);
    Ok(line.trim_end_matches(['\r', '\n']).to_owned())
}
