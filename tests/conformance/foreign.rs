//! A pipeline that is there already: adopted, and then operated without a name that was typed by hand.

use std::sync::Arc;
use std::time::Instant;

use aws::Aws;
use target::{JobKind, Target};

use crate::end_to_end;
use crate::local::settings;
use crate::support::foreign::Foreign;
use crate::support::{Said, step};

pub(crate) async fn run() {
    let foreign = Foreign::deploy().await;
    let start = Instant::now();
    adopts(&foreign).await;
    asks_the_database(&foreign).await;
    step(&format!("the database has answered {:?} after the first command", start.elapsed()));
    looks_well(&foreign).await;
    runs_jobs(&foreign).await;
    invokes_function(&foreign).await;
    refuses(&foreign).await;
    names_temporary_folder_that_is_too_long(&foreign).await;
}

async fn adopts(foreign: &Foreign) {
    let (region, endpoint) = (foreign.moto.region, foreign.proxy.endpoint.as_str());
    let words = ["--region", region, "--endpoint-url", endpoint, "--ssl-mode", "disable", "adopt", "prod"];
    let printed = foreign.say(&words).await.worked();
    for expected in [
        "tag = \"Name=Bastion Host\"",
        "key = \"~/.ssh/BastionHost.pem\"",
        "[targets.prod.databases.master]\ninstance = \"database-master\"",
        "[targets.prod.databases.replica]\ninstance = \"database-replica\"",
        "password = { parameter = \"/cde/DB_PASS\" }",
        "[targets.prod.jobs.etl]\ntask-definition = \"data-pipeline-cluster\"\ncluster = \"data-pipeline-cluster\"",
        "schedule = \"nightly\"",
        "[targets.prod.jobs.download]\nfunction = \"downloadFileToS3\"\nschedule = \"hourly\"",
        "[targets.prod.logs]\nmetabase = \"/ecs/dashboard-cluster\"",
    ] {
        assert!(printed.out.contains(expected), "`{expected}` is not in {}", printed.out);
    }
    assert!(!foreign.config().exists(), "it only prints");
    let written = foreign.say(&[&words[..], &["--write"]].concat()).await.worked();
    assert!(written.err.contains("covidctl --target prod doctor"), "{written:?}");
    assert!(written.err.contains("console shows its host key"), "{written:?}");
    foreign.say(&[&words[..], &["--write"]].concat()).await.failed(2, &["prod"]);
    // Only root may serve on port 22, where the bastion of a real account is.
    let port = foreign.sshd.address().port();
    let user = crate::support::sshd::Sshd::user();
    let config = std::fs::read_to_string(foreign.config()).unwrap();
    let config = config.replace("user = \"ec2-user\"", &format!("user = \"{user}\"\nport = {port}"));
    std::fs::write(foreign.config(), config).unwrap();
}

async fn asks_the_database(foreign: &Foreign) {
    let words = ["--target", "prod", "psql", "--", "-Atc", "SELECT current_database()"];
    let answer = foreign.say(&words).await.worked();
    assert_eq!(answer.out.trim(), foreign.database.name, "{answer:?}");
    let words = ["--target", "prod", "psql", "replica", "--", "-Atc", "SELECT 1"];
    assert_eq!(foreign.say(&words).await.worked().out.trim(), "1");
    let words = [
        "--target",
        "prod",
        "tunnel",
        "exec",
        "--",
        "sh",
        "-c",
        "test -z \"$PGPASSWORD\" && psql -Atc 'SELECT 2'",
    ];
    assert_eq!(foreign.say(&words).await.worked().out.trim(), "2");
}

async fn looks_well(foreign: &Foreign) {
    let status = foreign.say(&["--target", "prod", "-o", "json", "status"]).await.worked().json();
    let mut names: Vec<&str> =
        status["parts"].as_array().unwrap().iter().map(|part| part["name"].as_str().unwrap()).collect();
    names.sort_unstable();
    let expected = [
        "bastion",
        "download",
        "last download",
        "last etl",
        "master",
        "replica",
        "schedule download",
        "schedule etl",
    ];
    assert_eq!(names, expected, "{status}");
    let doctor = foreign.say(&["--target", "prod", "doctor"]).await.worked();
    for expected in ["bastion", "logs", "job etl", "job download", "logged in to"] {
        assert!(doctor.out.contains(expected), "`{expected}` is not in {}", doctor.out);
    }
    assert!(!doctor.out.contains("failed"), "{}", doctor.out);
}

