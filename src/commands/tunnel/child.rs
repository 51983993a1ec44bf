//! A program in the foreground, which gets the signals of this process and determines its exit code.

use std::ffi::OsString;
use std::io::IsTerminal as _;
use std::os::unix::process::ExitStatusExt as _;
use std::pin::pin;
use std::process::ExitStatus;

use common::failure::{Context as _, Exit, Failure, Result};
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use tokio::process::{Child, Command};

use crate::signals::Signals;

/// Variables of the user's environment that would select another database.
const OVERRIDES: [&str; 3] = ["PGSERVICE", "PGSERVICEFILE", "PGHOSTADDR"];

/// Runs a program (the first word) with arguments (the others) and forwards signals to it. It is terminated if `failed` returns first.
pub(in crate::commands) async fn run(
    words: &[OsString],
    environment: Vec<(&'static str, OsString)>,
    signals: &mut Signals,
    failed: impl Future<Output = Failure>,
) -> Result<()> {
    let [program, arguments @ ..] = words else {
        return Err(Failure::usage("there is no command after `--`"));
    };
    let name = program.display();
    let mut command = Command::new(program);
    for name in OVERRIDES {
        command.env_remove(name);
    }
    command.args(arguments).envs(environment).kill_on_drop(true);
    let mut child = command.spawn().map_err(|error| {
        Failure::new(format!("cannot start `{name}`"))
            .source(error)
            .hint("check that it is installed and on PATH")
            .exit_code(Exit::NotStarted)
    })?;
    let mut failed = pin!(failed);
    let mut failure = None;
    let status = loop {
        tokio::select! {
            status = child.wait() => break status,
            signal = signals.next() => forward(&child, signal.exit()),
            error = &mut failed, if failure.is_none() => {
                failure = Some(error);
                send(&child, Signal::SIGTERM);
            }
        }
    };
    let status = status.context(|| format!("cannot wait for `{name}`"))?;
    failure.map_or_else(|| exit_result(status), Err)
}

/// Forwards a signal that this process received, except Ctrl-C on a terminal, which the terminal sends to the child itself; it cancels the
/// query of psql.
fn forward(child: &Child, exit: Exit) {
    match exit {
        Exit::Interrupted if std::io::stdin().is_terminal() => {}
        Exit::Interrupted => send(child, Signal::SIGINT),
        Exit::Child(129) => send(child, Signal::SIGHUP),
        _ => send(child, Signal::SIGTERM),
    }
}

fn send(child: &Child, signal: Signal) {
    if let Some(id) = child.id().and_then(|id| i32::try_from(id).ok()) {
        // An error means that the child has just ended.
        _ = kill(Pid::from_raw(id), signal);
    }
}

/// Returns an error with the child's exit code; for a signal, 128 and its number, as a shell does.
fn exit_result(status: ExitStatus) -> Result<()> {
    if status.success() {
        return Ok(());
    }
    let what = || format!("the command ended with {status}");
    let code = status.code().or_else(|| status.signal().map(|signal| 128 + signal)).unwrap_or(1);
    let code = u8::try_from(code).context(what)?;
    Err(Failure::new(what()).exit_code(Exit::Child(code)))
}
