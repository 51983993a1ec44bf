//! Stops the tasks of a cluster before its stack is deleted: ECS does not delete a cluster with active tasks (ECS API Reference,
//! `DeleteCluster`, `ClusterContainsTasksException`), and the deletion would end as `DELETE_FAILED`.

use std::time::Duration;

use common::failure::{Failure, Result};

use super::poll_interval::PollInterval;
use super::service::{Service, Stack};
use crate::api_error::ApiContext as _;
use crate::clients::Clients;
use target::Progress;

const STOP_TIMEOUT: Duration = Duration::from_mins(5);

/// ECS describes at most this many tasks in one request.
const DESCRIBE_LIMIT: usize = 100;

/// Stops the tasks in the clusters of a stack and waits for their end.
pub(super) async fn clear(
    clients: &Clients,
    service: &Service,
    name: &str,
    stack: &Stack,
    progress: &dyn Progress,
) -> Result<()> {
    for cluster in service.resources(&stack.id, "AWS::ECS::Cluster").await? {
        let tasks = running(clients, &cluster).await?;
        for task in &tasks {
            progress.step(&format!("{name}: stopping the task {}", task.rsplit('/').next().unwrap_or(task)));
            let request = clients.tasks().stop_task().cluster(&cluster).task(task);
            let stopped = request.reason("its stack is deleted").send().await;
            stopped.api_context("ecs:StopTask", || format!("cannot stop the task `{task}`"))?;
        }
        let mut pace = PollInterval::new(STOP_TIMEOUT);
        while !have_stopped(clients, &cluster, &tasks).await? {
            pace.wait().await.map_err(|_| {
                Failure::new(format!("tasks in the cluster `{cluster}` do not stop"))
                    .hint("repeat the command when `covidctl status` shows no active run")
            })?;
        }
    }
    Ok(())
}

/// Returns the tasks that are not stopping; none if the cluster does not exist.
async fn running(clients: &Clients, cluster: &str) -> Result<Vec<String>> {
    let mut pages = clients.tasks().list_tasks().cluster(cluster).into_paginator().items().send();
    let mut tasks = Vec::new();
    while let Some(task) = pages.next().await {
        let task = task.api_context_optional("ecs:ListTasks", || {
            format!("cannot list the tasks in the cluster `{cluster}`")
        })?;
        let Some(task) = task else { break };
        tasks.push(task);
    }
    Ok(tasks)
}

/// Returns whether each task is stopped or forgotten by ECS.
async fn have_stopped(clients: &Clients, cluster: &str, tasks: &[String]) -> Result<bool> {
    for tasks in tasks.chunks(DESCRIBE_LIMIT) {
        let request = clients.tasks().describe_tasks().cluster(cluster).set_tasks(Some(tasks.to_vec()));
        let answer = request.send().await.api_context("ecs:DescribeTasks", || {
            format!("cannot look at the tasks in the cluster `{cluster}`")
        })?;
        if answer.tasks().iter().any(|task| task.last_status() != Some("STOPPED")) {
            return Ok(false);
        }
    }
    Ok(true)
}
