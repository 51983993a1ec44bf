//! AWS on this machine: an emulator, what it lacks in front of it, and real ends behind it.

pub(crate) mod call;
pub(crate) mod cloud;
mod database;
pub(crate) mod ecs;
pub(crate) mod fault;
pub(crate) mod foreign;
pub(crate) mod lambda;
pub(crate) mod ministack;
pub(crate) mod moto;
pub(crate) mod permissions;
pub(crate) mod policies;
pub(crate) mod proxy;
pub(crate) mod roles;

#[path = "../../tunnel/support/sshd.rs"]
#[expect(dead_code, reason = "the tunnel's own tests use more of it")]
pub(crate) mod sshd;

#[path = "../../../etl/tests/download/server.rs"]
#[expect(dead_code, reason = "the download's own tests use more of it")]
pub(crate) mod server;

#[path = "../../tui/terminal.rs"]
#[expect(dead_code, reason = "the screens' own tests use more of it")]
pub(crate) mod terminal;

#[path = "../../tunnel/support/tls.rs"]
pub(crate) mod tls;

use std::net::TcpListener;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

/// Nothing here takes so long, unless it hangs.
const PATIENCE: Duration = Duration::from_mins(3);

/// Names the step that begins; the output of a failed test ends with the step that failed.
#[expect(clippy::print_stdout, reason = "the test harness captures it")]
pub(crate) fn step(name: &str) {
    println!("step: {name}");
}

/// Waits for something to become true.
#[track_caller]
pub(crate) fn until(what: &str, mut is_true: impl FnMut() -> bool) {
    let start = Instant::now();
    while !is_true() {
        assert!(start.elapsed() < PATIENCE, "{what}: not within {PATIENCE:?}");
        std::thread::sleep(Duration::from_millis(20));
    }
}

/// What a finished program said.
#[derive(Debug)]
pub(crate) struct Said {
    pub(crate) code: Option<i32>,
    pub(crate) out: String,
    pub(crate) err: String,
}

impl Said {
    /// Runs it to its end, while the emulator's front in this process goes on.
    pub(crate) async fn of(command: Command) -> Self {
        let mut command = tokio::process::Command::from(command);
        let output = tokio::time::timeout(PATIENCE, command.kill_on_drop(true).output()).await;
        let output = output.unwrap_or_else(|_| panic!("it does not end: {command:?}")).unwrap();
        let text = |bytes| String::from_utf8(bytes).unwrap();
        Self { code: output.status.code(), out: text(output.stdout), err: text(output.stderr) }
    }

    /// It worked; gives what it said.
    #[track_caller]
    pub(crate) fn worked(self) -> Self {
        assert_eq!(self.code, Some(0), "{self:?}");
        self
    }

    /// The code, and a sentence and a hint that have these words in them.
    #[track_caller]
    pub(crate) fn failed(&self, code: i32, words: &[&str]) {
        assert_eq!(self.code, Some(code), "{self:?}");
        assert!(self.err.contains("hint: "), "{self:?}");
        for word in words {
            assert!(self.err.contains(word), "`{word}` is not in {self:?}");
        }
        assert!(!self.err.contains("panicked"), "{self:?}");
    }

    /// What it said as one JSON document.
    #[track_caller]
    pub(crate) fn json(&self) -> serde_json::Value {
        serde_json::from_str(&self.out).unwrap_or_else(|error| panic!("{error}: {self:?}"))
    }
}

/// Starts an emulator on a free port of this machine: its address, and the process, which ends with this one.
pub(crate) fn server(
    program: &str,
    stderr: Stdio,
    words: impl FnOnce(String) -> Vec<String>,
) -> (String, Child) {
    let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    // The shell ends it as soon as its standard input ends, which is when this process does, in whatever way.
    let child = Command::new("sh")
        .args(["-c", "\"$0\" \"$@\" & server=$!; read -r _; kill $server", program])
        .args(words(port.to_string()))
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .stderr(stderr)
        .spawn()
        .unwrap();
    until("the emulator answers", || std::net::TcpStream::connect(("127.0.0.1", port)).is_ok());
    (format!("http://127.0.0.1:{port}"), child)
}

/// A variable of the test's own environment.
#[expect(
    clippy::disallowed_methods,
    reason = "tests have no command line: the test command passes things this way"
)]
pub(crate) fn environment(name: &str) -> String {
    std::env::var(name).unwrap_or_else(|_| panic!("{name} is not set: run `cargo xtask test`"))
}
