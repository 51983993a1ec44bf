//! What the container's surroundings say about this run: the ECS task that it is, and where its log goes.
//!
//! ECS forgets a stopped task after an hour; the run's record does not. Outside of ECS there is nothing to ask, and a metadata
//! endpoint that does not answer is a warning, never the reason for a run to fail.

use std::collections::HashMap;
use std::time::Duration;

use serde::Deserialize;

/// The container's own metadata, on a link-local address.
const PATIENCE: Duration = Duration::from_secs(2);

/// The label that names the task.
const TASK_LABEL: &str = "com.amazonaws.ecs.task-arn";

/// The option of the log driver `awslogs` that names the stream.
const STREAM_OPTION: &str = "awslogs-stream";

/// A task on ECS.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Task {
    /// Its ARN.
    pub arn: Option<String>,
    /// The stream of its log in the group's.
    pub log_stream: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Metadata {
    #[serde(default)]
    labels: HashMap<String, String>,
    #[serde(default)]
    log_options: HashMap<String, String>,
}

impl Task {
    /// Asks the metadata endpoint, version 4, of the container that this is; `uri` is what ECS puts into
    /// `ECS_CONTAINER_METADATA_URI_V4`.
    pub async fn ask(uri: Option<&str>) -> Self {
        let Some(uri) = uri else { return Self::default() };
        match tokio::time::timeout(PATIENCE, metadata(uri)).await {
            Ok(Ok(task)) => task,
            Ok(Err(error)) => {
                tracing::warn!(error, "the container's metadata cannot be read");
                Self::default()
            }
            Err(_) => {
                tracing::warn!("the container's metadata do not come");
                Self::default()
            }
        }
    }
}

async fn metadata(uri: &str) -> Result<Task, String> {
    let answer = reqwest::get(uri).await.and_then(reqwest::Response::error_for_status);
    let body = answer.map_err(|error| error.to_string())?.bytes().await.map_err(|error| error.to_string())?;
    task(&body).map_err(|error| error.to_string())
}

fn task(body: &[u8]) -> serde_json::Result<Task> {
    let mut metadata: Metadata = serde_json::from_slice(body)?;
    Ok(Task {
        arn: metadata.labels.remove(TASK_LABEL),
        log_stream: metadata.log_options.remove(STREAM_OPTION),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_are_found_among_everything_else() {
        let body = br#"{"DockerId":"x","Name":"etl","Labels":{"com.amazonaws.ecs.cluster":"covid19",
            "com.amazonaws.ecs.task-arn":"arn:aws:ecs:us-east-1:1:task/covid19/abc"},
            "LogDriver":"awslogs","LogOptions":{"awslogs-group":"/ecs/covid19-etl","awslogs-stream":"etl/etl/abc"}}"#;
        let task = task(body).unwrap();
        assert_eq!(task.arn.as_deref(), Some("arn:aws:ecs:us-east-1:1:task/covid19/abc"));
        assert_eq!(task.log_stream.as_deref(), Some("etl/etl/abc"));
    }

    #[test]
    fn what_is_missing_is_missing() {
        assert_eq!(task(b"{}").unwrap(), Task::default());
        assert!(task(b"<html>").is_err());
    }

    #[tokio::test]
    async fn nobody_is_asked_outside_of_a_container_and_silence_is_no_failure() {
        assert_eq!(Task::ask(None).await, Task::default());
        assert_eq!(Task::ask(Some("http://127.0.0.1:1/v4/x")).await, Task::default());
    }
}
