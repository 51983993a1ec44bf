//! The log sources of a target and of a run, and the runs that only a log remembers.

use std::collections::HashSet;
use std::sync::Arc;

use aws_sdk_cloudwatchlogs::types::{LogStream, OrderBy};
use chrono::{DateTime, Utc};
use common::failure::{Exit, Result};
use uuid::Uuid;

use super::account::Account;
use super::api_error::ApiContext as _;
use super::log_groups::{self, EventFilter, LogGroup, UnknownLog};
use super::tasks::{self, TaskState};
use logs::{SERVER_SOURCE, Source};
use target::description::{JobDescription, Work};
use target::{DatabaseServer, JobKind, Run};

/// How many streams of a group are looked at for runs.
const RECENT_STREAMS: i32 = 50;

/// Returns the sources of all jobs, then the others, then the database server.
pub(super) async fn all(account: &Account) -> Result<Vec<Arc<dyn Source>>> {
    let description = &account.description;
    let mut sources: Vec<Arc<dyn Source>> = Vec::new();
    for (name, job) in &description.jobs {
        let name = job.source.as_ref().unwrap_or(name);
        match account.log_group(job).await {
            Ok(group) => sources.push(source(account, name, group, EventFilter::All)),
            Err(failure) if failure.exit() == Exit::Credentials => return Err(failure),
            Err(_) => sources.push(Arc::new(UnknownLog { name: name.clone() })),
        }
    }
    for (name, groups) in &description.logs {
        for group in log_groups::matching(&account.clients.logs(), groups).await? {
            sources.push(source(account, name, group, EventFilter::All));
        }
    }
    let server =
        account.database(&DatabaseServer::MASTER).ok().or_else(|| description.databases.values().next());
    if let Some(instance) = server.and_then(|server| server.instance.as_ref()) {
        let group = format!("/aws/rds/instance/{instance}/postgresql");
        sources.push(source(account, SERVER_SOURCE, group, EventFilter::All));
    }
    Ok(sources)
}

/// Returns the source of one run: the stream of its task, or what mentions its invocation.
pub(super) async fn of_run(
    account: &Account,
    run: Uuid,
    kind: &JobKind,
    stream: Option<String>,
    task_arn: Option<&str>,
) -> Result<Arc<dyn Source>> {
    let job = account.job(kind)?;
    let filter = match &job.work {
        // Invocations write to any stream; lines have the id of the run or request.
        Work::Function(_) => EventFilter::Mentioning(run.to_string()),
        Work::Task(task) => match (stream, task_arn) {
            (Some(stream), _) => EventFilter::Stream(stream),
            (None, Some(arn)) => {
                EventFilter::Stream(account.container(task).await?.log_stream(tasks::id(arn)))
            }
            // The run is named by the id of its task.
            (None, None) if !account.description.is_of_stacks => {
                EventFilter::Stream(account.container(task).await?.log_stream(&run.simple().to_string()))
            }
            (None, None) => EventFilter::All,
        },
    };
    let name = job.source.as_deref().unwrap_or(kind_name(account, kind));
    Ok(source(account, name, account.log_group(job).await?, filter))
}

/// Returns the name of the job that runs of a kind belong to.
fn kind_name<'a>(account: &'a Account, kind: &'a JobKind) -> &'a str {
    match account.description.jobs.get_key_value(kind.name()) {
        Some((name, _)) => name,
        None => JobKind::Etl.name(),
    }
}

fn source(account: &Account, name: &str, group: String, of: EventFilter) -> Arc<dyn Source> {
    Arc::new(LogGroup { client: account.clients.logs(), name: name.to_owned(), group, of })
}

/// The state of a run whose end was not seen.
const UNKNOWN: &str = "unknown";

/// Completes a history by what only logs know: runs whose tasks ECS has forgotten before their end was recorded, and runs that were never
/// recorded. `tasks` are the tasks that ECS knows, `recorded` the ids of those in records.
pub(super) async fn complete(
    account: &Account,
    runs: &mut Vec<Run>,
    tasks: &[TaskState],
    mut recorded: HashSet<String>,
) -> Result<()> {
    for run in runs.iter_mut() {
        let is_there = tasks.iter().any(|task| task.run_id() == run.run_id);
        let is_recent = Utc::now() - run.started_at < tasks::CONSISTENCY_DELAY;
        if run.status == "running" && !is_there && !is_recent && !account.is_function(&run.kind) {
            forgotten(run);
        }
    }
    recorded.extend(tasks.iter().map(|task| tasks::id(&task.arn).to_owned()));
    for (name, job) in &account.description.jobs {
        let Work::Task(task) = &job.work else { continue };
        let Ok(container) = account.container(task).await else { continue };
        for stream in streams(account, job).await? {
            runs.extend(of_stream(name, &container.log_stream(""), &stream, &recorded));
        }
    }
    runs.sort_by_key(|run| std::cmp::Reverse(run.started_at));
    Ok(())
}

fn forgotten(run: &mut Run) {
    UNKNOWN.clone_into(&mut run.status);
    run.error = Some("ECS has forgotten the task; its log shows how it ended".to_owned());
}

async fn streams(account: &Account, job: &JobDescription) -> Result<Vec<LogStream>> {
    let Ok(group) = account.log_group(job).await else { return Ok(Vec::new()) };
    let request = account.clients.logs().describe_log_streams().log_group_name(&group);
    let request = request.order_by(OrderBy::LastEventTime).descending(true).limit(RECENT_STREAMS);
    let what = || format!("cannot list the streams of the log group `{group}`");
    let answer = request.send().await.api_context_optional("logs:DescribeLogStreams", what)?;
    Ok(answer.and_then(|answer| answer.log_streams).unwrap_or_default())
}

/// Returns the run of a stream whose name is the prefix and the id of a task.
fn of_stream(job: &str, prefix: &str, stream: &LogStream, recorded: &HashSet<String>) -> Option<Run> {
    let id = stream.log_stream_name().and_then(|name| name.strip_prefix(prefix))?;
    let run_id = id.parse().ok().filter(|_| !recorded.contains(id))?;
    let time = |millis: Option<i64>| millis.and_then(DateTime::<Utc>::from_timestamp_millis);
    let started_at = time(stream.first_event_timestamp).or(time(stream.creation_time))?;
    let mut run = Run::begun(run_id, job, started_at);
    run.finished_at = time(stream.last_event_timestamp);
    forgotten(&mut run);
    Some(run)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stream_of_an_unrecorded_task_is_a_run() {
        let id = "0123456789abcdef0123456789abcdef";
        let stream = |name: &str| {
            LogStream::builder()
                .log_stream_name(name)
                .first_event_timestamp(1_700_000_000_000)
                .last_event_timestamp(1_700_000_060_000)
                .build()
        };
        let run = |name: &str, recorded: &[&str]| {
            let recorded = recorded.iter().map(|&id| id.to_owned()).collect();
            of_stream("nightly", "ecs/python-etl/", &stream(name), &recorded)
        };
        let name = format!("ecs/python-etl/{id}");
        let found = run(&name, &[]).unwrap();
        assert_eq!((found.kind.as_str(), found.status.as_str()), ("nightly", "unknown"));
        assert_eq!(
            (found.run_id.simple().to_string(), found.duration().unwrap().num_seconds()),
            (id.to_owned(), 60)
        );
        assert_eq!(run(&name, &[id]), None);
        assert_eq!(run(&format!("ecs/datadog/{id}"), &[]), None);
        assert_eq!(run("ecs/python-etl/latest", &[]), None);
    }
}
