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
use target::ResourceChange;
use target::description::{BastionPlace, Description, Work};

const CLOUDTRAIL: Service = Service {
    id: "CloudTrail",
    name: "cloudtrail",
    region: None,
    protocol: Protocol::Json("com.amazonaws.cloudtrail.v20131101.CloudTrail_20131101"),
};

/// How far back changes are listed.
const BACK: TimeDelta = TimeDelta::days(7);

/// Pages that are read at most; CloudTrail answers two requests a second, with 50 events each (`LookupEvents`).
const MAX_PAGES: usize = 6;

/// What every task and function does by itself.
const ROUTINE: [&str; 2] = ["CreateLogStream", "AssumeRole"];

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
    time: f64,
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

/// Returns the changes of what the target consists of, newest first.
pub(super) async fn recent(account: &Account) -> Result<Vec<ResourceChange>> {
    let names = names(&account.description);
    let since = (Utc::now() - BACK).timestamp();
    let mut input = json!({
        "StartTime": since,
        "LookupAttributes": [{ "AttributeKey": "ReadOnly", "AttributeValue": "false" }],
    });
    let mut changes = Vec::new();
    for _ in 0..MAX_PAGES {
        let page: Page = account
            .clients
            .client_of(&CLOUDTRAIL)
            .call("LookupEvents", input.to_string())
            .await
            .api_context("cloudtrail:LookupEvents", || "cannot read the last changes".to_owned())?;
        changes.extend(page.events.iter().filter_map(|event| change(event, &names)));
        match page.next_token.filter(|token| !token.is_empty()) {
            None => break,
            Some(token) => input["NextToken"] = Value::from(token),
        }
    }
    Ok(changes)
}

/// Returns the names of the resources of a target.
fn names(description: &Description) -> BTreeSet<&str> {
    let mut names = BTreeSet::new();
    for job in description.jobs.values() {
        match &job.work {
            Work::Task(task) => names.extend([family(&task.definition), last_part(&task.cluster)]),
            Work::Function(name) => drop(names.insert(last_part(name))),
        }
        names.extend(job.log_group.as_deref());
    }
    names.extend(description.databases.values().filter_map(|database| database.instance.as_deref()));
    match description.bastion.as_ref().map(|bastion| &bastion.place) {
        Some(BastionPlace::AutoScalingGroup(name) | BastionPlace::Instance(name)) => {
            names.insert(name);
        }
        Some(BastionPlace::Tag { .. } | BastionPlace::Address(_)) | None => {}
    }
    names.retain(|name| !name.is_empty());
    names
}

/// Returns the name in an ARN, or the name itself.
fn last_part(name: &str) -> &str {
    name.rsplit(['/', ':']).next().unwrap_or(name)
}

/// Returns what an event changed, if it names one of the target's resources.
fn change(event: &Event, names: &BTreeSet<&str>) -> Option<ResourceChange> {
    if ROUTINE.contains(&event.operation.as_str()) {
        return None;
    }
    let details: Value = serde_json::from_str(&event.details).unwrap_or_default();
    let listed = event.resources.iter().map(|resource| resource.name.as_str());
    let mut texts: Vec<&str> = listed.collect();
    strings_of(&details["requestParameters"], &mut texts);
    // The longest name is the most particular one: that of a service, not of its cluster.
    let mentioned = names.iter().filter(|name| texts.iter().any(|text| is_named(text, name)));
    let resource = mentioned.max_by_key(|name| name.len())?;
    let session = || {
        let arn = details["userIdentity"]["arn"].as_str()?;
        Some(last_part(arn).to_owned())
    };
    Some(ResourceChange {
        time: DateTime::from_timestamp_millis(to_millis(event.time))?,
        user: event.username.clone().or_else(session).unwrap_or_else(|| "-".to_owned()),
        operation: format!("{} {}", event.source.trim_end_matches(".amazonaws.com"), event.operation),
        resource: (*resource).to_owned(),
        error: details["errorCode"].as_str().map(str::to_owned),
    })
}

#[expect(clippy::cast_possible_truncation, reason = "milliseconds since 1970 have 13 digits")]
const fn to_millis(seconds: f64) -> i64 {
    (seconds * 1000.0) as i64
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

/// Returns whether a text is a name, or an ARN or another path with it.
fn is_named(text: &str, name: &str) -> bool {
    text == name || text.split(['/', ':']).any(|part| part == name)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn event(name: &str, details: &Value) -> Event {
        Event {
            operation: name.to_owned(),
            source: "ecs.amazonaws.com".to_owned(),
            time: 1_780_000_000.0,
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
}
