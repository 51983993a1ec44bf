//! `covidctl selftest`: proves the pipeline on an account, with the commands that operators use.
//!
//! Each step calls this program as an operator would. What a self-test creates has a tag, by which a later one finds what an interrupted one
//! left; nothing else is ever changed. It deletes what it created after a failure and after Ctrl-C, too.

mod steps;
mod transcript;

use std::fmt;
use std::sync::Arc;
use std::time::Instant;

use chrono::{SecondsFormat, Utc};
use common::failure::{Context as _, Exit, Failure, Result};
use common::text::table;
use serde::Serialize;

use self::steps::Steps;
use self::transcript::Transcript;
use super::confirm::confirm;
use crate::cli::{Selftest, SelftestStep};
use crate::connect;
use crate::printer::Printer;
use crate::settings::Settings;
use aws::ExistingStack;
use clap::ValueEnum as _;
use target::{Components as _, Location};

/// The sum of docs/guides/deploy.md, $258 a month, for an hour.
const COST: &str = "about $0.36 an hour (list prices of us-east-1, docs/guides/deploy.md)";

/// A database takes a quarter of an hour, its replica another, and their deletion as long.
const DURATION: &str = "about an hour and a half";

/// What no step shows.
const NEVER_PROVED: [&str; 4] = [
    "the schedule and the download of the ministry's files by the Lambda function",
    "mails of alarms",
    "a failover of the database, and an upgrade",
    "Metabase and its dashboard",
];

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
enum Outcome {
    Passed,
    Failed,
    Skipped,
}

#[derive(Debug, Serialize)]
struct StepResult {
    step: SelftestStep,
    outcome: Outcome,
    seconds: f64,
    /// What was shown, or why it failed.
    detail: String,
}

#[derive(Debug, Serialize)]
struct Results {
    version: &'static str,
    location: String,
    started_at: String,
    steps: Vec<StepResult>,
    not_proved: Vec<String>,
}

pub(super) async fn run(args: &Selftest, settings: &Settings, printer: &Arc<Printer>) -> Result<()> {
    let wanted = wanted(args)?;
    if wanted.iter().any(|step| step.changes()) {
        settings.may_change("run the self-test")?;
    }
    let aws = connect::aws(settings, printer.tunnel_events())?;
    let place = aws.identify().await?;
    let existing = aws.existing_stacks().await?;
    check_owner(&existing, &wanted, &place)?;
    if wanted.iter().any(|step| step.changes()) {
        confirm(&question(args, &wanted, &existing, &place), settings).await?;
    }
    let started_at = Utc::now().to_rfc3339_opts(SecondsFormat::Secs, true);
    let transcript = Transcript::create(args.out.as_deref(), settings, printer)?;
    printer.note(&format!("the results are written to `{}`", transcript.folder().display()));
    let mut steps = Steps { args, settings, aws: &aws, started_at: &started_at, transcript };
    let (results, failed) = take_all(&mut steps, &wanted, printer).await;
    let results = Results {
        version: env!("CARGO_PKG_VERSION"),
        location: steps.transcript.redact(&place.to_string()),
        started_at: started_at.clone(),
        steps: results,
        not_proved: not_proved(settings),
    };
    let summary = serde_json::to_vec_pretty(&results).context(|| "cannot write JSON")?;
    steps.transcript.write("selftest.json", &summary)?;
    printer.show(&results)?;
    let Some((step, exit)) = failed else { return Ok(()) };
    let left = aws.existing_stacks().await.unwrap_or_default();
    let folder = steps.transcript.folder().display();
    let hint = if left.is_empty() {
        format!("attach `{folder}` to a bug report: secrets, accounts and addresses are removed from it")
    } else {
        format!(
            "what it created is still there: `covidctl selftest clean-up` deletes it; `{folder}` has all messages"
        )
    };
    Err(Failure::new(format!("the self-test failed in the step `{step}`")).hint(hint).exit_code(exit))
}

/// Returns the steps in their order.
fn wanted(args: &Selftest) -> Result<Vec<SelftestStep>> {
    let mut wanted =
        if args.steps.is_empty() { SelftestStep::value_variants().to_vec() } else { args.steps.clone() };
    wanted.sort_unstable();
    wanted.dedup();
    if args.keep && args.steps.is_empty() {
        wanted.retain(|step| *step != SelftestStep::CleanUp);
    }
    if wanted.contains(&SelftestStep::Release) && args.release.is_none() {
        return Err(Failure::usage("the step `release` needs a software release")
            .hint("--release TAG, and --publish COMMAND if the registry of the account does not have it"));
    }
    Ok(wanted)
}

