//! Calls of this program, and the folder with what they said: `commands`, a file each, and `answers`, what AWS answered.

use std::ffi::{OsStr, OsString};
use std::path::{Path, PathBuf};
use std::process::Stdio;

use aws::Redaction;
use chrono::Utc;
use common::failure::{Context as _, Failure, Result};
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use serde_json::Value;
use tokio::io::{AsyncBufReadExt as _, AsyncRead, AsyncReadExt as _, BufReader};
use tokio::process::Command;

use crate::printer::Printer;
use crate::settings::{RECORD_KEY, Settings};
use crate::signals::Signals;

pub(super) struct Transcript<'a> {
    printer: &'a Printer,
    folder: PathBuf,
    redaction: Redaction,
    key: String,
    target_flags: Vec<OsString>,
    count: usize,
}

impl<'a> Transcript<'a> {
    /// Creates the folder, by default one in the current folder.
    pub(super) fn create(folder: Option<&Path>, settings: &Settings, printer: &'a Printer) -> Result<Self> {
        let name = || PathBuf::from(format!("covidctl-selftest-{}", Utc::now().format("%Y%m%dT%H%M%SZ")));
        let folder = std::path::absolute(folder.map_or_else(name, Path::to_owned))
            .context(|| "cannot find the current directory")?;
        std::fs::create_dir_all(folder.join("commands"))
            .context(|| format!("cannot create `{}`", folder.display()))?;
        let key = uuid::Uuid::new_v4().to_string();
        let redaction = Redaction::new(&key);
        Ok(Self { printer, folder, redaction, key, target_flags: settings.target_flags(), count: 0 })
    }

    pub(super) fn folder(&self) -> &Path {
        &self.folder
    }

    pub(super) fn redact(&self, text: &str) -> String {
        self.redaction.redact(text)
    }

    pub(super) fn write(&self, name: &str, content: &[u8]) -> Result<()> {
        let file = self.folder.join(name);
        std::fs::write(&file, content).context(|| format!("cannot write `{}`", file.display()))
    }

    /// Calls this program on the same target and returns its standard output. Messages are shown while it runs.
    pub(super) async fn covidctl(&mut self, words: &[impl AsRef<OsStr>]) -> Result<String> {
        let program = std::env::current_exe().context(|| "cannot find this program")?;
        let words: Vec<&OsStr> = words.iter().map(AsRef::as_ref).collect();
        let line = words.iter().map(|word| word.to_string_lossy()).collect::<Vec<_>>().join(" ");
        let mut command = Command::new(program);
        command.args(&self.target_flags).arg("--record").arg(self.folder.join("answers")).args(&words);
        command.env(RECORD_KEY, &self.key);
        self.call(command, &format!("covidctl {line}")).await
    }

    /// Like [`Self::covidctl`], with a JSON document on standard output.
    pub(super) async fn json(&mut self, words: &[&str]) -> Result<Value> {
        let text = self.covidctl(&[words, &["--output", "json"]].concat()).await?;
        serde_json::from_str(&text)
            .context(|| format!("`covidctl {}` did not print a JSON document", words.join(" ")))
    }

    /// Runs a command line of the operator's in a shell.
    pub(super) async fn shell(&mut self, line: &str, environment: &[(&str, &str)]) -> Result<String> {
        let mut command = Command::new("sh");
        command.args(["-c", line]).envs(environment.iter().copied());
        self.call(command, line).await
    }

    async fn call(&mut self, mut command: Command, line: &str) -> Result<String> {
        self.printer.note(&format!("$ {line}"));
        let mut signals = Signals::listen()?;
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped()).kill_on_drop(true);
        let mut child = command.spawn().context(|| format!("cannot start `{line}`"))?;
        let pid = child.id().and_then(|pid| i32::try_from(pid).ok()).map(Pid::from_raw);
        let (out, err) = (child.stdout.take(), child.stderr.take());
        let printer = self.printer;
        let ended = async {
            let (out, err) = tokio::join!(all(out), shown(err, printer));
            (child.wait().await, out, err)
        };
        tokio::pin!(ended);
        let mut interrupted = None;
        let (status, out, err) = loop {
            tokio::select! {
                ended = &mut ended => break ended,
                failure = signals.next() => {
                    // The terminal sends Ctrl-C to the command, too; a second signal does no harm.
                    if let Some(pid) = pid {
                        _ = kill(pid, Signal::SIGINT);
                    }
                    interrupted = Some(failure);
                }
            }
        };
        let status = status.context(|| format!("cannot wait for `{line}`"))?;
        self.count += 1;
        let name = format!("commands/{:02}.txt", self.count);
        let text = format!("$ {line}\n{status}\n\n== standard output\n{out}\n== standard error\n{err}");
        self.write(&name, self.redact(&text).as_bytes())?;
        if let Some(failure) = interrupted {
            return Err(failure);
        }
        if status.success() {
            return Ok(out);
        }
        let said = err.lines().rev().find_map(|line| line.strip_prefix("error: "));
        let failure = Failure::new(format!("`{line}` failed ({status})"));
        let failure = match said {
            Some(said) => failure.source(said.to_owned()),
            None => failure,
        };
        Err(failure.hint(format!("read `{}`", self.folder.join(name).display())))
    }
}

/// Shows lines as they come; returns all of them.
async fn shown(source: Option<impl AsyncRead + Unpin>, printer: &Printer) -> String {
    let mut all = String::new();
    let Some(source) = source else { return all };
    let mut lines = BufReader::new(source).lines();
    while let Ok(Some(line)) = lines.next_line().await {
        printer.note(&format!("  {line}"));
        all.push_str(&line);
        all.push('\n');
    }
    all
}

async fn all(source: Option<impl AsyncRead + Unpin>) -> String {
    let mut bytes = Vec::new();
    if let Some(mut source) = source {
        _ = source.read_to_end(&mut bytes).await;
    }
    String::from_utf8_lossy(&bytes).into_owned()
}
