//! Who changed the target's resources lately, from CloudTrail.

use std::collections::BTreeSet;

use chrono::{DateTime, TimeDelta, Utc};
use common::failure::Result;
use serde::Deserialize;
use serde_json::{Value, json};

use super::account::Account;
use super::api_error::ApiContext as _;
use super::service::{Protocol, Service};
use super::tasks::family;
use target::description::{BastionPlace, Description, Work};
use target::{ResourceChange, ResourceHistory};

const CLOUDTRAIL: Service = Service {
    id: "CloudTrail",
    name: "cloudtrail",
    region: None,
    protocol: Protocol::Json("com.amazonaws.cloudtrail.v20131101.CloudTrail_20131101"),
};

/// How far back changes are listed at most.
const LOOKBACK: TimeDelta = TimeDelta::days(7);

/// Pages that are read at most; CloudTrail answers two requests a second, with 50 events each (`LookupEvents`).
const MAX_PAGES: usize = 6;

/// What every task, function or agent calls all the time.
const ROUTINE_OPERATIONS: [&str; 2] = ["CreateLogStream", "UpdateInstanceInformation"];

#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "PascalCase")]
struct Page {
    events: Vec<Event>,
    next_token: Option<String>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "PascalCase")]
struct Event {
    #[serde(rename = "EventName")]
    operation: String,
    /// The name of the service's endpoint.
    #[serde(rename = "EventSource")]
    source: String,
    /// In seconds since 1970.
    #[serde(rename = "EventTime")]
    seconds: f64,
    username: Option<String>,
    resources: Vec<Resource>,
    /// The whole event, a JSON document.
    #[serde(rename = "CloudTrailEvent")]
    details: String,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "PascalCase")]
struct Resource {
    #[serde(rename = "ResourceName")]
    name: String,
}

/// Returns the changes of what the target consists of.
pub(super) async fn recent(account: &Account) -> Result<ResourceHistory> {
    let names = names(&account.description);
    let mut since = Utc::now() - LOOKBACK;
    let mut input = json!({
        "StartTime": since.timestamp(),
        "LookupAttributes": [{ "AttributeKey": "ReadOnly", "AttributeValue": "false" }],
    });
    let mut changes = Vec::new();
    for pages in 1.. {
        let page: Page = account
            .clients
            .client_of(&CLOUDTRAIL)
            .call("LookupEvents", input.to_string())
            .await
            .api_context("cloudtrail:LookupEvents", || "cannot read the last changes".to_owned())?;
        changes.extend(page.events.iter().filter_map(|event| change(event, &names)));
        let Some(token) = page.next_token.filter(|token| !token.is_empty()) else { break };
        if pages == MAX_PAGES {
            since = page.events.last().and_then(Event::time).unwrap_or(since);
            break;
        }
        input["NextToken"] = Value::from(token);
    }
    Ok(ResourceHistory { since, changes })
}

/// Returns the names of the resources of a target.
fn names(description: &Description) -> BTreeSet<&str> {
    let mut names = BTreeSet::new();
    for job in description.jobs.values() {
        match &job.work {
            Work::Task(task) => names.extend([family(&task.definition), last_part(&task.cluster)]),
            Work::Function(name) => drop(names.insert(function_name(name))),
        }
        names.extend([&job.log_group, &job.usual_log_group].into_iter().flatten().map(String::as_str));
    }
    names.extend(description.logs.values().map(|group| group.trim_end_matches('*')));
    names.extend(description.databases.values().filter_map(|database| database.instance.as_deref()));
    match description.bastion.as_ref().map(|bastion| &bastion.place) {
        Some(BastionPlace::AutoScalingGroup(name) | BastionPlace::Instance(name)) => {
            names.insert(name);
        }
        Some(BastionPlace::Tag { .. } | BastionPlace::Address(_)) | None => {}
    }
    // Many kinds of resources have one that is called so.
    names.retain(|name| !matches!(*name, "" | "/" | "default"));
    names
}

/// Returns the name in an ARN, or the name itself.
fn last_part(name: &str) -> &str {
    name.rsplit(['/', ':']).next().unwrap_or(name)
}

/// Returns the name of a function without its alias or version: in `name:alias`, or in an ARN (`arn:aws:lambda:region:account:function:name:alias`).
fn function_name(name: &str) -> &str {
    name.split(':').nth(if name.starts_with("arn:") { 6 } else { 0 }).unwrap_or(name)
}

