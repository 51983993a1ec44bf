//! Stack events as progress lines, and the reason of a failure. Pure.
//!
//! A line is shown when a resource is done, when one that takes minutes begins, or on a failure.

use std::collections::BTreeSet;

/// Resource types that take minutes, whose start is shown, too.
const SLOW: [&str; 5] = [
    "AWS::AutoScaling::AutoScalingGroup",
    "AWS::EC2::VPCEndpoint",
    "AWS::ECS::Service",
    "AWS::ElasticLoadBalancingV2::LoadBalancer",
    "AWS::RDS::DBInstance",
];

#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Event {
    pub(super) id: String,
    /// Whether it is about the stack itself.
    pub(super) is_of_stack: bool,
    /// Logical id.
    pub(super) resource: String,
    pub(super) kind: String,
    pub(super) status: String,
    pub(super) reason: Option<String>,
}

impl Event {
    fn has_failed(&self) -> bool {
        self.status.ends_with("_FAILED")
    }

    /// Returns whether the resource was cancelled because another one failed.
    fn is_cancelled(&self) -> bool {
        self.reason.as_deref().is_some_and(|reason| reason.to_lowercase().contains("cancelled"))
    }

    fn sentence(&self) -> String {
        let reason = self.reason.as_deref().map(|reason| format!(": {reason}")).unwrap_or_default();
        format!("{} ({}){reason}", self.resource, self.kind)
    }
}

/// Formats events, each line once.
#[derive(Debug, Default)]
pub(super) struct EventFormatter {
    told: BTreeSet<(String, String)>,
}

impl EventFormatter {
    /// Returns the line for an event, if it is shown.
    pub(super) fn line(&mut self, stack: &str, event: &Event) -> Option<String> {
        let Event { resource, kind, status, .. } = event;
        let words = match status.as_str() {
            "ROLLBACK_IN_PROGRESS" | "UPDATE_ROLLBACK_IN_PROGRESS" if event.is_of_stack => {
                return Some(format!("{stack}: what was done is taken back"));
            }
            _ if event.is_of_stack => return None,
            _ if event.has_failed() => {
                return (!event.is_cancelled()).then(|| format!("{stack}: failed: {}", event.sentence()));
            }
            "CREATE_COMPLETE" => "created",
            "UPDATE_COMPLETE" => "changed",
            "DELETE_COMPLETE" => "deleted",
            "DELETE_SKIPPED" => "stays",
            "CREATE_IN_PROGRESS" if is_slow(kind) => "is being created, which takes minutes",
            "UPDATE_IN_PROGRESS" if is_slow(kind) => "is being changed, which takes minutes",
            "DELETE_IN_PROGRESS" if is_slow(kind) => "is being deleted, which takes minutes",
            _ => return None,
        };
        let is_new = self.told.insert((resource.clone(), status.clone()));
        is_new.then(|| format!("{stack}: {resource} ({kind}) {words}"))
    }
}

fn is_slow(kind: &str) -> bool {
    SLOW.contains(&kind)
}

/// Returns the first failure of the last operation, which caused all others. Events are ordered oldest first.
pub(super) fn first_failure(events: &[Event]) -> Option<String> {
    let started = |event: &Event| {
        let by_somebody = ["CREATE_IN_PROGRESS", "UPDATE_IN_PROGRESS", "DELETE_IN_PROGRESS"];
        event.is_of_stack && by_somebody.contains(&event.status.as_str())
    };
    let from = events.iter().rposition(started).unwrap_or(0);
    let failed = events[from..].iter().filter(|event| event.has_failed() && !event.is_of_stack);
    failed.clone().find(|event| !event.is_cancelled()).or_else(|| failed.clone().next()).map(Event::sentence)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn event(resource: &str, kind: &str, status: &str, reason: &str) -> Event {
        Event {
            id: format!("{resource}-{status}"),
            is_of_stack: kind == "AWS::CloudFormation::Stack",
            resource: resource.to_owned(),
            kind: kind.to_owned(),
            status: status.to_owned(),
            reason: (!reason.is_empty()).then(|| reason.to_owned()),
        }
    }

    const STACK: &str = "AWS::CloudFormation::Stack";

    #[test]
    fn formatter_shows_important_events_once() {
        let mut teller = EventFormatter::default();
        let mut line =
            |resource, kind, status, reason| teller.line("database", &event(resource, kind, status, reason));
        assert_eq!(line("covid19-database", STACK, "CREATE_IN_PROGRESS", "User Initiated"), None);
        assert_eq!(line("Log", "AWS::Logs::LogGroup", "CREATE_IN_PROGRESS", ""), None);
        assert_eq!(
            line("Log", "AWS::Logs::LogGroup", "CREATE_COMPLETE", "").unwrap(),
            "database: Log (AWS::Logs::LogGroup) created"
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
            "database: failed: Master (AWS::RDS::DBInstance): no room"
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
