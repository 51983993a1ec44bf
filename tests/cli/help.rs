//! Help, wrong words, and the commands that need no target.

use serde_json::Value;

use crate::support::{call, covidctl};

#[test]
fn help_names_the_commands_and_is_an_answer() {
    let said = call(&["--help"]);
    assert_eq!((said.code, said.err.as_str()), (Some(0), ""));
    for command in [
        "demo", "up", "down", "status", "run", "logs", "runs", "releases", "reports", "datasets", "db",
        "psql", "tunnel", "config", "doctor",
    ] {
        assert!(said.out.lines().any(|line| line.trim_start().starts_with(command)), "{command}");
    }
    assert!(!said.out.contains("COVIDCTL_TARGET="), "values of the environment are nobody's business");
}

#[test]
fn wrong_words_are_usage_errors_on_standard_error() {
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
        let said = call(words);
        assert_eq!((said.code, said.out.as_str()), (Some(2), ""), "{words:?}");
        assert!(!said.err.is_empty(), "{words:?}");
    }
}

#[test]
fn a_target_that_is_not_there_is_named_beside_those_that_are() {
    let said = call(&["--target", "moon", "status"]);
    assert_eq!(said.code, Some(2));
    for word in ["moon", "local", "aws"] {
        assert!(said.err.contains(word), "{word}: {}", said.err);
    }
}

#[test]
fn config_says_where_each_value_comes_from() {
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
fn the_environment_and_no_color_are_settings_too() {
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
fn completions_and_the_manual_are_made_from_the_same_words() {
    assert!(call(&["completions", "bash"]).out.contains("--delete-data"));
    assert!(call(&["man"]).out.contains(".TH covidctl"));
    let folder = tempfile::tempdir().unwrap();
    assert_eq!(call(&["man", "--dir", folder.path().to_str().unwrap()]).code, Some(0));
    assert!(folder.path().join("covidctl-demo.1").is_file());
}
