//! Functions that keep no run records: invoked asynchronously, known by their request id, and ended by what Lambda logs.

use std::collections::BTreeMap;

use aws_config::retry::RetryConfig;
use aws_sdk_cloudwatchlogs::types::FilteredLogEvent;
use aws_sdk_lambda::operation::RequestId as _;
use aws_sdk_lambda::primitives::Blob;
use aws_sdk_lambda::types::InvocationType;
use chrono::{DateTime, TimeDelta, Utc};
use common::failure::{Failure, Result};
use serde_json::Value;
use uuid::Uuid;

use super::api_error::{ApiContext as _, ApiError};
use super::clients::Clients;
use super::log_groups;
use target::RunEnd;

/// The longest timeout of a Lambda function.
pub(super) const MAX_INVOCATION: TimeDelta = TimeDelta::minutes(15);

/// How long Lambda may take to start or retry an invocation.
pub(super) const START_ALLOWANCE: TimeDelta = TimeDelta::minutes(5);

/// Invokes a function and returns the request id, if the answer has one. The request is never retried, because it may have arrived even
/// if its response was lost.
pub(super) async fn invoke(clients: &Clients, function: &str, event: &Value) -> Result<Option<Uuid>> {
    let once = aws_sdk_lambda::config::Builder::new().retry_config(RetryConfig::disabled());
    let invoked = clients
        .functions()
        .invoke()
        .function_name(function)
        .invocation_type(InvocationType::Event)
        .payload(Blob::new(event.to_string()))
        .customize()
        .config_override(once)
        .send()
        .await;
    match invoked {
        Ok(answer) => Ok(answer.request_id().and_then(|id| id.parse().ok())),
        Err(error) => {
            let error = ApiError::of(&error);
            let failure =
                error.failure("lambda:InvokeFunction", &format!("cannot invoke the function `{function}`"));
            // A lost response is no reason to retry.
            Err(if error.may_pass() {
                failure.hint("`covidctl runs` shows whether it began; if not, try again")
            } else {
                failure
            })
        }
    }
}

/// Returns the end of an invocation, if its log has it.
pub(super) async fn end(
    clients: &Clients,
    group: &str,
    request: Uuid,
    since: DateTime<Utc>,
) -> Result<Option<RunEnd>> {
    let id = request.to_string();
    let own = events(clients, group, None, &id, log_groups::log_start(since)).await?;
    let verdicts: Vec<Verdict> = own.iter().filter_map(|event| verdict(event.message()?, &id)).collect();
    let failure = || {
        verdicts.iter().find_map(|verdict| match verdict {
            Verdict::Failed(reason) => Some(reason.clone()),
            Verdict::Ended(_) => None,
        })
    };
    let status = verdicts.iter().find_map(|verdict| match verdict {
        Verdict::Ended(status) => Some(status.clone()),
        Verdict::Failed(_) => None,
    });
    let reason = match status {
        None => return Ok(None),
        Some(Some(status)) if status != "success" => {
            Some(failure().unwrap_or_else(|| format!("status {status}")))
        }
        Some(Some(_)) => None,
        // Older runtimes state no status; an unhandled error of theirs does not name the request.
        Some(None) => match failure() {
            None => unhandled_error(clients, group, &own).await?,
            failure => failure,
        },
    };
    Ok(Some(RunEnd {
        code: u8::from(reason.is_some()),
        hint: reason.is_some().then(|| {
            format!("covidctl logs --run {id}; Lambda repeats a failed asynchronous invocation up to twice")
        }),
        reason,
        warning: None,
    }))
}

/// Returns the end of an invocation that cannot be running any more and whose log does not say how it ended.
pub(super) fn without_end(group: &str, requested_at: DateTime<Utc>, now: DateTime<Utc>) -> Option<RunEnd> {
    (!may_be_running(requested_at, now)).then(|| RunEnd {
        reason: Some(format!("the log group `{group}` does not say that it ended, and it can run no longer")),
        hint: Some("may the function write to this group? Its role needs logs:PutLogEvents".to_owned()),
        ..RunEnd::exited(1)
    })
}

/// Returns whether an invocation that was requested, or last heard of, at a time may still be running.
pub(super) fn may_be_running(at: DateTime<Utc>, now: DateTime<Utc>) -> bool {
    now - at <= MAX_INVOCATION + START_ALLOWANCE
}

/// Returns the error between the first and the last event of an invocation in their stream.
async fn unhandled_error(clients: &Clients, group: &str, own: &[FilteredLogEvent]) -> Result<Option<String>> {
    let times = own.iter().filter_map(FilteredLogEvent::timestamp);
    let Some((first, last)) = times.clone().min().zip(times.max()) else { return Ok(None) };
    let stream = own.iter().find_map(|event| event.log_stream_name());
    let errors = events(clients, group, stream, "[ERROR]", first).await?;
    let unhandled = errors.iter().filter(|event| event.timestamp().is_some_and(|time| time <= last));
    Ok(unhandled.filter_map(FilteredLogEvent::message).find_map(|message| {
        // A logger separates its fields by tabs; the runtime does not.
        let reason = message.strip_prefix("[ERROR] ")?.lines().next()?;
        Some(reason.to_owned())
    }))
}