async fn runs_jobs(foreign: &Foreign) {
    let target = target(foreign);
    end_to_end::operates_described_job(&target, &JobKind::Etl, "loaded 1200 rows").await;
    let failed = foreign.say(&["--target", "prod", "run", "etl", "--env", "BREAK=1"]).await;
    assert_eq!(failed.code, Some(3), "{failed:?}");
    assert!(failed.err.contains("no space left"), "{failed:?}");
    let shown = foreign.say(&["--target", "prod", "runs", "show", "latest"]).await.worked();
    assert!(shown.out.contains("exited with code 3"), "{shown:?}");
    let years = foreign.say(&["--target", "prod", "run", "etl", "--years", "2021"]).await.worked();
    assert!(years.err.contains("years: 2021") || years.out.contains("years: 2021"), "{years:?}");
    let logs = foreign.say(&["--target", "prod", "logs", "etl", "--since", "1h"]).await.worked();
    assert!(logs.out.contains("loading 3 files"), "{logs:?}");
}

async fn invokes_function(foreign: &Foreign) {
    foreign.say(&["--target", "prod", "run", "download"]).await.worked();
    let failed = foreign.say(&["--target", "prod", "run", "download"]).await;
    assert_eq!(failed.code, Some(1), "{failed:?}");
    assert!(failed.err.contains("HTTPError: 503"), "{failed:?}");
    let runs = foreign.say(&["--target", "prod", "-o", "json", "runs"]).await.worked().json();
    let downloads = runs.as_array().unwrap().iter().filter(|run| run["kind"] == "download");
    let states: Vec<&str> = downloads.map(|run| run["status"].as_str().unwrap()).collect();
    assert_eq!(states, ["failed", "succeeded"], "{runs}");
    foreign.say(&["--target", "prod", "run", "download", "--env", "A=1"]).await.failed(2, &["`A`"]);
}

async fn refuses(foreign: &Foreign) {
    for (words, expected) in [
        (&["run", "report"][..], "the target `prod` has no job `report`"),
        (&["run", "pipeline"], "has no job `report`"),
        (&["psql", "archive"], "has no database `archive`"),
        (&["tunnel", "archive"], "there is no endpoint `archive`"),
        (&["--read-only", "psql"], "can only read is not known"),
        // None of these may touch the account or the database of others.
        (&["--yes", "up", "--release", "v1"], "programs of its own"),
        (&["--yes", "down", "--delete-data"], "programs of its own"),
        (&["--yes", "selftest", "--release", "v1"], "programs of its own"),
        (&["db", "init"], "programs of its own"),
        (&["db", "migrate"], "programs of its own"),
        (&["db", "status"], "programs of its own"),
        (&["releases"], "programs of its own"),
        (&["--yes", "releases", "rollback"], "programs of its own"),
        (&["reports"], "programs of its own"),
        (&["datasets"], "has no datasets"),
    ] {
        foreign.say(&[&["--target", "prod"], words].concat()).await.failed(2, &[expected]);
    }
}

/// A socket has a short path, and one of each session stands in the temporary folder.
async fn names_temporary_folder_that_is_too_long(foreign: &Foreign) {
    let folder = foreign.config().with_file_name("t".repeat(120));
    std::fs::create_dir(&folder).unwrap();
    let mut command = foreign.covidctl(&["--target", "prod", "psql", "--", "-Atc", "SELECT 1"]);
    command.env("TMPDIR", &folder);
    Said::of(command).await.failed(1, &["cannot listen on", "TMPDIR"]);
}

fn target(foreign: &Foreign) -> Target {
    let config = foreign.config().display().to_string();
    let mut settings = settings(
        &["--target".to_owned(), "prod".to_owned(), "--config".to_owned(), config]
            .each_ref()
            .map(String::as_str),
    )
    .aws;
    settings.records = foreign.config().with_file_name("records");
    let aws = Arc::new(Aws::new(&settings, Arc::new(|_| {})));
    Target { bastion: Some(Arc::clone(&aws) as _), ..Target::of(aws) }
}
