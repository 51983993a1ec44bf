//! Validation errors of a template. Pure.
//!
//! A change set that fails validation has no reason; property and reason are in its events (CloudFormation API Reference, `DescribeEvents`,
//! `VALIDATION_ERROR`).

use aws_sdk_cloudformation::types::{EventType, OperationEvent};

/// Returns a message for each problem, with property and line of the template.
pub(super) fn problems(events: &[OperationEvent], body: &str) -> Vec<String> {
    let mut problems: Vec<String> = Vec::new();
    for event in events.iter().filter(|event| event.event_type() == Some(&EventType::ValidationError)) {
        let resource = event.logical_resource_id().unwrap_or("the template");
        let path = event.validation_path().map(|path| path.trim_start_matches('/').replace('/', "."));
        let line = line_of(body, resource).map(|line| format!(" (line {line} of the template)"));
        let reason = event.validation_status_reason().or(event.resource_status_reason());
        let problem = format!(
            "{}{}: {}",
            path.as_deref().filter(|path| !path.is_empty()).unwrap_or(resource),
            line.unwrap_or_default(),
            reason.unwrap_or("CloudFormation gives no reason")
        );
        if !problems.contains(&problem) {
            problems.push(problem);
        }
    }
    problems
}

/// Returns the line of a resource in a template, from 1.
fn line_of(body: &str, resource: &str) -> Option<usize> {
    let starts = [format!("{resource}:"), format!("\"{resource}\":")];
    let at = body.lines().position(|line| starts.iter().any(|start| line.trim_start().starts_with(start)))?;
    Some(at + 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    const BODY: &str =
        "Resources:\n  Data:\n    Type: AWS::S3::Bucket\n    Properties: {BucketName: UPPER}\n";

    fn event(kind: EventType, path: &str) -> OperationEvent {
        OperationEvent::builder()
            .event_type(kind)
            .logical_resource_id("Data")
            .validation_path(path)
            .validation_status_reason("Bucket name should not contain uppercase characters")
            .build()
    }

    #[test]
    fn problems_name_property_line_and_reason_once() {
        let path = "/Resources/Data/Properties/BucketName";
        let events = [
            event(EventType::StackEvent, path),
            event(EventType::ValidationError, path),
            event(EventType::ValidationError, path),
        ];
        assert_eq!(
            problems(&events, BODY),
            ["Resources.Data.Properties.BucketName (line 2 of the template): \
              Bucket name should not contain uppercase characters"]
        );
    }

    #[test]
    fn problem_without_details_names_the_template() {
        let bare = OperationEvent::builder().event_type(EventType::ValidationError).build();
        assert_eq!(problems(&[bare], BODY), ["the template: CloudFormation gives no reason"]);
    }
}
