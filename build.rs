//! Puts the version with its commit and date into the program, and the address of the repository that released it.
//!
//! The commit comes from the environment (`COVIDCTL_COMMIT`, `COVIDCTL_COMMIT_DATE`), from the file that `git archive` fills in, or from
//! git. Debug builds do not ask git, so that a commit recompiles nothing. Without any of them, the version stands alone.

use std::path::Path;
use std::process::Command;

/// `git archive` replaces its content: see `.gitattributes`.
const ARCHIVED: &str = "packaging/commit.txt";

/// Digits of a commit.
const DIGITS: usize = 12;

fn main() {
    println!("cargo::rerun-if-changed=build.rs");
    println!("cargo::rerun-if-changed={ARCHIVED}");
    for name in ["COVIDCTL_COMMIT", "COVIDCTL_COMMIT_DATE", "COVIDCTL_REPOSITORY"] {
        println!("cargo::rerun-if-env-changed={name}");
    }
    let (commit, date) = from_environment().or_else(from_archive).or_else(from_git).unwrap_or_default();
    let version = env!("CARGO_PKG_VERSION");
    let long = match (commit.as_str(), date.as_str()) {
        ("", _) => version.to_owned(),
        (commit, "") => format!("{version} ({commit})"),
        (commit, date) => format!("{version} ({commit} {date})"),
    };
    let repository = variable("COVIDCTL_REPOSITORY").unwrap_or_default();
    println!("cargo::rustc-env=BUILD_VERSION={long}");
    println!("cargo::rustc-env=BUILD_COMMIT={commit}");
    println!("cargo::rustc-env=BUILD_DATE={date}");
    println!("cargo::rustc-env=BUILD_REPOSITORY={}", repository.trim_end_matches('/'));
}

fn variable(name: &str) -> Option<String> {
    std::env::var_os(name).and_then(|value| value.into_string().ok()).filter(|value| !value.is_empty())
}

fn from_environment() -> Option<(String, String)> {
    let commit = variable("COVIDCTL_COMMIT")?;
    Some((shortened(&commit), variable("COVIDCTL_COMMIT_DATE").unwrap_or_default()))
}

/// Reads `<commit> <date>`; in a clone the placeholders are still there.
fn from_archive() -> Option<(String, String)> {
    let text = std::fs::read_to_string(ARCHIVED).ok()?;
    let (commit, date) = text.trim().split_once(' ')?;
    commit.bytes().all(|byte| byte.is_ascii_hexdigit()).then(|| (shortened(commit), date.to_owned()))
}

/// Asks git, in optimized builds of a clone.
fn from_git() -> Option<(String, String)> {
    if variable("PROFILE")? != "release" {
        return None;
    }
    // A tarball that was unpacked inside another repository is no clone of this one.
    let top = std::fs::canonicalize(git(&["rev-parse", "--show-toplevel"])?).ok()?;
    if top != std::fs::canonicalize(env!("CARGO_MANIFEST_DIR")).ok()? {
        return None;
    }
    let log = git(&["rev-parse", "--git-path", "logs/HEAD"])?;
    if Path::new(&log).is_file() {
        println!("cargo::rerun-if-changed={log}");
    }
    let answer = git(&["log", "-1", "--format=%H %cs"])?;
    let (commit, date) = answer.split_once(' ')?;
    let changed = if git(&["status", "--porcelain", "--untracked-files=no"]).is_some() { "+" } else { "" };
    Some((format!("{}{changed}", shortened(commit)), date.to_owned()))
}

/// Returns what git prints, if it prints anything.
fn git(arguments: &[&str]) -> Option<String> {
    let output = Command::new("git").args(arguments).output().ok()?;
    let text = String::from_utf8(output.stdout).ok()?;
    let text = text.trim();
    (output.status.success() && !text.is_empty()).then(|| text.to_owned())
}

fn shortened(commit: &str) -> String {
    commit.chars().take(DIGITS).collect()
}
