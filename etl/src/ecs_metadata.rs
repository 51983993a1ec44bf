//! The ECS task of this process and its log stream, from the task metadata endpoint (version 4).
//!
//! ECS forgets a stopped task after an hour; the run record keeps it. An endpoint that does not answer is a warning.

use std::collections::HashMap;
use std::error::Error;
use std::time::Duration;

use chrono::{DateTime, Utc};
use serde::Deserialize;

const METADATA_TIMEOUT: Duration = Duration::from_secs(2);

#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct EcsTask {
    pub arn: Option<String>,
    pub log_stream: Option<String>,
    /// When ECS began to fetch the image, and when it had it.
    pub pull_began_at: Option<DateTime<Utc>>,
    pub pulled_at: Option<DateTime<Utc>>,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
struct Metadata {
    labels: HashMap<String, String>,
    log_options: HashMap<String, String>,
}

/// A part of the task's metadata.
#[derive(Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
struct Pull {
    pull_started_at: Option<DateTime<Utc>>,
    pull_stopped_at: Option<DateTime<Utc>>,
}

impl EcsTask {
    /// Fetches the metadata. `uri` is the value of `ECS_CONTAINER_METADATA_URI_V4`, absent outside ECS.
    pub async fn fetch(uri: Option<&str>) -> Self {
        let Some(uri) = uri else { return Self::default() };
        match tokio::time::timeout(METADATA_TIMEOUT, metadata(uri)).await {
            Ok(Ok(task)) => return task,
            Ok(Err(error)) => tracing::warn!(%error, "cannot read the task metadata"),
            Err(_) => tracing::warn!("the task metadata endpoint timed out"),
        }
        Self::default()
    }
}

async fn metadata(uri: &str) -> Result<EcsTask, Box<dyn Error>> {
    let response = reqwest::get(uri).await?.error_for_status()?;
    let mut task = task(&response.bytes().await?)?;
    // Only the task knows when its image was fetched; what it lacks is left out.
    if let Ok(response) = reqwest::get(format!("{uri}/task")).await
        && let Ok(body) = response.bytes().await
    {
        let pull: Pull = serde_json::from_slice(&body).unwrap_or_default();
        (task.pull_began_at, task.pulled_at) = (pull.pull_started_at, pull.pull_stopped_at);
    }
    Ok(task)
}

fn task(body: &[u8]) -> serde_json::Result<EcsTask> {
    let mut metadata: Metadata = serde_json::from_slice(body)?;
    Ok(EcsTask {
        arn: metadata.labels.remove("com.amazonaws.ecs.task-arn"),
        log_stream: metadata.log_options.remove("awslogs-stream"),
        ..EcsTask::default()
    })
}

#[cfg(test)]
mod tests {
    use tokio::io::{AsyncBufReadExt as _, AsyncWriteExt as _, BufReader};
    use tokio::net::TcpListener;

    use super::*;

    #[test]
    fn task_has_arn_and_log_stream() {
        let body = br#"{"DockerId":"x","Name":"etl","Labels":{"com.amazonaws.ecs.cluster":"covid19",
            "com.amazonaws.ecs.task-arn":"arn:aws:ecs:us-east-1:1:task/covid19/abc"},
            "LogDriver":"awslogs","LogOptions":{"awslogs-group":"/ecs/covid19-etl","awslogs-stream":"etl/etl/abc"}}"#;
        let task = task(body).unwrap();
        assert_eq!(task.arn.as_deref(), Some("arn:aws:ecs:us-east-1:1:task/covid19/abc"));
        assert_eq!(task.log_stream.as_deref(), Some("etl/etl/abc"));
    }

    #[test]
    fn task_without_labels_is_empty() {
        assert_eq!(task(b"{}").unwrap(), EcsTask::default());
        assert!(task(b"<html>").is_err());
    }

    #[tokio::test]
    async fn fetch_reads_pull_of_task_beside_metadata_of_container() {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let uri = format!("http://{}/v4/x", listener.local_addr().unwrap());
        let server = tokio::spawn(async move {
            // The container was created after the pull; the time is not that of the task.
            let container =
                r#"{"CreatedAt":"2026-03-02T03:04:40Z","Labels":{"com.amazonaws.ecs.task-arn":"arn:1/a"}}"#;
            let task = r#"{"PullStartedAt":"2026-03-02T03:04:05.5Z","PullStoppedAt":"2026-03-02T03:04:35Z"}"#;
            for (path, body) in [("/v4/x ", container), ("/v4/x/task ", task)] {
                let mut stream = BufReader::new(listener.accept().await.unwrap().0);
                let mut first = String::new();
                stream.read_line(&mut first).await.unwrap();
                assert!(first.starts_with(&format!("GET {path}")), "{first}");
                let head =
                    format!("HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: {}\r\n\r\n", body.len());
                stream.write_all(format!("{head}{body}").as_bytes()).await.unwrap();
            }
        });
        let task = EcsTask::fetch(Some(&uri)).await;
        server.await.unwrap();
        let at = |text: &str| Some(text.parse().unwrap());
        assert_eq!(task.arn.as_deref(), Some("arn:1/a"));
        assert_eq!(
            (task.pull_began_at, task.pulled_at),
            (at("2026-03-02T03:04:05.5Z"), at("2026-03-02T03:04:35Z"))
        );
    }

    #[tokio::test]
    async fn fetch_without_endpoint_or_answer_is_empty() {
        assert_eq!(EcsTask::fetch(None).await, EcsTask::default());
        assert_eq!(EcsTask::fetch(Some("http://127.0.0.1:1/v4/x")).await, EcsTask::default());
    }
}
