//! Log groups that were written to lately and belong to no job.

use std::collections::BTreeSet;

use aws_sdk_cloudwatchlogs::types::OrderBy;
use chrono::{DateTime, TimeDelta, Utc};
use common::failure::Result;

use super::{Candidate, LOGS, name_of};
use crate::api_error::ApiContext as _;
use crate::clients::Clients;

/// How long ago a group may have been written to.
const LATELY: TimeDelta = TimeDelta::days(14);

/// How many groups are looked at.
const MAX_GROUPS: usize = 100;

/// Returns names and groups.
pub(super) async fn candidates(
    clients: &Clients,
    covered: &BTreeSet<String>,
) -> Result<Vec<(String, String)>> {
    let pages = clients.logs().describe_log_groups().into_paginator().items().send();
    let groups = pages.try_collect().await;
    let groups = groups.api_context("logs:DescribeLogGroups", || "cannot list the log groups".to_owned())?;
    let groups = groups.into_iter().filter_map(|group| group.log_group_name);
    // The server's log is a source by itself.
    let others = groups.filter(|group| !covered.contains(group) && !group.starts_with("/aws/rds/"));
    let mut found = Vec::new();
    for group in others.take(MAX_GROUPS) {
        let request =
            clients.logs().describe_log_streams().log_group_name(&group).order_by(OrderBy::LastEventTime);
        let streams = request.descending(true).limit(1).send().await;
        let streams = streams.api_context_optional("logs:DescribeLogStreams", || {
            format!("cannot look at the log group `{group}`")
        })?;
        let newest = streams.and_then(|streams| streams.log_streams?.into_iter().next());
        let written = newest.and_then(|stream| stream.last_event_timestamp.or(stream.creation_time));
        let written = written.and_then(DateTime::from_timestamp_millis);
        if written.is_some_and(|written| Utc::now() - written < LATELY) {
            found.push((name_of(&group), group));
        }
    }
    Ok(found)
}

/// Returns the table of log sources; a group is in it once.
pub(super) fn merged(sources: impl Iterator<Item = (String, String)>) -> Option<Candidate> {
    let mut candidate = Candidate::new(LOGS);
    let mut groups = BTreeSet::new();
    for (name, group) in sources {
        if groups.insert(group.clone()) {
            candidate.set(&name, group);
        }
    }
    (!candidate.values.is_empty()).then_some(candidate)
}
