//! The commands of the documentation: each is valid, and is run here or has a reason why not. What a page shows is compared.

mod pages;
mod transcript;

use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::process::{Command, Stdio};

use clap::error::ErrorKind;

use self::pages::{Example, examples};
use crate::support::{Finished, Target};

/// Commands that are not run here, by their beginning, and where or why.
const ELSEWHERE: [(&str, &str); 17] = [
    ("bash docs/guides/night-shift.sh", "tests/aws"),
    ("covidctl                        #", "tests/tui"),
    ("covidctl --target aws", "tests/aws"),
    ("covidctl dashboard", "tests/dashboard"),
    ("covidctl db init", "tests/aws"),
    ("covidctl demo", "`demo`"),
    ("covidctl down", "`target`; at the end of this test"),
    ("covidctl psql --iam", "tests/aws"),
    ("covidctl run pipeline", "downloads from the ministry; `download`"),
    ("covidctl status --watch", "never ends; `target`"),
    ("covidctl tunnel", "tests/tunnel"),
    ("covidctl up --dry-run", "tests/aws"),
    ("covidctl up --parameter", "tests/aws"),
    ("covidctl up --release", "tests/aws"),
    ("covidctl up", "`target`; at the beginning of this test"),
    ("covidctl version --check", "`version`"),
    ("curl -fsSL https://", "xtask: `package::installer`"),
];

/// Pages whose commands need an account or a cluster, and where they are tested.
const PAGES_ELSEWHERE: [(&str, &str); 2] =
    [("docs/guides/adopt.md", "tests/aws"), ("docs/guides/citus.md", "etl/tests/citus")];

/// Programs that belong to others, or to the development of this one.
const OTHER_PROGRAMS: [&str; 11] =
    ["aws", "cargo", "curl", "export", "gh", "git", "group=$(aws", "psql", "sh", "sudo", "SELFTEST_ANSWERS="];

#[test]
fn every_command_line_of_the_documentation_is_valid() {
    let mut invalid = Vec::new();
    for example in examples() {
        // The value of a command substitution is not known here.
        for words in example.calls().into_iter().filter(|words| !words.iter().any(|word| word.contains("$(")))
        {
            let definition = if words[0] == "etl" {
                etl::cli::command()
            } else {
                <covidctl::cli::Cli as clap::CommandFactory>::command()
            };
            // Environment variables may stand for required options.
            if let Err(error) = definition.try_get_matches_from(&words)
                && !matches!(
                    error.kind(),
                    ErrorKind::DisplayHelp | ErrorKind::DisplayVersion | ErrorKind::MissingRequiredArgument
                )
            {
                invalid.push(format!("{}: {}\n{error}", example.page, example.line));
            }
        }
    }
    assert!(invalid.is_empty(), "{}", invalid.join("\n"));
}

