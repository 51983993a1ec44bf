//! What is recorded in the answers of CloudFormation, and what is made of it.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use super::events::EventFormatter;
use super::{Stacks, is_busy, is_complete, is_failed_creation};
use crate::recorded_answers::replay;
use crate::recorded_answers::state::{State, distinct, error_of, text, without_ids};

pub(crate) async fn stacks(operation: &'static str, answer: Value) -> Vec<State> {
    let recorded = error_of(&answer).unwrap_or_else(|| {
        distinct(&answer["data"]["Stacks"], |stack| text(&stack["StackStatus"]).to_owned())
    });
    let account = replay::account(BTreeMap::from([(operation, vec![answer])])).await;
    let shown = match Stacks::new(&account.clients).stack("covid19-network").await {
        Ok(Some(stack)) => match stack.status.as_str() {
            status if is_busy(status) => "in progress".to_owned(),
            status if is_complete(status) => "complete".to_owned(),
            status if is_failed_creation(status) => "its creation failed".to_owned(),
            _ => "at rest, not complete".to_owned(),
        },
        Ok(None) => "no stack".to_owned(),
        Err(failure) => without_ids(&failure.to_string()),
    };
    vec![(recorded, shown)]
}

pub(crate) async fn change_sets(operation: &'static str, answer: Value) -> Vec<State> {
    let data = &answer["data"];
    let changes = distinct(&data["Changes"], |change| {
        let change = &change["ResourceChange"];
        format!("{} {}", text(&change["Action"]), text(&change["Replacement"]))
    });
    let reason = without_ids(data["StatusReason"].as_str().unwrap_or_default());
    let recorded = format!("{} {reason}; {changes}", text(&data["Status"]));
    let account = replay::account(BTreeMap::from([(operation, vec![answer])])).await;
    let shown = match Stacks::new(&account.clients).look_at("arn:1", "covid19-network").await {
        Ok((status, _, changes)) => {
            let actions: BTreeSet<String> =
                changes.iter().map(|change| format!("{:?}", change.action)).collect();
            format!("{}: {}", status.as_str(), Vec::from_iter(actions).join(", "))
        }
        Err(failure) => without_ids(&failure.to_string()),
    };
    vec![(recorded, shown)]
}

pub(crate) async fn stack_events(operation: &'static str, answer: Value) -> Vec<State> {
    let recorded =
        distinct(&answer["data"]["StackEvents"], |event| text(&event["ResourceStatus"]).to_owned());
    let account = replay::account(BTreeMap::from([(operation, vec![answer])])).await;
    let events = Stacks::new(&account.clients).events("arn:1", None).await.unwrap();
    let mut formatter = EventFormatter::default();
    let lines = events.iter().filter_map(|event| formatter.line(event));
    let lines: Vec<String> = lines.map(|line| without_ids(&line)).collect();
    vec![(recorded, format!("{} events: {}", events.len(), lines.join("; ")))]
}

pub(crate) async fn stack_resources(operation: &'static str, answer: Value) -> Vec<State> {
    let resource = &answer["data"]["StackResources"][0];
    let kind = text(&resource["ResourceType"]).to_owned();
    let recorded = format!("{kind} {}", text(&resource["ResourceStatus"]));
    let account = replay::account(BTreeMap::from([(operation, vec![answer])])).await;
    let found = Stacks::new(&account.clients).resources("covid19-network", &kind).await.unwrap();
    vec![(recorded, format!("{} resources of the type", found.len()))]
}
