//! Runs child processes; converts failures into [`Failure`].

use std::ffi::OsStr;
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

use common::failure::{Context as _, Failure, Result};

/// Limits the start of a server.
const START_TIMEOUT: Duration = Duration::from_mins(1);

pub(crate) fn workspace() -> PathBuf {
    let xtask = Path::new(env!("CARGO_MANIFEST_DIR"));
    xtask.parent().unwrap_or(xtask).to_path_buf()
}

/// Returns cargo's target folder, derived from the path of this program in `target/debug/`.
pub(crate) fn target() -> Result<PathBuf> {
    let program = std::env::current_exe().context(|| "cannot find this program's own file".to_owned())?;
    let folder = program.ancestors().nth(2).map(Path::to_path_buf);
    folder.ok_or_else(|| Failure::new(format!("`{}` is not in a target folder", program.display())))
}

/// Returns `cargo …` in the workspace, without the variables of `cargo run`, which would cause rebuilds.
pub(crate) fn cargo(arguments: &str) -> Command {
    let mut command = Command::new("cargo");
    command.args(arguments.split(' ')).current_dir(workspace()).stdin(Stdio::null());
    for (name, _) in std::env::vars_os() {
        let text = name.to_string_lossy();
        if text.starts_with("CARGO_PKG_") || text.starts_with("CARGO_MANIFEST_") {
            command.env_remove(&name);
        }
    }
    command
}

/// Runs a command with its output on the terminal.
pub(crate) fn run(command: &mut Command) -> Result<()> {
    let status = command.status().context(|| cannot_start(command))?;
    if status.success() {
        return Ok(());
    }
    Err(Failure::new(format!("`{}` failed: {status}", line_of(command))))
}

/// Runs a command and returns its stdout; the failure contains its stderr.
pub(crate) fn output_of(command: &mut Command) -> Result<String> {
    let output = command.stdin(Stdio::null()).output().context(|| cannot_start(command))?;
    if output.status.success() {
        return Ok(String::from_utf8_lossy(&output.stdout).into_owned());
    }
    let stderr = String::from_utf8_lossy(&output.stderr);
    Err(Failure::new(format!("`{}` failed: {}", line_of(command), stderr.trim())))
}

/// A program that runs in the background; killed when dropped.
pub(crate) struct Background(Child);

impl Background {
    pub(crate) fn start(command: &mut Command) -> Result<Self> {
        let child = command.stdin(Stdio::null()).stdout(Stdio::null()).spawn();
        child.map(Self).context(|| cannot_start(command))
    }
}

impl Drop for Background {
    fn drop(&mut self) {
        drop(self.0.kill());
        drop(self.0.wait());
    }
}

/// Returns an address on the loopback whose port is free at this moment.
pub(crate) fn free_address() -> Result<SocketAddr> {
    let address = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).and_then(|listener| listener.local_addr());
    address.context(|| "cannot find a free port on 127.0.0.1".to_owned())
}

pub(crate) fn wait_until_listening(address: SocketAddr, name: &str) -> Result<()> {
    let start = Instant::now();
    while TcpStream::connect(address).is_err() {
        if start.elapsed() > START_TIMEOUT {
            return Err(Failure::new(format!("{name} does not answer on {address}")));
        }
        std::thread::sleep(Duration::from_millis(20));
    }
    Ok(())
}

/// Kills a child and its descendants; without `/proc`, only the child.
pub(crate) fn kill_with_descendants(child: &mut Child) -> Result<()> {
    let mut processes = Vec::from_iter(i32::try_from(child.id()));
    let mut visited = 0;
    while let Some(id) = processes.get(visited) {
        let children = std::fs::read_to_string(format!("/proc/{id}/task/{id}/children")).unwrap_or_default();
        processes.extend(children.split_whitespace().filter_map(|id| id.parse::<i32>().ok()));
        visited += 1;
    }
    for id in processes.into_iter().skip(1) {
        // It may have ended already.
        _ = kill(Pid::from_raw(id), Signal::SIGKILL);
    }
    child.kill().and_then(|()| child.wait()).map(drop).context(|| "cannot end a child process".to_owned())
}

/// Returns the first folder of PATH that contains `program`.
pub(crate) fn folder_on_path(program: &str) -> Option<PathBuf> {
    let path = std::env::var_os("PATH")?;
    std::env::split_paths(&path).find(|folder| folder.join(program).is_file())
}

/// Returns the command line.
pub(crate) fn line_of(command: &Command) -> String {
    let words = std::iter::once(command.get_program()).chain(command.get_args());
    words.map(OsStr::to_string_lossy).collect::<Vec<_>>().join(" ")
}

pub(crate) fn cannot_start(command: &Command) -> String {
    format!("cannot start `{}`", command.get_program().to_string_lossy())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn output_of_failing_command_has_its_stderr() {
        let failure = output_of(Command::new("sh").args(["-c", "echo no room >&2; exit 3"])).unwrap_err();
        assert_eq!(failure.to_string(), "`sh -c echo no room >&2; exit 3` failed: no room");
    }

    #[test]
    fn kill_ends_child_and_its_children() {
        let mut child = Command::new("sh")
            .args(["-c", "sleep 600 & echo $!; wait"])
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut lines = std::io::BufReader::new(child.stdout.take().unwrap());
        let mut line = String::new();
        std::io::BufRead::read_line(&mut lines, &mut line).unwrap();
        kill_with_descendants(&mut child).unwrap();
        // The grandchild held the pipe open, too.
        std::io::Read::read_to_string(&mut lines, &mut line).unwrap();
    }

    #[test]
    fn run_of_missing_program_names_it() {
        let failure = run(&mut Command::new("/no/such/program")).unwrap_err();
        assert!(
            failure.to_string().starts_with("cannot start `/no/such/program`: No such file"),
            "{failure}"
        );
    }
}