/// What the pages describe, in an order that makes sense: preparations, and lines of the documentation with the exit code.
enum Step {
    Prepare(&'static str),
    Run(&'static str, i32),
}

use Step::{Prepare, Run};

const STORY: [Step; 31] = [
    Prepare("covidctl up && etl sample --rows 20000 --seed 1 --dirty 0.01 --out data/store"),
    Run("covidctl run etl --years all", 0),
    Prepare("covidctl run report"),
    Run("covidctl logs etl report --since 10m --tail 2", 0),
    Prepare("etl sample --rows 9000 --seed 2 --out data/store"),
    Run("covidctl run etl --years all          # after the file was replaced by a smaller one", 1),
    Run("covidctl releases", 0),
    Run(
        "covidctl logs --run latest --where 'level >= warn and reason = \"malformed\" and not (rows < 10)'",
        0,
    ),
    Prepare("etl sample --rows 21000 --seed 3 --dirty 0.01 --out data/store && export YEARS=all"),
    Run(
        "covidctl run etl                 # load the datasets in storage, and publish them if they pass the publish gate",
        0,
    ),
    Run("covidctl releases                # list releases", 0),
    Run("covidctl releases rollback       # publish the previous release again", 0),
    Run("covidctl run etl --force", 0),
    Run("covidctl psql -- -c 'ANALYZE'", 0),
    Prepare("echo '2026-01-01T00:00:00Z ERROR exception=PSQLException' | gzip > old.log.gz"),
    Run("zcat old.log.gz | covidctl logs --file - --where 'exception =~ PSQL' --histogram 1h", 0),
    Prepare(
        "etl sample --rows 3000 --seed 1 --out archive/first && etl sample --rows 4000 --seed 1 --out archive/second",
    ),
    Run(
        "etl backtest --releases archive        # archive/2021-10-10/Covid19Casos.zip, archive/2021-10-17/Covid19Casos.zip, …",
        // Both samples end on the same day: there is nothing to look back from.
        1,
    ),
    Prepare(
        "seq 1 60 | awk 'BEGIN { print \"day,cases,deaths\" } { print $1 \",\" 20 + $1 \",\" ($1 > 20) }' > cases.csv",
    ),
    Prepare("printf 'day,probability\\n0,0\\n1,0.5\\n2,0.3\\n3,0.2\\n' > interval.csv"),
    Prepare(
        "{ echo reference_date,delay_days,count; for day in $(seq 0 59); do echo $(date -d \"2021-08-17 $day days\" +%F),$((day % 3)),$((5 + day % 7)); done; } > triangle.csv",
    ),
    Run("etl estimate reproduction --incidence cases.csv --serial-interval-gamma 4.7,2.9", 0),
    Run("etl estimate reproduction --incidence cases.csv --serial-interval interval.csv --window 14", 0),
    Run("etl estimate fatality --incidence cases.csv --delay-gamma 2.40,3.33", 0),
    Run("etl estimate nowcast --reports triangle.csv --max-delay 40 --as-of 2021-10-15", 0),
    Prepare("mkdir -p ~/.local/share/bash-completion/completions"),
    Run("covidctl completions bash > ~/.local/share/bash-completion/completions/covidctl", 0),
    Run("covidctl man --dir ~/.local/share/man/man1", 0),
    Run("covidctl --version", 0),
    Prepare("covidctl down"),
    Run("covidctl doctor", 1),
];

#[test]
fn every_command_of_the_documentation_is_run_or_has_a_reason() {
    let runs: Vec<&str> =
        STORY.iter().filter_map(|step| if let Run(line, _) = step { Some(*line) } else { None }).collect();
    let examples = examples();
    let untested: Vec<String> = examples
        .iter()
        .filter(|Example { page, .. }| PAGES_ELSEWHERE.iter().all(|(elsewhere, _)| page != elsewhere))
        .filter(|Example { line, .. }| {
            let typed = line.split(" #").next().unwrap_or_default().trim();
            let run = runs.iter().any(|run| run.split(" #").next().unwrap_or_default().trim() == typed);
            let elsewhere = ELSEWHERE.iter().any(|(start, _)| line.starts_with(start));
            let other = OTHER_PROGRAMS.iter().any(|program| line.starts_with(program));
            !(run || elsewhere || other)
        })
        .map(|Example { page, line, .. }| format!("{page}: {line}"))
        .collect();
    assert!(untested.is_empty(), "{untested:#?}");
    for line in runs {
        assert!(examples.iter().any(|example| example.line == line), "no page has `{line}`");
    }
    for (start, _) in ELSEWHERE {
        assert!(examples.iter().any(|example| example.line.starts_with(start)), "no page has `{start}`");
    }
}

/// A directory with `covidctl` and `etl` as programs, and the data of a target in `data`.
struct Shell {
    target: Target,
    environment: Vec<(String, String)>,
}

impl Shell {
    fn new() -> Self {
        let target = Target::new();
        let folder = target.data().parent().unwrap().to_owned();
        let program = env!("CARGO_BIN_EXE_covidctl");
        // Without a terminal, what asks for confirmation needs an answer.
        write_program(&folder.join("bin/covidctl"), &format!("exec {program} --yes \"$@\""));
        write_program(&folder.join("bin/etl"), &format!("exec {program} etl \"$@\""));
        Self { target, environment: Vec::new() }
    }

    fn run(&mut self, line: &str) -> Finished {
        let folder = self.target.data().parent().unwrap().to_owned();
        let path = std::env::var_os("PATH").unwrap().into_string().unwrap();
        if let Some(variable) = line.split("export ").nth(1) {
            let (name, value) = variable.split_once('=').unwrap();
            self.environment.push((name.to_owned(), value.to_owned()));
        }
        let output = Command::new("bash")
            .args(["-c", &format!("set -eo pipefail\n{line}")])
            .current_dir(&folder)
            .env("PATH", format!("{}:{path}", folder.join("bin").display()))
            .env("HOME", &folder)
            .env("XDG_CONFIG_HOME", "/nonexistent")
            .env("COVIDCTL_DATA_DIR", self.target.data())
            .env("LOG_FORMAT", "text")
            .envs(self.environment.iter().cloned())
            .env_remove("COVIDCTL_TARGET")
            .stdin(Stdio::null())
            .output();
        output.unwrap().into()
    }
}

fn write_program(path: &Path, text: &str) {
    std::fs::create_dir_all(path.parent().unwrap()).unwrap();
    std::fs::write(path, format!("#!/bin/sh\n{text}\n")).unwrap();
    std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o755)).unwrap();
}

#[test]
fn local_commands_of_the_documentation_print_what_it_shows() {
    let mut shell = Shell::new();
    let examples = examples();
    for step in &STORY {
        let (Prepare(line) | Run(line, _)) = step;
        let finished = shell.run(line);
        let wanted = if let Run(_, code) = step { *code } else { 0 };
        assert_eq!(finished.code, Some(wanted), "{line}\n{}{}", finished.out, finished.err);
        let printed = format!("{}{}", finished.out, finished.err)
            .replace(&shell.target.data().display().to_string(), "/srv/covidctl");
        for example in examples.iter().filter(|example| matches!(step, Run(..)) && example.line == *line) {
            assert!(
                transcript::matches(&example.output, &printed),
                "{}: `{line}` is shown with\n{}\nand prints\n{printed}",
                example.page,
                example.output
            );
        }
    }
}