/// Returns what an event changed, if it names one of the target's resources.
fn change(event: &Event, names: &BTreeSet<&str>) -> Option<ResourceChange> {
    if ROUTINE_OPERATIONS.contains(&event.operation.as_str()) {
        return None;
    }
    let details: Value = serde_json::from_str(&event.details).unwrap_or_default();
    let mut texts: Vec<&str> = event.resources.iter().map(|resource| resource.name.as_str()).collect();
    strings_of(&details["requestParameters"], &mut texts);
    // A request that IAM denies often has no parameters; the message has the ARN.
    let message = details["errorMessage"].as_str().unwrap_or_default();
    texts.extend(message.split_whitespace());
    // The longest name is the most particular one: that of a task definition, not of its cluster.
    let mentioned = names.iter().filter(|name| texts.iter().any(|text| is_named(text, name)));
    let resource = mentioned.max_by_key(|name| name.len())?;
    let caller = &details["userIdentity"];
    let session = || caller["arn"].as_str().map(last_part);
    let user = event.username.as_deref().or_else(session).or_else(|| caller["invokedBy"].as_str());
    Some(ResourceChange {
        time: event.time()?,
        user: user.unwrap_or("-").to_owned(),
        operation: format!("{} {}", event.source.trim_end_matches(".amazonaws.com"), event.operation),
        resource: (*resource).to_owned(),
        error: details["errorCode"].as_str().map(str::to_owned),
    })
}

impl Event {
    #[expect(clippy::cast_possible_truncation, reason = "milliseconds since 1970 have 13 digits")]
    fn time(&self) -> Option<DateTime<Utc>> {
        DateTime::from_timestamp_millis((self.seconds * 1000.0) as i64)
    }
}

/// Collects the texts in a document.
fn strings_of<'a>(value: &'a Value, texts: &mut Vec<&'a str>) {
    match value {
        Value::String(text) => texts.push(text),
        Value::Array(values) => values.iter().for_each(|value| strings_of(value, texts)),
        Value::Object(members) => members.values().for_each(|value| strings_of(value, texts)),
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}

/// Returns whether a text is a name, or an ARN or another path with it. Names of log groups are paths themselves.
fn is_named(text: &str, name: &str) -> bool {
    if name.contains('/') { text.contains(name) } else { text.split(['/', ':']).any(|part| part == name) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn event(name: &str, details: &Value) -> Event {
        Event {
            operation: name.to_owned(),
            source: "ecs.amazonaws.com".to_owned(),
            seconds: 1_780_000_000.0,
            username: Some("ana".to_owned()),
            resources: Vec::new(),
            details: details.to_string(),
        }
    }

    #[test]
    fn change_is_one_that_names_a_resource_of_the_target() {
        let names = BTreeSet::from(["covid19", "covid19-metabase"]);
        let parameters =
            json!({ "cluster": "covid19", "service": "arn:aws:ecs:x:1:service/covid19/covid19-metabase" });
        let details = json!({ "requestParameters": parameters, "errorCode": "AccessDenied" });
        let changed = change(&event("UpdateService", &details), &names).unwrap();
        assert_eq!(
            (changed.user.as_str(), changed.operation.as_str(), changed.resource.as_str()),
            ("ana", "ecs UpdateService", "covid19-metabase")
        );
        assert_eq!(changed.error.as_deref(), Some("AccessDenied"));
        assert_eq!(changed.time.timestamp(), 1_780_000_000);

        let denied = json!({
            "requestParameters": null,
            "errorMessage": "User: guest is not authorized to perform: ecs:StopTask on resource: arn:aws:ecs:x:1:task/covid19/0a",
        });
        assert_eq!(change(&event("StopTask", &denied), &names).unwrap().resource, "covid19");
        assert_eq!(change(&event("CreateLogStream", &details), &names), None);
        let other = json!({ "requestParameters": { "cluster": "covid19-of-others" } });
        assert_eq!(change(&event("UpdateService", &other), &names), None);
        let broken = Event { details: "{".to_owned(), ..event("UpdateService", &other) };
        assert_eq!(change(&broken, &names), None);
    }

    #[test]
    fn user_without_name_is_the_session_of_the_role() {
        let details = json!({
            "requestParameters": { "dBInstanceIdentifier": "covid19-master" },
            "userIdentity": { "arn": "arn:aws:sts::1:assumed-role/operator/luz@example.org" },
        });
        let event = Event { username: None, ..event("ModifyDBInstance", &details) };
        let changed = change(&event, &BTreeSet::from(["covid19-master"])).unwrap();
        assert_eq!(changed.user, "luz@example.org");
    }

    #[test]
    fn names_of_functions_and_log_groups_are_found_in_arns() {
        assert_eq!(function_name("arn:aws:lambda:x:1:function:download:prod"), "download");
        assert_eq!((function_name("download:prod"), function_name("download")), ("download", "download"));
        let group = "arn:aws:logs:x:1:log-group:/ecs/covid19-etl:*";
        assert!(is_named(group, "/ecs/covid19-etl") && !is_named(group, "covid19"));
    }
}
