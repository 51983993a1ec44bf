//! Several targets in one configuration file.

use serde_json::Value;

use crate::support::{Finished, covidctl};

const FILE: &str = "
[targets.lab]
kind = 'local'
data-dir = 'lab'

[targets.prod]
kind = 'aws'
region = 'us-east-1'
profile = 'cde'
prefix = '/cde'
";

fn call(folder: &tempfile::TempDir, words: &[&str]) -> Finished {
    let config = folder.path().join("config.toml");
    std::fs::write(&config, FILE).unwrap();
    covidctl().arg("--config").arg(config).args(words).output().unwrap().into()
}

#[test]
fn targets_of_configuration_file_are_listed_and_selected() {
    let folder = tempfile::tempdir().unwrap();
    let listed = call(&folder, &["--target", "prod", "targets", "-o", "json"]);
    let targets: Value = serde_json::from_str(&listed.out).unwrap();
    let names: Vec<&str> =
        targets.as_array().unwrap().iter().map(|target| target["name"].as_str().unwrap()).collect();
    assert_eq!(names, ["local", "aws", "lab", "prod"]);
    assert_eq!((&targets[3]["current"], &targets[0]["current"]), (&true.into(), &false.into()));
    assert_eq!(targets[3]["location"], "profile cde, region us-east-1, prefix /cde");

    let status = call(&folder, &["--target", "lab", "status", "-o", "json"]);
    let status: Value = serde_json::from_str(&status.out).unwrap();
    assert_eq!(status["place"]["target"], "lab");
    assert_eq!(status["place"]["location"], folder.path().join("lab").to_str().unwrap());
}

#[test]
fn commands_in_hints_name_the_target_of_the_flag() {
    let folder = tempfile::tempdir().unwrap();
    let refused = call(&folder, &["--target", "lab", "releases"]);
    assert!(refused.err.contains("the target `lab` is not up"), "{}", refused.err);
    assert!(refused.err.contains("covidctl --target lab up"), "{}", refused.err);
    let refused = call(&folder, &["releases", "--data-dir", folder.path().join("x").to_str().unwrap()]);
    assert!(refused.err.contains("covidctl up"), "{}", refused.err);
}

#[test]
fn unknown_target_and_wrong_kind_are_usage_errors() {
    let folder = tempfile::tempdir().unwrap();
    let unknown = call(&folder, &["--target", "prd", "status"]);
    assert_eq!(unknown.code, Some(2));
    assert!(
        unknown.err.contains("there is no target `prd`") && unknown.err.contains("lab, prod"),
        "{}",
        unknown.err
    );
    let wrong = call(&folder, &["--target", "prod", "demo", "--headless"]);
    assert_eq!(wrong.code, Some(2));
    assert!(wrong.err.contains("--target local or --target lab"), "{}", wrong.err);
}
