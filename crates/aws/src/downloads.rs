//! Downloads: invocations of the Lambda, which are runs like others, but without a task.
//!
//! The function is invoked once and asynchronously; that it lives, and how it ended, it says in the run's record. One that died cannot
//! say so: where its record was not touched for longer than an invocation may take, it is taken for dead.

use aws_sdk_lambda::config::retry::RetryConfig;
use aws_sdk_lambda::primitives::Blob;
use aws_sdk_lambda::types::InvocationType;
use chrono::{DateTime, TimeDelta, Utc};
use common::env;
use common::failure::{Exit, Failure, Result};
use etl::record::{Record, Status};
use serde_json::json;
use uuid::Uuid;

use super::clients::Clients;
use super::names::{Name, Names};
use super::trouble::Trouble;
use target::{Job, RunEnd};

/// The longest that Lambda lets a function run.
const LONGEST: TimeDelta = TimeDelta::minutes(15);

/// How long Lambda may take to begin, or to try again what failed.
const SLACK: TimeDelta = TimeDelta::minutes(5);

/// Asks for a download. The same run is never asked for twice: a request of which nobody knows whether it arrived is not repeated.
pub(super) async fn start(clients: &Clients, names: &Names, run: Uuid, job: &Job) -> Result<()> {
    let function = names.need(Name::Download)?;
    let mut started_by = None;
    for (name, value) in &job.environment {
        if name != env::STARTED_BY {
            return Err(Failure::usage(format!("a download on AWS cannot be given `{name}`"))
                .hint("its addresses are parameters of the stack covid19-ingest"));
        }
        started_by = Some(value);
    }
    let event = json!({ "download_id": run, "load": false, "started_by": started_by });
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
    let Err(error) = invoked else { return Ok(()) };
    let trouble = Trouble::of(&error);
    let failure =
        trouble.failure("lambda:InvokeFunction", &format!("cannot invoke the function `{function}`"));
    Err(match failure.exit() {
        Exit::Credentials => failure,
        // Not even a lost answer is a reason to ask twice.
        _ if trouble.may_pass() => failure
            .hint("`covidctl runs` shows whether it began all the same; if not, try again")
            .exit_code(Exit::NotStarted),
        _ => failure.exit_code(Exit::NotStarted),
    })
}

/// How a download stands that was asked for at a time, and of which this is known.
pub(super) fn ended(record: Option<&Record>, asked_at: DateTime<Utc>, now: DateTime<Utc>) -> Option<RunEnd> {
    match record {
        Some(record) if record.status == Status::Running => None,
        Some(record) => Some(RunEnd {
            code: record.exit_code.unwrap_or(1),
            reason: record.error.clone(),
            hint: (record.status == Status::Failed).then(|| "covidctl logs lambda --since 1h".to_owned()),
        }),
        None if now - asked_at > SLACK => Some(RunEnd {
            code: Exit::NotStarted.code(),
            reason: Some(format!("the function did not begin within {} minutes", SLACK.num_minutes())),
            hint: Some("covidctl logs lambda --since 1h".to_owned()),
        }),
        None => None,
    }
}

/// Whether a record that says that its run is under way can be believed.
pub(super) fn may_live(touched_at: DateTime<Utc>, now: DateTime<Utc>) -> bool {
    now - touched_at <= LONGEST + SLACK
}

/// A record as it should be read: a download that can no longer be under way has failed.
pub(super) fn believed(record: Record, touched_at: DateTime<Utc>, now: DateTime<Utc>) -> Record {
    if record.kind != "download" || record.status != Status::Running || may_live(touched_at, now) {
        return record;
    }
    Record {
        status: Status::Failed,
        finished_at: Some(touched_at + LONGEST),
        exit_code: Some(1),
        error: Some("it ended without saying why (killed, or out of time or memory)".to_owned()),
        ..record
    }
}

#[cfg(test)]
mod tests {
    use etl::record::Origin;
    use etl::runs::Kind;

    use super::*;

    fn running() -> Record {
        Record::begin(Uuid::new_v4(), Kind::Download, Origin::default())
    }

    #[test]
    fn one_that_was_touched_lives_and_one_that_was_not_is_dead() {
        let touched = Utc::now();
        let alive = believed(running(), touched, touched + LONGEST);
        assert_eq!(alive.status, Status::Running);
        let dead = believed(running(), touched, touched + LONGEST + SLACK + SLACK);
        assert_eq!((dead.status, dead.exit_code), (Status::Failed, Some(1)));
        let done = Record { status: Status::Succeeded, ..running() };
        assert_eq!(believed(done, touched, touched + TimeDelta::days(9)).status, Status::Succeeded);
    }

    #[test]
    fn a_function_that_never_begins_is_not_waited_for_for_ever() {
        let asked = Utc::now();
        assert_eq!(ended(None, asked, asked + TimeDelta::minutes(1)), None);
        let given_up = ended(None, asked, asked + SLACK + SLACK).unwrap();
        assert_eq!(given_up.code, 125);
        assert_eq!(ended(Some(&running()), asked, asked + SLACK + SLACK), None);
        let failed =
            Record { status: Status::Failed, exit_code: Some(1), error: Some("x".into()), ..running() };
        assert_eq!(ended(Some(&failed), asked, asked).unwrap().reason.as_deref(), Some("x"));
    }
}
