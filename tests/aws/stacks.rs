//! `covidctl up` and `down` create, change, roll back, resume and delete the stacks.
//!
//! moto emulates the resources, ministack the statuses; xtask/stacks/adapt.py removes from the templates what each of them lacks.

use serde_json::{Value, json};
use tokio::io::{AsyncBufReadExt as _, BufReader};

use crate::permissions::assert_unused;
use crate::support::ministack::{Ministack, Templates, covidctl};
use crate::support::moto::Moto;
use crate::support::proxy::{Fault, Proxy};
use crate::support::terminal::Terminal;
use crate::support::{Said, step, until};

/// The flags that the first `up` needs.
const FIRST: [&str; 10] = [
    "--parameter",
    "OperatorCidr=198.51.100.7/32",
    "--release",
    "v1",
    "--parameter",
    "ci.Repository=example/covid19",
    "--parameter",
    "OwnerId=123456",
    "--parameter",
    "RepositoryId=456789",
];

const STACKS: [&str; 9] =
    ["network", "bastion", "database", "storage", "registry", "pipeline", "ingest", "dashboard", "ci"];

// Tests of their own need the rest of the administrator's policy, and are evaluated by it.
const INIT: &str = "database.rs: `db init` goes through the bastion";
const SELFTEST: &str = "a self-test stores them";
const INTERRUPTED: &str = "recovery.rs: change sets of interrupted commands are withdrawn";
const REFUSED: &str = "recovery.rs: CloudFormation refuses a template";
const RUIN: &str = "recovery.rs: a first creation has failed";
const TASKS: &str = "recovery.rs: tasks run when their cluster is deleted";

/// Adds a resource that is never ready, so that the operation is rolled back.
fn break_it(template: &mut Value) {
    template["Resources"]["Never"] = json!({
        "Type": "AWS::CloudFormation::WaitCondition",
        "Properties": { "Handle": { "Ref": "NeverHandle" }, "Timeout": "1" },
    });
    template["Resources"]["NeverHandle"] = json!({ "Type": "AWS::CloudFormation::WaitConditionHandle" });
}

fn mend_it(template: &mut Value) {
    for name in ["Never", "NeverHandle"] {
        template["Resources"].as_object_mut().unwrap().remove(name);
    }
}

/// Checks that a text contains these words in this order.
#[track_caller]
fn in_order(text: &str, words: &[String]) {
    let mut from = 0;
    for word in words {
        let at =
            text[from..].find(word.as_str()).unwrap_or_else(|| panic!("no `{word}` after {from} in {text}"));
        from += at;
    }
}

async fn status_of(ministack: &Ministack, templates: &str, stack: &str) -> (String, Vec<Value>) {
    let plan =
        ministack.say(&["up", "--dry-run", "--templates", templates, "-o", "json"]).await.worked().json();
    let step = plan["stacks"].as_array().unwrap().iter().find(|step| step["stack"] == stack).unwrap().clone();
    (step["action"].as_str().unwrap().to_owned(), step["changes"].as_array().unwrap().clone())
}