/// Returns the events with a text that has no quotation mark.
async fn events(
    clients: &Clients,
    group: &str,
    stream: Option<&str>,
    text: &str,
    since: i64,
) -> Result<Vec<FilteredLogEvent>> {
    let request = clients.logs().filter_log_events().log_group_name(group).start_time(since);
    let request = request.set_log_stream_names(stream.map(|stream| vec![stream.to_owned()]));
    let pages = request.filter_pattern(format!("\"{text}\"")).into_paginator().send();
    let found = pages.try_collect().await;
    let what = || format!("cannot read the log group `{group}`");
    // The group appears with the first invocation.
    let pages = found.api_context_optional("logs:FilterLogEvents", what)?.unwrap_or_default();
    Ok(pages.into_iter().flat_map(|page| page.events.unwrap_or_default()).collect())
}

/// What a log event says about an invocation.
#[derive(Debug, PartialEq, Eq)]
enum Verdict {
    /// It ended, with a status if the runtime states one.
    Ended(Option<String>),
    Failed(String),
}

/// Reads an event that mentions the request (Lambda Developer Guide, "Working with Lambda function logs", text and JSON format).
fn verdict(message: &str, id: &str) -> Option<Verdict> {
    let message = message.trim();
    if let Ok(fields) = serde_json::from_str::<BTreeMap<String, Value>>(message) {
        let text = |value: Option<&Value>| value.and_then(Value::as_str).map(str::to_owned);
        if fields.get("type").and_then(Value::as_str) == Some("platform.report") {
            return Some(Verdict::Ended(text(fields.get("record")?.get("status"))));
        }
        let error = text(fields.get("errorType"))?;
        let words = text(fields.get("errorMessage")).map(|words| format!(": {words}")).unwrap_or_default();
        return Some(Verdict::Failed(format!("{error}{words}")));
    }
    if message.starts_with("REPORT RequestId:") {
        let status = message.split('\t').find_map(|field| field.trim().strip_prefix("Status: "));
        return Some(Verdict::Ended(status.map(str::to_owned)));
    }
    let signs = ["Task timed out after", "Error: Runtime exited", "Process exited before completing request"];
    let is_failure = signs.iter().any(|sign| message.contains(sign)) || message.contains("\tInvoke Error");
    is_failure.then(|| {
        let from = message.find(id).map_or(0, |at| at + id.len());
        Verdict::Failed(message[from..].trim().replace('\t', " "))
    })
}

/// Returns the error of a function that a run was to be given variables for.
pub(super) fn no_environment(name: &str) -> Failure {
    Failure::usage(format!("a function cannot be given `{name}`"))
        .hint("environment variables of a function are part of its configuration")
}

#[cfg(test)]
mod tests {
    use super::*;

    const ID: &str = "8f507cfc-xmpl-4697-b07a-ac58fc914c95";

    #[test]
    fn invocation_without_an_end_in_its_log_is_given_up() {
        let asked = DateTime::UNIX_EPOCH;
        let end = |minutes| without_end("/aws/lambda/x", asked, asked + TimeDelta::minutes(minutes));
        assert_eq!(end(20), None, "it may have waited five minutes and run for fifteen");
        let end = end(21).unwrap();
        assert_eq!(end.code, 1);
        assert!(end.reason.unwrap().contains("/aws/lambda/x") && end.hint.is_some());
    }

    #[test]
    fn verdict_of_text_and_json_logs() {
        let ended = |status: Option<&str>| Some(Verdict::Ended(status.map(str::to_owned)));
        let failed = |reason: &str| Some(Verdict::Failed(reason.to_owned()));
        for (message, expected) in [
            (format!("START RequestId: {ID} Version: $LATEST"), None),
            (format!("2022-06-05T11:30:00Z {ID} downloaded 3 files"), None),
            (format!("REPORT RequestId: {ID}\tDuration: 15 ms\tMax Memory Used: 44 MB\t"), ended(None)),
            (
                format!("REPORT RequestId: {ID}\tDuration: 3000.00 ms\tMemory Size: 128 MB\tStatus: timeout"),
                ended(Some("timeout")),
            ),
            (
                format!("2022-06-05T11:30:03Z {ID} Task timed out after 3.00 seconds"),
                failed("Task timed out after 3.00 seconds"),
            ),
            (
                format!("RequestId: {ID} Error: Runtime exited with error: signal: killed"),
                failed("Error: Runtime exited with error: signal: killed"),
            ),
            (
                format!("2022-06-05T11:30:03Z\t{ID}\tERROR\tInvoke Error\t{{\"errorType\":\"E\"}}"),
                failed("ERROR Invoke Error {\"errorType\":\"E\"}"),
            ),
            (
                format!(r#"{{"type":"platform.report","record":{{"requestId":"{ID}","status":"success"}}}}"#),
                ended(Some("success")),
            ),
            (
                format!(
                    r#"{{"level":"ERROR","requestId":"{ID}","errorType":"KeyError","errorMessage":"'x'"}}"#
                ),
                failed("KeyError: 'x'"),
            ),
        ] {
            assert_eq!(verdict(&message, ID), expected, "{message}");
        }
    }
}
