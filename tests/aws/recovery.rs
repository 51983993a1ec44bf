//! What no emulator does: a creation that fails halfway, answers that are late, and templates that CloudFormation refuses.
//!
//! The answers have the shapes of CloudFormation's and RDS's own; what is not scripted goes to moto.

use std::sync::{Arc, Mutex};

use serde_json::json;

use crate::support::Said;
use crate::support::ministack::covidctl;
use crate::support::moto::Moto;
use crate::support::proxy::{Call, Proxy, Reply};

/// The id of the scripted stack.
const ID: &str = "arn:aws:cloudformation:x:123456789012:stack/covid19-database/1";

/// A template that needs nothing else.
const SMALL: &str = r#"{
 "Parameters": {"Version": {"Type": "String", "Default": "16.9"}},
 "Resources": {
  "Name": {"Type": "AWS::SSM::Parameter", "Properties": {"Type": "String", "Name": "/covid19/x", "Value": "x"}}
 }
}"#;

/// An account with moto behind it and the template of one stack.
struct Account {
    proxy: Proxy,
    region: &'static str,
    home: tempfile::TempDir,
    templates: tempfile::TempDir,
}

impl Account {
    async fn new() -> Self {
        let moto = Moto::new();
        let region = moto.region;
        let templates = tempfile::tempdir().unwrap();
        std::fs::write(templates.path().join("03-database.json"), SMALL).unwrap();
        Self { proxy: Proxy::start(moto).await, region, home: tempfile::tempdir().unwrap(), templates }
    }

    async fn say(&self, words: &[&str]) -> Said {
        Said::of(covidctl(&self.proxy.endpoint, self.region, self.home.path(), words)).await
    }

    async fn up(&self, words: &[&str]) -> Said {
        let templates = self.templates.path().display().to_string();
        self.say(&[&["up", "--templates", &templates], words].concat()).await
    }

    /// Answers an operation with XML, where the script has an answer.
    fn answer(&self, operation: &str, script: impl Fn(&Call) -> Option<String> + Send + Sync + 'static) {
        let name = operation.split(':').nth(1).unwrap().to_owned();
        self.proxy.handle(operation, move |call| {
            let result = script(call)?;
            Some(Reply::Xml(format!(
                "<{name}Response><{name}Result>{result}</{name}Result></{name}Response>"
            )))
        });
    }
}

/// A stack in CloudFormation's hands.
#[derive(Debug, Clone)]
struct Stack {
    /// Nothing once it is deleted.
    status: Option<&'static str>,
    /// The status that `DescribeStacks` still answers, and how often.
    stale: Option<(&'static str, u32)>,
    /// Oldest first: resource, type, status, reason.
    events: Vec<(&'static str, &'static str, &'static str, &'static str)>,
    /// The master protects itself from deletion.
    is_protected: bool,
}

const STACK: &str = "AWS::CloudFormation::Stack";
const INSTANCE: &str = "AWS::RDS::DBInstance";

impl Stack {
    /// The replica could not be created, and the rollback could not delete the master.
    fn rolled_back(status: &'static str) -> Arc<Mutex<Self>> {
        let events = vec![
            ("covid19-database", STACK, "CREATE_IN_PROGRESS", "User Initiated"),
            ("Replica", INSTANCE, "CREATE_FAILED", "no capacity"),
            ("Master", INSTANCE, "DELETE_FAILED", "Cannot delete protected DB Instance"),
            ("covid19-database", STACK, status, ""),
        ];
        Arc::new(Mutex::new(Self { status: Some(status), stale: None, events, is_protected: true }))
    }

    fn describe(&mut self) -> Option<String> {
        let mut status = self.status;
        if let Some((before, times)) = &mut self.stale
            && *times > 0
        {
            *times -= 1;
            status = Some(before);
        }
        let status = status?;
        Some(format!(
            "<Stacks><member><StackId>{ID}</StackId><StackName>covid19-database</StackName>\
             <CreationTime>2026-11-01T00:00:00Z</CreationTime><StackStatus>{status}</StackStatus></member></Stacks>"
        ))
    }