/// Returns a usage error if a step would change stacks that no self-test created.
fn check_owner(existing: &[ExistingStack], wanted: &[SelftestStep], place: &Location) -> Result<()> {
    let others: Vec<&str> =
        existing.iter().filter(|stack| stack.selftest.is_none()).map(|stack| stack.name).collect();
    if others.is_empty() || !wanted.iter().any(|step| step.changes()) {
        return Ok(());
    }
    Err(Failure::usage(format!(
        "the target {place} has the stacks {} already, which a self-test did not create",
        others.join(", ")
    ))
    .hint("use another account or --region; `covidctl selftest logs tunnel` only reads"))
}

fn question(
    args: &Selftest,
    wanted: &[SelftestStep],
    existing: &[ExistingStack],
    place: &Location,
) -> String {
    let left = existing.iter().find_map(|stack| stack.selftest.as_deref());
    let left = left.map(|since| format!(" Stacks of the self-test of {since} are there and are used."));
    let names: Vec<String> = wanted.iter().map(ToString::to_string).collect();
    let what =
        format!("Take the steps {} on the target {place}?{}", names.join(", "), left.unwrap_or_default());
    let creates = wanted.iter().any(|step| matches!(step, SelftestStep::Deploy | SelftestStep::Release));
    match (creates, wanted.contains(&SelftestStep::CleanUp)) {
        (true, true) => format!(
            "{what} The stacks cost {COST} until they are deleted at the end, also after a failure; that takes {DURATION}."
        ),
        (true, false) => {
            let end = if args.keep { "" } else { " `covidctl selftest clean-up` deletes them." };
            format!("{what} The stacks cost {COST} and are kept.{end}")
        }
        (false, true) => format!("{what} The stacks of the self-test are deleted with all their data."),
        (false, false) => what,
    }
}

/// Takes the steps until one fails; returns it with its exit code, too. What was created is deleted then, if that is one of the steps.
async fn take_all(
    steps: &mut Steps<'_>,
    wanted: &[SelftestStep],
    printer: &Printer,
) -> (Vec<StepResult>, Option<(SelftestStep, Exit)>) {
    let mut results: Vec<StepResult> = Vec::new();
    let mut failed = None;
    for &step in wanted {
        if failed.is_some() && step != SelftestStep::CleanUp {
            let detail = "a step before it failed".to_owned();
            results.push(StepResult { step, outcome: Outcome::Skipped, seconds: 0.0, detail });
            continue;
        }
        printer.note(&format!("== {step}"));
        let began = Instant::now();
        let taken = Box::pin(steps.take(step)).await;
        let (outcome, detail) = match taken {
            Ok(detail) => (Outcome::Passed, detail),
            Err(failure) => {
                failed.get_or_insert((step, failure.exit()));
                printer.failure(&failure);
                if failure.exit() == Exit::Interrupted && wanted.contains(&SelftestStep::CleanUp) {
                    printer.note("what was created is deleted now; press Ctrl-C again to leave it");
                }
                (Outcome::Failed, steps.transcript.redact(&failure.to_string()))
            }
        };
        results.push(StepResult { step, outcome, seconds: began.elapsed().as_secs_f64(), detail });
    }
    (results, failed)
}

fn not_proved(settings: &Settings) -> Vec<String> {
    let emulated = settings.aws.endpoint_url.as_ref().map(|endpoint| {
        format!("anything about AWS itself: `{}` is not AWS, so that permissions, quotas, durations and the behavior of its services are untested", endpoint.value)
    });
    emulated.into_iter().chain(NEVER_PROVED.map(str::to_owned)).collect()
}

impl fmt::Display for Results {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let cells = |result: &StepResult| {
            let outcome = match result.outcome {
                Outcome::Passed => "passed",
                Outcome::Failed => "FAILED",
                Outcome::Skipped => "skipped",
            };
            [
                result.step.to_string(),
                outcome.to_owned(),
                format!("{:.1}", result.seconds),
                result.detail.clone(),
            ]
        };
        writeln!(f, "{}", table(["STEP", "RESULT", "SECONDS", ""], self.steps.iter().map(cells)))?;
        write!(f, "\nnot proved:")?;
        for missing in &self.not_proved {
            write!(f, "\n- {missing}")?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use target::Capabilities;

    fn place() -> Location {
        Location {
            target: "aws".to_owned(),
            location: "account 1".to_owned(),
            capabilities: Capabilities { services: false, bastion: true, account: true, releases: true },
        }
    }

    #[test]
    fn stacks_of_others_are_never_changed() {
        let of =
            |selftest: Option<&str>| ExistingStack { name: "network", selftest: selftest.map(str::to_owned) };
        let reads = [SelftestStep::Logs, SelftestStep::Tunnel];
        assert!(check_owner(&[of(None)], &reads, &place()).is_ok());
        let own = [of(Some("2026-11-29T12:00:00Z"))];
        for step in SelftestStep::value_variants() {
            assert!(check_owner(&own, &[*step], &place()).is_ok());
            let refused = check_owner(&[of(None)], &[*step], &place());
            assert_eq!(refused.is_err(), step.changes(), "{step}");
        }
    }
}
