//! Help, usage errors, and the commands that need no target.

use clap::CommandFactory as _;
use serde_json::Value;

use crate::support::{call, covidctl};

/// Returns the command lines of a command and its subcommands.
fn command_lines(command: &clap::Command, prefix: &[String], all: &mut Vec<Vec<String>>) {
    all.push(prefix.to_vec());
    for subcommand in command.get_subcommands() {
        command_lines(subcommand, &[prefix, &[subcommand.get_name().to_owned()]].concat(), all);
    }
}

#[test]
fn help_of_every_command_matches_snapshot() {
    let mut all = Vec::new();
    command_lines(&covidctl::cli::Cli::command(), &[], &mut all);
    let mut help_pages = Vec::new();
    for command in all {
        let output =
            covidctl().args(&command).arg("--help").env("COVIDCTL_TARGET", "private-value").output().unwrap();
        let help = String::from_utf8(output.stdout).unwrap();
        assert!(output.status.success() && output.stderr.is_empty(), "{command:?}");
        assert!(!help.contains("private-value"), "values of the environment are private: {command:?}");
        // The options of every command stand in the first help alone.
        let own =
            if command.is_empty() { help.as_str() } else { help.split("\nGlobal options:").next().unwrap() };
        help_pages.push(format!(
            "$ {} --help\n{}\n\n",
            ["covidctl".to_owned()].into_iter().chain(command).collect::<Vec<_>>().join(" "),
            own.trim_end()
        ));
    }
    insta::assert_snapshot!("help", help_pages.concat());
}

#[test]
fn usage_errors_match_snapshot() {
    let folder = tempfile::tempdir().unwrap();
    let config = folder.path().join("config.toml");
    std::fs::write(&config, "colour = 'never'").unwrap();
    let config = config.to_str().unwrap();
    let mut text = String::new();
    for command in [
        &["--target", "moon", "status"][..],
        &["run", "etl", "--timeout", "soon"],
        &["run", "etl", "--env", "NAME"],
        &["run", "pipeline", "--no-wait"],
        &["-o", "raw", "status"],
        &["--read-only", "run", "etl"],
        &["--config", config, "status"],
        &["--config", "/nonexistent/config.toml", "status"],
        &["up", "--dry-run"],
        &["db", "init"],
        &["tunnel"],
        &["tunnel", "--bastion", "ec2-user@bastion.example"],
    ] {
        let output = call(command);
        assert_eq!((output.code, output.out.as_str()), (Some(2), ""), "{command:?}");
        text.push_str(&format!("$ covidctl {}\n{}\n", command.join(" "), output.err).replace(config, "FILE"));
    }
    insta::assert_snapshot!("usage_errors", text);
}

#[test]
fn unknown_words_are_usage_errors_on_standard_error() {
    for words in [
        &["--nonsense"][..],
        &["nonsense"],
        &["run"],
        &["run", "nothing"],
        &["run", "etl", "--timeout", "soon"],
        &["run", "etl", "--env", "NAME"],
        &["demo", "--rows", "0"],
        &["-o", "xml", "status"],
        &["--quiet", "--verbose", "status"],
        &[],
    ] {
        let finished = call(words);
        assert_eq!((finished.code, finished.out.as_str()), (Some(2), ""), "{words:?}");
        assert!(!finished.err.is_empty(), "{words:?}");
    }
}

#[test]
fn unknown_target_error_lists_targets() {
    let finished = call(&["--target", "moon", "status"]);
    assert_eq!(finished.code, Some(2));
    for word in ["moon", "local", "aws"] {
        assert!(finished.err.contains(word), "{word}: {}", finished.err);
    }
}

#[test]
fn config_shows_origin_of_each_value() {
    let output = covidctl()
        .args(["config", "-o", "json", "--data-dir", "/some/where"])
        .env("COVIDCTL_TARGET", "local")
        .output()
        .unwrap();
    let settings: Value = serde_json::from_slice(&output.stdout).unwrap();
    let find =
        |name: &str| settings.as_array().unwrap().iter().find(|setting| setting["name"] == name).unwrap();
    assert_eq!(
        (&find("data-dir")["value"], &find("data-dir")["origin"]),
        (&"/some/where".into(), &"flag".into())
    );
    assert_eq!(
        (&find("target")["value"], &find("target")["origin"]),
        (&"local".into(), &"environment".into())
    );
    assert_eq!(find("color")["origin"], "default");
}

#[test]
fn config_reads_environment_and_no_color() {
    let output =
        covidctl().args(["config"]).env("NO_COLOR", "1").env("COVIDCTL_READ_ONLY", "true").output().unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    let row = |name: &str| {
        let line = text.lines().find(|line| line.starts_with(name)).unwrap();
        line.split_whitespace().skip(1).collect::<Vec<_>>().join(" ")
    };
    assert_eq!(row("color"), "never environment");
    assert_eq!(row("read-only"), "true environment");
}

#[test]
fn completions_and_manual_pages_cover_all_commands() {
    assert!(call(&["completions", "bash"]).out.contains("--delete-data"));
    for (shell, names) in
        [("bash", "level message time"), ("zsh", "(level message time"), ("fish", "level\\t''")]
    {
        let script = call(&["completions", shell]).out;
        assert!(script.contains(names), "{shell} completes the fields of --where");
    }
    assert!(call(&["man"]).out.contains(".TH covidctl"));
    let folder = tempfile::tempdir().unwrap();
    assert_eq!(call(&["man", "--dir", folder.path().to_str().unwrap()]).code, Some(0));
    assert!(folder.path().join("covidctl-demo.1").is_file());
}