#[tokio::test(flavor = "multi_thread")]
async fn they_are_created_changed_and_deleted_in_order() {
    let ministack = Ministack::start();
    let templates = Templates::of("ministack");
    let path = templates.path();
    let up = |more: &[&str]| {
        let words: Vec<String> =
            ["up", "--yes", "--templates", &path].iter().chain(more).map(|word| (*word).to_owned()).collect();
        let ministack = &ministack;
        async move { ministack.say(&words.iter().map(String::as_str).collect::<Vec<_>>()).await }
    };

    step("up without a required parameter, or without confirmation, changes nothing");
    up(&[]).await.failed(2, &["missing parameter `OperatorCidr`", "--parameter network.OperatorCidr="]);
    let asked = ministack.say(&["up", "--templates", &path, FIRST[0], FIRST[1]]).await;
    asked.failed(2, &["needs a terminal", "account 000000000000", "region us-east-1", "aws", "--yes"]);
    up(&["--parameter", "Nonsense=1"]).await.failed(2, &["no stack has a parameter `Nonsense`"]);
    let plan = ministack.say(&["up", "--dry-run", "--templates", &path, FIRST[0], FIRST[1]]).await.worked();
    assert!(
        plan.out.contains("network is created") && plan.out.contains("+ Vpc (AWS::EC2::VPC)"),
        "{plan:?}"
    );
    assert!(plan.out.contains("5 stacks would change; nothing was changed"), "{plan:?}");
    let nothing = ministack.say(&["down", "--yes"]).await.worked();
    assert!(nothing.err.contains("nothing to take down"), "{nothing:?}");

    step("up without a release creates the stacks that need none; with a release, the others");
    let first = up(&FIRST[..2]).await.worked();
    in_order(&first.err, &STACKS[..5].iter().map(|stack| format!("{stack}: created")).collect::<Vec<_>>());
    assert!(first.err.contains("network: Vpc (AWS::EC2::VPC) created"), "{first:?}");
    assert!(
        first.err.contains("Master (AWS::RDS::DBInstance) is being created, which takes minutes"),
        "{first:?}"
    );
    assert!(first.err.contains("pipeline, ingest, dashboard are left out"), "{first:?}");
    assert!(first.err.contains("next: covidctl --target aws db init"), "{first:?}");
    let second = up(&FIRST[2..]).await.worked();
    in_order(&second.err, &STACKS[5..].iter().map(|stack| format!("{stack}: created")).collect::<Vec<_>>());
    assert!(!second.err.contains("network: "), "nothing has changed there: {second:?}");

    step("up again changes nothing; a parameter changes its stack only");
    let again = up(&[]).await.worked();
    assert!(again.err.contains("no changes") && !again.err.contains("left out"), "{again:?}");
    let changed = up(&["--parameter", "pipeline.LogDays=30"]).await.worked();
    assert!(changed.err.contains("pipeline: changed"), "{changed:?}");
    for stack in STACKS.iter().filter(|stack| **stack != "pipeline") {
        assert!(!changed.err.contains(&format!("{stack}: changed")), "{stack}: {changed:?}");
    }
    assert_eq!(status_of(&ministack, &path, "pipeline").await.0, "unchanged");
    step("a changed template changes its stack");
    templates.change("registry", |template| {
        template["Resources"]["More"] = json!({ "Type": "AWS::SSM::Parameter",
            "Properties": { "Type": "String", "Name": "/covid19/more", "Value": "x" } });
    });
    let (action, resources) = status_of(&ministack, &path, "registry").await;
    assert_eq!(action, "change");
    assert_eq!(resources, [json!({ "action": "add", "resource": "More", "type": "AWS::SSM::Parameter" })]);

    step("down keeps the stacks with data");
    ministack.say(&["down"]).await.failed(2, &["network, database, storage, registry are kept", "--yes"]);
    let down = ministack.say(&["down", "--yes"]).await.worked();
    let gone = ["ci", "dashboard", "ingest", "pipeline", "bastion"];
    in_order(&down.err, &gone.iter().map(|stack| format!("{stack}: deleted")).collect::<Vec<_>>());
    for stack in ["network", "database", "storage", "registry"] {
        assert_eq!(
            status_of(&ministack, &Templates::of("ministack").path(), stack).await.0,
            "unchanged",
            "{stack}"
        );
    }
    step("down --delete-data deletes all stacks");
    let words = [&["up", "--yes", "--templates", &path][..], &FIRST[2..]].concat();
    ministack.say(&words).await.worked();
    let down = ministack.say(&["down", "--yes", "--delete-data"]).await.worked();
    in_order(&down.err, &STACKS.iter().rev().map(|stack| format!("{stack}: deleted")).collect::<Vec<_>>());
    assert!(down.err.contains("database: nothing of it is kept or protected any more"), "{down:?}");
    assert!(down.err.contains("storage: Datasets (AWS::S3::Bucket) deleted"), "{down:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn failed_stack_is_explained_and_resumed() {
    let ministack = Ministack::start();
    let templates = Templates::of("ministack");
    let path = templates.path();
    let words = [&["up", "--yes", "--templates", &path][..], &FIRST].concat();

    step("a failed creation is explained");
    templates.change("storage", break_it);
    let failed = ministack.say(&words).await;
    failed.failed(
        1,
        &[
            "the stack `covid19-storage` was not created: Never (AWS::CloudFormation::WaitCondition)",
            "storage: what was done is taken back",
            "it continues here",
        ],
    );
    assert!(
        failed.err.contains("database: created") && !failed.err.contains("registry: creating"),
        "{failed:?}"
    );
    step("the next up creates the failed stack anew and continues");
    assert_eq!(status_of(&ministack, &path, "storage").await.0, "create-anew");
    templates.change("storage", mend_it);
    let again = ministack.say(&["up", "--yes", "--templates", &path, "--release", "v1"]).await.worked();
    assert!(again.err.contains("deleting what an attempt that failed has left"), "{again:?}");
    assert!(again.err.contains("storage: created") && again.err.contains("dashboard: created"), "{again:?}");
    assert!(!again.err.contains("database: creating"), "{again:?}");

    step("a failed update is rolled back, and the stack can be changed again");
    templates.change("registry", break_it);
    let failed = ministack.say(&["up", "--yes", "--templates", &path]).await;
    failed.failed(1, &["the stack `covid19-registry` was not changed: Never"]);
    templates.change("registry", mend_it);
    let mended = ministack.say(&["up", "--yes", "--templates", &path]).await.worked();
    assert!(mended.err.contains("no changes"), "{mended:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn operation_in_progress_is_awaited() {
    let ministack = Ministack::start();
    let templates = Templates::of("ministack");
    let path = templates.path();
    // A resource that waits for a signal.
    templates.change("network", |template| {
        template["Resources"]["Never"] = json!({
            "Type": "AWS::CloudFormation::WaitCondition",
            "CreationPolicy": { "ResourceSignal": { "Timeout": "PT1H" } },
        });
    });
    let words = ["up", "--yes", "--templates", &path, FIRST[0], FIRST[1]];
    step("a client starts the creation and is killed");
    let mut first = ministack.covidctl(&words).stderr(std::process::Stdio::null()).spawn().unwrap();
    let look = ["up", "--dry-run", "--templates", &path, FIRST[0], FIRST[1], "-o", "json"];
    let busy = || {
        let answer = ministack.covidctl(&look).output().unwrap();
        serde_json::from_slice::<Value>(&answer.stdout)
            .is_ok_and(|plan| plan["stacks"][0]["action"] == "wait")
    };
    until("the stack is being created", busy);
    first.kill().unwrap();
    first.wait().unwrap();
    step(
        "the next client waits for the creation, which fails, and creates the stack anew from the mended template",
    );
    templates.change("network", mend_it);
    let mut second = tokio::process::Command::from(ministack.covidctl(&words));
    let mut second = second.stderr(std::process::Stdio::piped()).kill_on_drop(true).spawn().unwrap();
    let mut lines = BufReader::new(second.stderr.take().unwrap()).lines();
    let mut said = String::new();
    while let Some(line) = lines.next_line().await.unwrap() {
        if line.contains("network: CREATE_IN_PROGRESS, which is waited for") {
            ministack.fail_resource("covid19-network", "Never").await;
        }
        said.push_str(&line);
        said.push('\n');
    }
    assert!(second.wait().await.unwrap().success(), "{said}");
    in_order(&said, &["is waited for", "network: deleting what", "network: created"].map(str::to_owned));
}

#[tokio::test(flavor = "multi_thread")]
async fn on_a_terminal_it_asks_and_what_is_deleted_has_to_be_named() {
    let ministack = Ministack::start();
    let path = Templates::of("ministack");
    let path = path.path();
    let terminal = Terminal::new(400, 50);
    let up = ["up", "--quiet", "--templates", &path, FIRST[0], FIRST[1]];
    terminal.run(&ministack.covidctl(&up));
    terminal.see("It costs money from then on");
    terminal.see("[y/N]");
    terminal.press(&["Enter"]);
    terminal.see("nothing was changed");
    terminal.ended_with(1);
    terminal.run(&ministack.covidctl(&up));
    terminal.wait("the second question", |text| text.matches("[y/N]").count() == 2);
    terminal.shell("y");
    terminal.wait("the end", |text| text.trim_end().ends_with("shell>"));

    let down = ["down", "--quiet", "--delete-data"];
    for (name, code) in [("y", 1), ("covid19@123456789012", 1), ("covid19@000000000000", 0)] {
        terminal.shell("clear");
        terminal.wait("an empty window", |text| text.trim() == "shell>");
        terminal.run(&ministack.covidctl(&down));
        terminal.see("They cannot be restored");
        terminal.see("Type `covid19@000000000000` to continue:");
        terminal.shell(name);
        terminal.ended_with(code);
    }
    let nothing = ministack.say(&["down", "--yes"]).await.worked();
    assert!(nothing.err.contains("nothing to take down"), "{nothing:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn resources_are_created_and_deleted() {
    let moto = Moto::with_images();
    let proxy = Proxy::start(moto.clone()).await;
    let home = tempfile::tempdir().unwrap();
    let say = |words: Vec<&str>| {
        let command = covidctl(&proxy.endpoint, moto.region, home.path(), &words);
        Said::of(command)
    };
    let templates = Templates::of("moto");
    let path = templates.path();
    let mut words = vec!["up", "--yes", "--templates", &path];
    words.extend(FIRST);
    let created = say(words.clone()).await.worked();
    in_order(&created.err, &STACKS.iter().map(|stack| format!("{stack}: created")).collect::<Vec<_>>());
    let change = ["up", "--dry-run", "--templates", &path, "--parameter", "pipeline.LogDays=30"];
    let planned = say(change.to_vec()).await.worked();
    assert!(planned.out.contains("pipeline is changed"), "{planned:?}");
    let config = say(vec!["config", "-o", "json"]).await.worked().json();
    let discovered =
        config.as_array().unwrap().iter().filter(|setting| setting["origin"] == "discovery").count();
    assert!(discovered > 20, "{config}");

    step("down empties a bucket with versions and delete markers");
    let bucket = format!("covid19-datasets-123456789012-{}", moto.region);
    for content in ["one", "two"] {
        moto.object(&bucket, "a folder/ñ+1.csv", content.as_bytes().to_vec()).await;
    }
    // Two polls of the deletion get no response.
    proxy.fail("cloudformation:DescribeStackEvents", [Fault::Reset, Fault::Reset]);
    let gone = say(vec!["down", "--yes", "--delete-data"]).await.worked();
    assert!(proxy.has_failed_all("cloudformation:DescribeStackEvents"));
    assert!(gone.err.contains(&format!("emptying the bucket `{bucket}`")), "{gone:?}");
    in_order(&gone.err, &STACKS.iter().rev().map(|stack| format!("{stack}: deleted")).collect::<Vec<_>>());
    let config = say(vec!["config", "-o", "json"]).await.worked().json();
    assert!(!config.to_string().contains("discovery"), "{config}");
    let databases = moto.query("rds", "DescribeDBInstances", "2014-10-31", &[]).await;
    assert!(!databases.contains("covid19-master"), "{databases}");
    let images = "AmazonEC2ContainerRegistry_V20150921.DescribeRepositories";
    assert_eq!(moto.json("ecr", images, &json!({})).await["repositories"], json!([]));
    assert_unused(
        &proxy.evaluate(),
        "iam-administrator.json",
        &[
            ("StoreTheSamplesOfASelfTest: s3:PutObject", SELFTEST),
            ("StoreTheSamplesOfASelfTest: arn:aws:s3:::covid19-datasets-*/*", SELFTEST),
            ("CreateChangeAndDeleteTheStacks: cloudformation:DescribeEvents", REFUSED),
            ("CreateChangeAndDeleteTheStacks: arn:aws:cloudformation:*:*:changeSet/covidctl-*/*", REFUSED),
            ("CreateChangeAndDeleteTheStacks: cloudformation:ListChangeSets", INTERRUPTED),
            (
                "FindWhatTheStacksHaveWritten: arn:aws:ssm:*:*:parameter/covid19/*",
                "the prefix may end with a slash",
            ),
            ("DeleteADatabaseWhoseCreationFailed: rds:DescribeDBInstances", RUIN),
            ("DeleteADatabaseWhoseCreationFailed: rds:ModifyDBInstance", RUIN),
            ("DeleteADatabaseWhoseCreationFailed: arn:aws:rds:*:*:db:covid19-*", RUIN),
            ("StopTheTasksOfAClusterThatIsDeleted: ecs:DescribeTasks", TASKS),
            ("StopTheTasksOfAClusterThatIsDeleted: ecs:StopTask", TASKS),
            ("ReadTheLoginsOfANewDatabase: secretsmanager:GetSecretValue", INIT),
            ("ReadTheLoginsOfANewDatabase: arn:aws:secretsmanager:*:*:secret:covid19/database/*", INIT),
            ("GoThroughTheBastion: autoscaling:DescribeAutoScalingGroups", INIT),
            ("GoThroughTheBastion: ec2:DescribeInstances", INIT),
            ("GoThroughTheBastion: *", INIT),
            ("LogInToTheBastion: ec2:GetConsoleOutput", INIT),
            ("LogInToTheBastion: ec2-instance-connect:SendSSHPublicKey", INIT),
            ("LogInToTheBastion: arn:aws:ec2:*:*:instance/*", INIT),
        ],
    );
}
