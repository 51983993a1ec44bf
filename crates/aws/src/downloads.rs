//! Downloads: asynchronous invocations of the stacks' Lambda function, which are runs without a task.
//!
//! The function records its progress and its end in the run record. A record that was not updated for longer than an invocation may take
//! is that of a killed function.

use chrono::{DateTime, Utc};
use common::env;
use common::failure::{Exit, Failure, Result};
use etl::record::{Record, RunStatus};
use serde_json::json;
use uuid::Uuid;

use super::clients::Clients;
use super::functions::{self, MAX_INVOCATION, START_ALLOWANCE, may_be_running};
use target::{Job, RunEnd};

/// Invokes the function.
pub(super) async fn start(clients: &Clients, function: &str, run: Uuid, job: &Job) -> Result<()> {
    let mut started_by = None;
    for (name, value) in &job.environment {
        if name != env::STARTED_BY {
            return Err(Failure::usage(format!("a download on AWS cannot be given `{name}`"))
                .hint("its addresses are parameters of the stack covid19-ingest"));
        }
        started_by = Some(value);
    }
    let event = json!({ "download_id": run, "load": false, "started_by": started_by });
    functions::invoke(clients, function, &event).await.map(drop)
}

/// Returns the end of a download that was requested at a time, by its record.
pub(super) fn ended(
    record: Option<&Record>,
    requested_at: DateTime<Utc>,
    now: DateTime<Utc>,
) -> Option<RunEnd> {
    let hint = "covidctl logs lambda --since 1h".to_owned();
    match record {
        Some(record) if record.status == RunStatus::Running => None,
        Some(record) => Some(RunEnd {
            code: record.exit_code.unwrap_or(1),
            reason: record.error.clone(),
            hint: (record.status == RunStatus::Failed).then_some(hint),
            warning: None,
        }),
        None if now - requested_at <= START_ALLOWANCE => None,
        None => {
            let minutes = START_ALLOWANCE.num_minutes();
            let reason = Some(format!("the function did not begin within {minutes} minutes"));
            Some(RunEnd { code: Exit::NotStarted.code(), reason, hint: Some(hint), warning: None })
        }
    }
}

/// Marks the record of an invocation as failed if it cannot be running any more.
pub(super) fn with_liveness(record: Record, touched_at: DateTime<Utc>, now: DateTime<Utc>) -> Record {
    if record.status != RunStatus::Running || may_be_running(touched_at, now) {
        return record;
    }
    Record {
        status: RunStatus::Failed,
        finished_at: Some(touched_at + MAX_INVOCATION),
        exit_code: Some(1),
        error: Some("it ended without saying why (killed, or out of time or memory)".to_owned()),
        ..record
    }
}

#[cfg(test)]
mod tests {
    use chrono::TimeDelta;
    use etl::record::RunOrigin;
    use etl::runs::RunKind;

    use super::*;

    fn running() -> Record {
        Record::begin(Uuid::new_v4(), RunKind::Download, RunOrigin::default())
    }

    #[test]
    fn with_liveness_fails_record_without_recent_update() {
        let touched = Utc::now();
        let alive = with_liveness(running(), touched, touched + MAX_INVOCATION);
        assert_eq!(alive.status, RunStatus::Running);
        let dead =
            with_liveness(running(), touched, touched + MAX_INVOCATION + START_ALLOWANCE + START_ALLOWANCE);
        assert_eq!((dead.status, dead.exit_code), (RunStatus::Failed, Some(1)));
        let done = Record { status: RunStatus::Succeeded, ..running() };
        assert_eq!(with_liveness(done, touched, touched + TimeDelta::days(9)).status, RunStatus::Succeeded);
    }

    #[test]
    fn ended_gives_up_on_function_that_never_starts() {
        let asked = Utc::now();
        assert_eq!(ended(None, asked, asked + TimeDelta::minutes(1)), None);
        let given_up = ended(None, asked, asked + START_ALLOWANCE + START_ALLOWANCE).unwrap();
        assert_eq!(given_up.code, 125);
        assert_eq!(ended(Some(&running()), asked, asked + START_ALLOWANCE + START_ALLOWANCE), None);
        let failed =
            Record { status: RunStatus::Failed, exit_code: Some(1), error: Some("x".into()), ..running() };
        assert_eq!(ended(Some(&failed), asked, asked).unwrap().reason.as_deref(), Some("x"));
    }
}
