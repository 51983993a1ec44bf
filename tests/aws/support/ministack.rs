//! ministack: a server that lives a stack's life as CloudFormation does: events, changes, rolling back. One for each test, because
//! it has one account and one set of stacks.

use std::path::{Path, PathBuf};
use std::process::{Child, Command};

use super::policies::principal;
use super::{Said, environment, server};

/// Its program, as `cargo xtask test` has installed it.
const TEST_MINISTACK: &str = "TEST_MINISTACK";

/// Where `cargo xtask test` has put the templates as the emulators take them.
const TEST_STACKS: &str = "TEST_STACKS";

/// A ministack of its own; it ends with this value.
pub(crate) struct Ministack {
    pub(crate) endpoint: String,
    folder: tempfile::TempDir,
    _child: Child,
}

impl Ministack {
    pub(crate) fn start() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let state = folder.path().join("state").display().to_string();
        let (endpoint, child) = server("env", std::process::Stdio::null(), |port| {
            let settings = ["BIND_HOST=127.0.0.1", "MINISTACK_HOST=127.0.0.1", "LAMBDA_EXECUTOR=local"];
            let mut words: Vec<String> = settings.iter().map(|word| (*word).to_owned()).collect();
            words.extend([
                format!("GATEWAY_PORT={port}"),
                format!("STATE_DIR={state}"),
                environment(TEST_MINISTACK),
            ]);
            words
        });
        Self { endpoint, folder, _child: child }
    }

    /// Signals the failure of a resource that waits for a signal, as soon as it waits.
    pub(crate) async fn fail_resource(&self, stack: &str, resource: &str) {
        let body = format!(
            "Action=SignalResource&Version=2010-05-15&StackName={stack}&LogicalResourceId={resource}&UniqueId=1&Status=FAILURE"
        );
        let http = reqwest::Client::new();
        let authorization = "AWS4-HMAC-SHA256 Credential=test/20220605/us-east-1/cloudformation/aws4_request, SignedHeaders=host, Signature=0";
        loop {
            let request = http.post(&self.endpoint).body(body.clone()).header("authorization", authorization);
            let request = request.header("content-type", "application/x-www-form-urlencoded");
            if request.send().await.unwrap().status().is_success() {
                return;
            }
            tokio::task::yield_now().await;
        }
    }

    pub(crate) fn covidctl(&self, words: &[&str]) -> Command {
        covidctl(&self.endpoint, "us-east-1", self.folder.path(), words)
    }

    pub(crate) async fn say(&self, words: &[&str]) -> Said {
        Said::of(self.covidctl(words)).await
    }
}

/// The program, on an emulator's account and with nothing of the user's own.
pub(crate) fn covidctl(endpoint: &str, region: &str, home: &Path, words: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_covidctl"));
    command
        .env_clear()
        .env("PATH", environment("PATH"))
        .env("HOME", home)
        .env("AWS_ACCESS_KEY_ID", principal(words))
        .env("AWS_SECRET_ACCESS_KEY", "test")
        .args(["--target", "aws", "--region", region, "--endpoint-url", endpoint, "--ssl-mode", "disable"])
        .args(words)
        .stdin(std::process::Stdio::null());
    command
}

/// A copy of the templates as an emulator takes them, to be changed.
pub(crate) struct Templates {
    folder: tempfile::TempDir,
}

impl Templates {
    pub(crate) fn of(emulator: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        for file in std::fs::read_dir(Path::new(&environment(TEST_STACKS)).join(emulator)).unwrap().flatten()
        {
            std::fs::copy(file.path(), folder.path().join(file.file_name())).unwrap();
        }
        Self { folder }
    }

    /// The folder's name, for `--templates`.
    pub(crate) fn path(&self) -> String {
        self.folder.path().display().to_string()
    }

    /// Changes the resources of one template.
    pub(crate) fn change(&self, name: &str, change: impl FnOnce(&mut serde_json::Value)) {
        let file = self.file(name);
        let mut template = serde_json::from_slice(&std::fs::read(&file).unwrap()).unwrap();
        change(&mut template);
        std::fs::write(file, template.to_string()).unwrap();
    }

    fn file(&self, name: &str) -> PathBuf {
        let files = std::fs::read_dir(self.folder.path()).unwrap().flatten().map(|file| file.path());
        let mut files = files.filter(|file| file.display().to_string().ends_with(&format!("-{name}.json")));
        files.next().unwrap()
    }
}
