//! A child process in the foreground, which gets the signals of this process and determines its exit code.

use std::ffi::OsString;
use std::io::IsTerminal as _;
use std::os::unix::process::ExitStatusExt as _;
use std::process::ExitStatus;

use common::failure::{Context as _, Exit, Failure, Result};
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use tokio::process::Command;

/// Variables of the user's environment that would select another database.
const OVERRIDES: [&str; 3] = ["PGSERVICE", "PGSERVICEFILE", "PGHOSTADDR"];

pub(in crate::commands) struct Child {
    child: tokio::process::Child,
    name: String,
}

impl Child {
    /// Starts a program (the first word) with arguments (the others).
    pub(in crate::commands) fn start(
        words: &[OsString],
        environment: Vec<(&'static str, OsString)>,
    ) -> Result<Self> {
        let [program, arguments @ ..] = words else {
            return Err(Failure::usage("there is no command after `--`"));
        };
        let name = program.to_string_lossy().into_owned();
        let mut command = Command::new(program);
        for name in OVERRIDES {
            command.env_remove(name);
        }
        command.args(arguments).envs(environment).kill_on_drop(true);
        let child = command.spawn().map_err(|error| {
            Failure::new(format!("cannot start `{name}`"))
                .source(error)
                .hint("check that it is installed and on PATH")
                .exit_code(Exit::NotStarted)
        })?;
        Ok(Self { child, name })
    }

    pub(in crate::commands) async fn ended(&mut self) -> Result<ExitStatus> {
        self.child.wait().await.context(|| format!("cannot wait for `{}`", self.name))
    }

    /// Forwards a signal that this process received, except Ctrl-C on a terminal, which the terminal sends to the child itself.
    pub(in crate::commands) fn forward_signal(&self, exit: Exit) {
        match exit {
            Exit::Interrupted if std::io::stdin().is_terminal() => {}
            Exit::Interrupted => self.send(Signal::SIGINT),
            Exit::Child(129) => self.send(Signal::SIGHUP),
            _ => self.terminate(),
        }
    }

    pub(super) fn terminate(&self) {
        self.send(Signal::SIGTERM);
    }

    fn send(&self, signal: Signal) {
        if let Some(id) = self.child.id().and_then(|id| i32::try_from(id).ok()) {
            // An error means that the child has just ended.
            _ = kill(Pid::from_raw(id), signal);
        }
    }
}

/// Returns an error with the child's exit code; for a signal, 128 and its number, as a shell does.
pub(in crate::commands) fn exit_result(status: ExitStatus) -> Result<()> {
    if status.success() {
        return Ok(());
    }
    let what = || format!("the command ended with {status}");
    let code = status.code().or_else(|| status.signal().map(|signal| 128 + signal)).unwrap_or(1);
    let code = u8::try_from(code).context(what)?;
    Err(Failure::new(what()).exit_code(Exit::Child(code)))
}
