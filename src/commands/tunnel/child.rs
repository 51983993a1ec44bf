//! A child process in the foreground: it gets our signals, and we end with it.

use std::ffi::OsString;
use std::io::IsTerminal as _;
use std::process::ExitStatus;

use common::failure::{Context as _, Exit, Failure, Result};
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use tokio::process::Command;

/// What in the user's environment would lead to another database.
pub(in crate::commands) const MISLEADING: [&str; 3] = ["PGSERVICE", "PGSERVICEFILE", "PGHOSTADDR"];

/// A running command.
pub(in crate::commands) struct Child {
    child: tokio::process::Child,
    name: String,
}

impl Child {
    pub(in crate::commands) fn start(
        words: &[OsString],
        environment: Vec<(&'static str, OsString)>,
    ) -> Result<Self> {
        let [program, arguments @ ..] = words else {
            return Err(Failure::usage("there is no command after `--`"));
        };
        let name = program.to_string_lossy().into_owned();
        let mut command = Command::new(program);
        // What would lead elsewhere.
        for name in MISLEADING {
            command.env_remove(name);
        }
        command.args(arguments).envs(environment).kill_on_drop(true);
        let child = command.spawn().map_err(|error| {
            Failure::new(format!("cannot start `{name}`"))
                .source(error)
                .hint("is it installed, and spelled right?")
                .exit_code(Exit::NotStarted)
        })?;
        Ok(Self { child, name })
    }

    pub(in crate::commands) async fn ended(&mut self) -> Result<ExitStatus> {
        self.child.wait().await.context(|| format!("cannot wait for `{}`", self.name))
    }

    /// A signal that came to us. A terminal sends Ctrl-C to the child itself.
    pub(in crate::commands) fn pass_on(&self, exit: Exit) {
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
            // It may have ended in this moment.
            _ = kill(Pid::from_raw(id), signal);
        }
    }
}
