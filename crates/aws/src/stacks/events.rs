//! Stack events as progress lines, and the reason of a failure. Pure.
//!
//! A line is shown when a resource is done, when one that takes minutes begins, or on a failure.

use std::collections::BTreeSet;

use aws_sdk_cloudformation::types::{ResourceStatus, StackEvent};

/// Resource types that take minutes, whose start is shown, too.
const SLOW: [&str; 5] = [
    "AWS::AutoScaling::AutoScalingGroup",
    "AWS::EC2::VPCEndpoint",
    "AWS::ECS::Service",
    "AWS::ElasticLoadBalancingV2::LoadBalancer",
    "AWS::RDS::DBInstance",
];

/// Returns whether the event is about the stack itself.
pub(super) fn is_of_stack(event: &StackEvent) -> bool {
    event.physical_resource_id().is_some() && event.physical_resource_id() == event.stack_id()
}

pub(super) fn status(event: &StackEvent) -> &str {
    event.resource_status().map_or("", ResourceStatus::as_str)
}

fn has_failed(event: &StackEvent) -> bool {
    status(event).ends_with("_FAILED")
}

/// Returns whether the resource was cancelled because another one failed.
fn is_cancelled(event: &StackEvent) -> bool {
    event.resource_status_reason().is_some_and(|reason| reason.to_lowercase().contains("cancelled"))
}

fn resource(event: &StackEvent) -> String {
    let (name, kind) = (event.logical_resource_id(), event.resource_type());
    format!("{} ({})", name.unwrap_or_default(), kind.unwrap_or_default())
}

fn failure(event: &StackEvent) -> String {
    match event.resource_status_reason() {
        None | Some("") => resource(event),
        Some(reason) => format!("{}: {reason}", resource(event)),
    }
}

/// Formats events, each line once.
#[derive(Debug, Default)]
pub(super) struct EventFormatter {
    shown: BTreeSet<String>,
}

impl EventFormatter {
    /// Returns the line for an event, if it is shown.
    pub(super) fn line(&mut self, event: &StackEvent) -> Option<String> {
        let (resource, status) = (resource(event), status(event));
        let words = match status {
            "ROLLBACK_IN_PROGRESS" | "UPDATE_ROLLBACK_IN_PROGRESS" if is_of_stack(event) => {
                return Some("what was done is taken back".to_owned());
            }
            _ if is_of_stack(event) => return None,
            _ if has_failed(event) => {
                return (!is_cancelled(event)).then(|| format!("failed: {}", failure(event)));
            }
            "CREATE_COMPLETE" => "created",
            "UPDATE_COMPLETE" => "changed",
            "DELETE_COMPLETE" => "deleted",
            "DELETE_SKIPPED" => "stays",
            _ if !SLOW.contains(&event.resource_type().unwrap_or_default()) => return None,
            "CREATE_IN_PROGRESS" => "is being created, which takes minutes",
            "UPDATE_IN_PROGRESS" => "is being changed, which takes minutes",
            "DELETE_IN_PROGRESS" => "is being deleted, which takes minutes",
            _ => return None,
        };
        let line = format!("{resource} {words}");
        self.shown.insert(line.clone()).then_some(line)
    }
}

/// Returns the first failure of the last operation, which caused all others. Events are ordered oldest first.
pub(super) fn first_failure(events: &[StackEvent]) -> Option<String> {
    let requested = ["CREATE_IN_PROGRESS", "UPDATE_IN_PROGRESS", "DELETE_IN_PROGRESS"];
    let started = |event: &StackEvent| is_of_stack(event) && requested.contains(&status(event));
    let from = events.iter().rposition(started).unwrap_or(0);
    let mut failed = events[from..].iter().filter(|event| has_failed(event) && !is_of_stack(event));
    let first = failed.clone().find(|event| !is_cancelled(event)).or_else(|| failed.next());
    first.map(failure)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn event(resource: &str, kind: &str, status: &str, reason: &str) -> StackEvent {
        StackEvent::builder()
            .stack_id("id-of-stack")
            .physical_resource_id(if kind == STACK { "id-of-stack" } else { resource })
            .logical_resource_id(resource)
            .resource_type(kind)
            .resource_status(status.into())
            .resource_status_reason(reason)
            .build()
    }

    const STACK: &str = "AWS::CloudFormation::Stack";

    #[test]
    fn formatter_shows_important_events_once() {
        let mut formatter = EventFormatter::default();
        let mut line =
            |resource, kind, status, reason| formatter.line(&event(resource, kind, status, reason));
        assert_eq!(line("covid19-database", STACK, "CREATE_IN_PROGRESS", "User Initiated"), None);
        assert_eq!(line("Log", "AWS::Logs::LogGroup", "CREATE_IN_PROGRESS", ""), None);
        assert_eq!(
            line("Log", "AWS::Logs::LogGroup", "CREATE_COMPLETE", "").unwrap(),
            "Log (AWS::Logs::LogGroup) created"
        );
        assert!(
            line("Master", "AWS::RDS::DBInstance", "CREATE_IN_PROGRESS", "")
                .unwrap()
                .ends_with("takes minutes")
        );
        assert_eq!(
            line("Master", "AWS::RDS::DBInstance", "CREATE_IN_PROGRESS", "Resource creation Initiated"),
            None
        );
        assert_eq!(
            line("Master", "AWS::RDS::DBInstance", "CREATE_FAILED", "no room").unwrap(),
            "failed: Master (AWS::RDS::DBInstance): no room"
        );
        assert_eq!(line("Log", "AWS::Logs::LogGroup", "CREATE_FAILED", "Resource creation cancelled"), None);
        assert!(line("covid19-database", STACK, "ROLLBACK_IN_PROGRESS", "").unwrap().contains("taken back"));
    }

    #[test]
    fn first_failure_is_that_of_last_operation() {
        let first = [
            event("s", STACK, "CREATE_IN_PROGRESS", "User Initiated"),
            event("Old", "AWS::S3::Bucket", "CREATE_FAILED", "of another attempt"),
            event("s", STACK, "ROLLBACK_COMPLETE", ""),
        ];
        assert_eq!(first_failure(&first).unwrap(), "Old (AWS::S3::Bucket): of another attempt");
        let second = [
            event("s", STACK, "UPDATE_IN_PROGRESS", "User Initiated"),
            event("A", "AWS::EC2::VPC", "UPDATE_FAILED", "Resource update cancelled"),
            event("B", "AWS::EC2::EIP", "CREATE_FAILED", "The maximum number of addresses has been reached"),
            event("C", "AWS::EC2::EIP", "CREATE_FAILED", "something later"),
            event("s", STACK, "UPDATE_ROLLBACK_IN_PROGRESS", "The following resource(s) failed: [B, C]"),
        ];
        let all: Vec<_> = first.into_iter().chain(second).collect();
        assert!(first_failure(&all).unwrap().starts_with("B (AWS::EC2::EIP): The maximum number"));
        assert_eq!(first_failure(&[]), None);
    }
}
