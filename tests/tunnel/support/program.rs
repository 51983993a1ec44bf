//! The `covidctl` binary.

use std::io::{BufRead as _, BufReader, Read as _};
use std::net::{SocketAddr, TcpStream};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{Receiver, channel};

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use serde_json::Value;

use super::{Sshd, WAIT_LIMIT};

/// The exit code and the output of a program.
#[derive(Debug)]
pub(crate) struct Finished {
    pub(crate) code: Option<i32>,
    pub(crate) out: String,
    pub(crate) err: String,
}

/// Returns the program with the server's folder as home and configuration folder, so that nothing of the user's is read.
pub(crate) fn covidctl(sshd: &Sshd, words: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_covidctl"));
    for name in ["SSH_AUTH_SOCK", "COVIDCTL_CONFIG", "COVIDCTL_TARGET", "NO_COLOR", "ALL_PROXY", "all_proxy"]
    {
        command.env_remove(name);
    }
    command
        .args(words)
        .env("HOME", sshd.folder())
        .env("XDG_CONFIG_HOME", sshd.folder())
        .env("XDG_STATE_HOME", sshd.folder())
        .stdin(Stdio::null());
    command
}

/// Returns the arguments of a tunnel that is closed at once.
pub(crate) fn exec_words(sshd: &Sshd, more: &[&str]) -> Vec<String> {
    let bastion = sshd.bastion();
    let words = ["tunnel", "exec", "-L", "0:127.0.0.1:1", "--bastion", &bastion];
    [&words[..], more, &["--", "true"]].concat().into_iter().map(str::to_owned).collect()
}

/// Opens a tunnel and closes it.
pub(crate) fn log_in(sshd: &Sshd, more: &[&str]) -> Finished {
    Finished::of(covidctl(sshd, &[]).args(exec_words(sshd, more)))
}

/// A running tunnel that prints its events as JSON.
pub(crate) struct Tunnel {
    program: Child,
    events: Receiver<Value>,
    locals: Vec<SocketAddr>,
}

impl Tunnel {
    /// Opens a tunnel to a port on this machine.
    pub(crate) fn to(sshd: &Sshd, target: SocketAddr) -> Self {
        Self::with(sshd, &["-L", &format!("0:{target}")])
    }

    /// Opens a tunnel with these arguments, the bastion and the key.
    pub(crate) fn with(sshd: &Sshd, words: &[&str]) -> Self {
        let mut tunnel = Self::spawn(sshd, words);
        let ready = tunnel.event("ready");
        let local = |forwarding: &Value| forwarding["local"].as_str().unwrap().parse().unwrap();
        tunnel.locals = ready["forwardings"].as_array().unwrap().iter().map(local).collect();
        tunnel
    }

    fn spawn(sshd: &Sshd, words: &[&str]) -> Self {
        let id = sshd.file("id");
        let mut program = covidctl(sshd, &["-o", "json", "tunnel"])
            .args(words)
            .args(["--bastion", &sshd.bastion(), "-i"])
            .arg(id)
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let (sender, events) = channel();
        let out = program.stdout.take().unwrap();
        std::thread::spawn(move || {
            for line in BufReader::new(out).lines().map_while(Result::ok) {
                drop(sender.send(serde_json::from_str(&line).unwrap()));
            }
        });
        Self { program, events, locals: Vec::new() }
    }

    /// Waits for an event of this kind and skips others.
    #[track_caller]
    pub(crate) fn event(&mut self, kind: &str) -> Value {
        loop {
            match self.events.recv_timeout(WAIT_LIMIT) {
                Ok(event) if event["event"] == kind => return event,
                Ok(_) => {}
                Err(error) => panic!("no event `{kind}` ({error}): {}", self.errors()),
            }
        }
    }

    fn errors(&mut self) -> String {
        drop(self.program.kill());
        let mut text = String::new();
        drop(self.program.stderr.take().unwrap().read_to_string(&mut text));
        text
    }

    pub(crate) fn local(&self) -> SocketAddr {
        self.locals[0]
    }

    pub(crate) fn connect(&self) -> TcpStream {
        self.connect_to(0)
    }

    /// Connects to one of several forwardings.
    pub(crate) fn connect_to(&self, number: usize) -> TcpStream {
        let stream = TcpStream::connect(self.locals[number]).unwrap();
        stream.set_read_timeout(Some(WAIT_LIMIT)).unwrap();
        stream.set_write_timeout(Some(WAIT_LIMIT)).unwrap();
        stream
    }

    pub(crate) fn id(&self) -> Pid {
        Pid::from_raw(i32::try_from(self.program.id()).unwrap())
    }

    /// Returns the number of open file descriptors.
    pub(crate) fn descriptors(&self) -> usize {
        std::fs::read_dir(format!("/proc/{}/fd", self.id())).unwrap().count()
    }

    /// Returns the resident memory in bytes.
    pub(crate) fn resident(&self) -> u64 {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.id())).unwrap();
        let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).unwrap();
        line.trim().trim_end_matches(" kB").parse::<u64>().unwrap() * 1024
    }

    /// Sends SIGINT and waits.
    pub(crate) fn interrupt(self) -> Finished {
        kill(self.id(), Signal::SIGINT).unwrap();
        self.wait()
    }

    pub(crate) fn wait(mut self) -> Finished {
        let mut err = String::new();
        self.program.stderr.take().unwrap().read_to_string(&mut err).unwrap();
        let code = self.program.wait().unwrap().code();
        Finished { code, out: String::new(), err }
    }
}

impl Drop for Tunnel {
    fn drop(&mut self) {
        drop(self.program.kill());
        drop(self.program.wait());
    }
}

impl Finished {
    pub(crate) fn run(sshd: &Sshd, words: &[&str]) -> Self {
        Self::of(&mut covidctl(sshd, words))
    }

    pub(crate) fn of(command: &mut Command) -> Self {
        let output = command.output().unwrap();
        let text = |bytes| String::from_utf8(bytes).unwrap();
        Self { code: output.status.code(), out: text(output.stdout), err: text(output.stderr) }
    }

    /// Asserts the exit code, and that the error contains these words and has a hint.
    #[track_caller]
    pub(crate) fn assert_failed(&self, code: i32, words: &[&str]) {
        assert_eq!(self.code, Some(code), "{self:?}");
        assert!(self.err.contains("\nhint: "), "{self:?}");
        for word in words {
            assert!(self.err.contains(word), "`{word}` is not in {self:?}");
        }
    }
}