    /// The newest event comes first.
    fn events(&self) -> String {
        let event = |(number, (resource, kind, status, reason)): (usize, &(&str, &str, &str, &str))| {
            let physical = if *kind == STACK { ID } else { resource };
            format!(
                "<member><StackId>{ID}</StackId><EventId>{number}</EventId><StackName>covid19-database</StackName>\
                 <LogicalResourceId>{resource}</LogicalResourceId><PhysicalResourceId>{physical}</PhysicalResourceId>\
                 <ResourceType>{kind}</ResourceType><Timestamp>2026-11-01T00:00:00Z</Timestamp>\
                 <ResourceStatus>{status}</ResourceStatus><ResourceStatusReason>{reason}</ResourceStatusReason></member>"
            )
        };
        let events: String = self.events.iter().enumerate().rev().map(event).collect();
        format!("<StackEvents>{events}</StackEvents>")
    }

    /// Deletes it, unless something protects itself; right after that, `DescribeStacks` answers as before.
    fn delete(&mut self) {
        let before = self.status.unwrap();
        self.stale = Some((before, 2));
        self.status = self.is_protected.then_some("DELETE_FAILED");
        self.events.push(("covid19-database", STACK, "DELETE_IN_PROGRESS", "User Initiated"));
        self.events.push(("covid19-database", STACK, self.status.unwrap_or("DELETE_COMPLETE"), ""));
    }
}

/// Serves the stack, and the instance in it, until they are deleted.
fn serve(account: &Account, stack: &Arc<Mutex<Stack>>) {
    let is_ours = |call: &Call| String::from_utf8_lossy(&call.body).contains("covid19-database");
    let of = |script: fn(&mut Stack) -> Option<String>| {
        let stack = Arc::clone(stack);
        move |call: &Call| {
            let mut stack = stack.lock().unwrap();
            let is_there = stack.status.is_some() || stack.stale.is_some_and(|(_, times)| times > 0);
            if is_ours(call) && is_there { script(&mut stack) } else { None }
        }
    };
    account.answer("cloudformation:DescribeStacks", of(Stack::describe));
    account.answer("cloudformation:DescribeStackEvents", of(|stack| Some(stack.events())));
    account.answer(
        "cloudformation:DescribeStackResources",
        of(|_| {
            let member = |logical: &str, physical: &str, status: &str| {
                format!(
                    "<member><LogicalResourceId>{logical}</LogicalResourceId>\
                     <PhysicalResourceId>{physical}</PhysicalResourceId><ResourceType>{INSTANCE}</ResourceType>\
                     <Timestamp>2026-11-01T00:00:00Z</Timestamp><ResourceStatus>{status}</ResourceStatus></member>"
                )
            };
            let (master, replica) = (
                member("Master", "covid19-master", "DELETE_FAILED"),
                // Another owner's, which was in the way.
                member("Replica", "covid19-other", "CREATE_FAILED"),
            );
            Some(format!("<StackResources>{master}{replica}</StackResources>"))
        }),
    );
    account.answer(
        "cloudformation:DeleteStack",
        of(|stack| {
            stack.delete();
            Some(String::new())
        }),
    );
    for (operation, is_change) in [("rds:DescribeDBInstances", false), ("rds:ModifyDBInstance", true)] {
        let stack = Arc::clone(stack);
        account.answer(operation, move |call| {
            let body = String::from_utf8_lossy(&call.body);
            assert!(body.contains("covid19-master"), "another owner's instance: {body}");
            let mut stack = stack.lock().unwrap();
            stack.is_protected &= !is_change;
            let instance = format!(
                "<DBInstance><DBInstanceIdentifier>covid19-master</DBInstanceIdentifier>\
                 <DBInstanceStatus>available</DBInstanceStatus>\
                 <DeletionProtection>{}</DeletionProtection></DBInstance>",
                stack.is_protected
            );
            Some(if is_change { instance } else { format!("<DBInstances>{instance}</DBInstances>") })
        });
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn down_deletes_stack_whose_first_creation_left_a_protected_database() {
    for status in ["ROLLBACK_FAILED", "DELETE_FAILED"] {
        let account = Account::new().await;
        let stack = Stack::rolled_back(status);
        serve(&account, &stack);
        let down = account.say(&["down", "--yes", "--delete-data"]).await.worked();
        assert!(down.err.contains("`covid19-master` is not protected from deletion any more"), "{down:?}");
        assert!(down.err.contains("database: deleted"), "{down:?}");
        assert_eq!(stack.lock().unwrap().status, None);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn up_creates_stack_anew_after_its_first_creation_left_a_protected_database() {
    for status in ["ROLLBACK_FAILED", "DELETE_FAILED"] {
        let account = Account::new().await;
        let stack = Stack::rolled_back(status);
        serve(&account, &stack);
        let up = account.up(&["--yes"]).await.worked();
        for words in ["`covid19-master` is not protected", "deleting what an attempt", "database: created"] {
            assert!(up.err.contains(words), "`{words}` is not in {up:?}");
        }
        assert_eq!(stack.lock().unwrap().status, None);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn up_leaves_stack_alone_that_was_complete_once() {
    let account = Account::new().await;
    let stack = Stack::rolled_back("DELETE_FAILED");
    stack.lock().unwrap().events.insert(1, ("covid19-database", STACK, "CREATE_COMPLETE", ""));
    serve(&account, &stack);
    account.up(&["--yes"]).await.failed(1, &["`covid19-database` is DELETE_FAILED"]);
    assert!(stack.lock().unwrap().is_protected);
}

#[tokio::test(flavor = "multi_thread")]
async fn up_tries_again_when_ecs_has_just_created_its_service_linked_role() {
    let account = Account::new().await;
    let stack =
        Arc::new(Mutex::new(Stack { status: None, stale: None, events: Vec::new(), is_protected: false }));
    serve(&account, &stack);
    let (attempts, executed) = (Mutex::new(0), Arc::clone(&stack));
    account.answer("cloudformation:ExecuteChangeSet", move |_| {
        let mut attempts = attempts.lock().unwrap();
        *attempts += 1;
        let mut stack = executed.lock().unwrap();
        let reason = "Unable to assume the service linked role. Please verify that the ECS service linked role exists.";
        let (status, cluster) = match *attempts {
            1 => ("ROLLBACK_COMPLETE", ("Cluster", "AWS::ECS::Cluster", "CREATE_FAILED", reason)),
            _ => ("CREATE_COMPLETE", ("Cluster", "AWS::ECS::Cluster", "CREATE_COMPLETE", "")),
        };
        stack.events = vec![
            ("covid19-database", STACK, "CREATE_IN_PROGRESS", "User Initiated"),
            cluster,
            ("covid19-database", STACK, status, ""),
        ];
        stack.status = Some(status);
        // DescribeStacks is late.
        stack.stale = Some(("REVIEW_IN_PROGRESS", 2));
        Some(String::new())
    });
    let up = account.up(&["--yes"]).await.worked();
    for words in ["failed: Cluster", "service-linked role in this account; trying again", "database: created"]
    {
        assert!(up.err.contains(words), "`{words}` is not in {up:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn up_withdraws_change_sets_that_an_interrupted_command_has_left() {
    let account = Account::new().await;
    account.up(&["--yes"]).await.worked();
    let changed = SMALL.replace(r#""Value": "x""#, r#""Value": "y""#);
    std::fs::write(account.templates.path().join("03-database.json"), changed).unwrap();
    account.answer("cloudformation:ListChangeSets", |_| {
        let summary = |id: &str, name: &str| {
            format!(
                "<member><ChangeSetId>{id}</ChangeSetId><ChangeSetName>{name}</ChangeSetName>\
                 <CreationTime>2026-11-01T00:00:00Z</CreationTime></member>"
            )
        };
        Some(format!(
            "<Summaries>{}{}</Summaries>",
            summary("left-over", "covidctl-1"),
            summary("other", "by-hand")
        ))
    });
    let withdrawn = Arc::new(Mutex::new(Vec::new()));
    let noted = Arc::clone(&withdrawn);
    account.answer("cloudformation:DeleteChangeSet", move |call| {
        let body = String::from_utf8_lossy(&call.body).into_owned();
        let name = ["left-over", "other"]
            .into_iter()
            .find(|name| body.contains(&format!("ChangeSetName={name}")))?;
        noted.lock().unwrap().push(name);
        Some(String::new())
    });
    account.up(&["--yes"]).await.worked();
    assert_eq!(*withdrawn.lock().unwrap(), ["left-over"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn down_stops_tasks_before_it_deletes_their_cluster() {
    let account = Account::new().await;
    let created = [("covid19-database", STACK, "CREATE_COMPLETE", "")];
    let stack =
        Stack { status: Some("CREATE_COMPLETE"), stale: None, events: created.to_vec(), is_protected: false };
    let stack = Arc::new(Mutex::new(stack));
    serve(&account, &stack);
    account.answer("cloudformation:DescribeStackResources", |call| {
        String::from_utf8_lossy(&call.body).contains("covid19-database").then(|| {
            "<StackResources><member><LogicalResourceId>Cluster</LogicalResourceId>\
             <PhysicalResourceId>covid19</PhysicalResourceId><ResourceType>AWS::ECS::Cluster</ResourceType>\
             <Timestamp>2026-11-01T00:00:00Z</Timestamp><ResourceStatus>CREATE_COMPLETE</ResourceStatus></member>\
             </StackResources>"
                .to_owned()
        })
    });
    account.answer("cloudformation:GetTemplate", |_| {
        Some(format!("<TemplateBody><![CDATA[{SMALL}]]></TemplateBody>"))
    });
    let task = "arn:aws:ecs:x:123456789012:task/covid19/0123";
    // Whether it was stopped, and how often it was looked at since then.
    let looks = Arc::new(Mutex::new(None));
    account.proxy.handle("ecs:ListTasks", move |_| Some(Reply::Json(json!({ "taskArns": [task] }))));
    let (stopped, described) = (Arc::clone(&looks), Arc::clone(&looks));
    account.proxy.handle("ecs:StopTask", move |call| {
        assert_eq!(call.json()["task"], task);
        *stopped.lock().unwrap() = Some(0);
        Some(Reply::Json(json!({ "task": { "taskArn": task } })))
    });
    account.proxy.handle("ecs:DescribeTasks", move |_| {
        let mut looks = described.lock().unwrap();
        let looks = looks.as_mut().expect("it is stopped first");
        *looks += 1;
        let status = if *looks < 3 { "STOPPING" } else { "STOPPED" };
        Some(Reply::Json(json!({ "tasks": [{ "taskArn": task, "lastStatus": status }], "failures": [] })))
    });
    let (noted, seen) = (Arc::clone(&stack), Arc::clone(&looks));
    account.answer("cloudformation:DeleteStack", move |_| {
        assert_eq!(*seen.lock().unwrap(), Some(3), "the task has not stopped yet");
        noted.lock().unwrap().delete();
        Some(String::new())
    });
    let down = account.say(&["down", "--yes", "--delete-data"]).await.worked();
    assert!(down.err.contains("database: stopping the task 0123"), "{down:?}");
    assert_eq!(stack.lock().unwrap().status, None);
}

#[tokio::test(flavor = "multi_thread")]
async fn up_names_property_and_line_that_cloudformation_refuses() {
    let account = Account::new().await;
    account.answer("cloudformation:DescribeChangeSet", |_| {
        let reason = "The following hook(s)/validation failed: [AWS::EarlyValidation::PropertyValidation].";
        Some(format!("<Status>FAILED</Status><StatusReason>{reason}</StatusReason>"))
    });
    account.answer("cloudformation:DescribeEvents", |_| {
        Some(
            "<OperationEvents><member><EventId>1</EventId><EventType>VALIDATION_ERROR</EventType>\
             <LogicalResourceId>Name</LogicalResourceId><ValidationStatus>FAILED</ValidationStatus>\
             <ValidationPath>/Resources/Name/Properties/Value</ValidationPath>\
             <ValidationStatusReason>expected minLength: 1</ValidationStatusReason></member></OperationEvents>"
                .to_owned(),
        )
    });
    let up = account.up(&["--yes"]).await;
    let words = "Resources.Name.Properties.Value (line 4 of the template): expected minLength: 1";
    assert_eq!(up.code, Some(1), "{up:?}");
    assert!(up.err.contains(words), "{up:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn up_refuses_version_of_postgresql_that_rds_does_not_create() {
    let account = Account::new().await;
    account.answer("rds:DescribeDBEngineVersions", |_| {
        let version =
            |version| format!("<DBEngineVersion><EngineVersion>{version}</EngineVersion></DBEngineVersion>");
        let versions: String = ["15.14", "16.10", "16.11", "17.6"].map(version).concat();
        Some(format!("<DBEngineVersions>{versions}</DBEngineVersions>"))
    });
    let refused = account.up(&["--dry-run"]).await;
    refused.failed(2, &["PostgreSQL 16.9", "it offers 16.10, 16.11", "--parameter database.Version=16"]);
    for version in ["16", "16.11"] {
        account.up(&["--dry-run", "--parameter", &format!("database.Version={version}")]).await.worked();
    }
    let other = account.up(&["--dry-run", "--parameter", "database.Version=18"]).await;
    other.failed(2, &["PostgreSQL 18", "15.14, 16.10, 16.11, 17.6"]);
}
