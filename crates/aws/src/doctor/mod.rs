//! The checks of `covidctl doctor` on AWS.
//!
//! All requests run concurrently; checks are reported in a fixed order. Nothing is changed.

pub(super) mod address;
mod described;
mod images;
mod permissions;

use chrono::{DateTime, Utc};
use common::failure::{Failure, Result};

use super::account::Account;
use super::bastion;
use super::components::{self, Alarms};
use super::names::Name;
use super::stacks::{self, Stack, Stacks};
use common::text::age;
use target::{Check, CheckSink, Component, ComponentState, DoctorContext};

/// Stacks that need a software release and do not exist without one.
const NEED_RELEASE: [&str; 4] = ["pipeline", "ingest", "dashboard", "ci"];

/// The components of the stacks, the stack of each, and a hint.
const COMPONENTS: [(&str, &str, &str); 5] = [
    ("schedule", "ingest", "covidctl up --parameter ingest.ScheduleState=ENABLED"),
    ("lambda", "ingest", "covidctl logs lambda --since 1d"),
    ("master", "database", "covidctl status --watch"),
    ("replica", "database", "a long query or a load may hold it back for minutes; covidctl status --watch"),
    ("metabase", "dashboard", "covidctl logs metabase --since 1h"),
];

/// Reports all checks; returns whether the pipeline exists, so that its databases can be checked.
pub(super) async fn diagnose(account: &Account, context: &DoctorContext, sink: &CheckSink<'_>) -> bool {
    if !account.description.is_of_stacks {
        described::diagnose(account, context, sink).await;
        return true;
    }
    let Account { clients, names, .. } = account;
    let stacks = Stacks::new(clients);
    let (permissions, stacks, bastion, address, components, alarms) = tokio::join!(
        permissions::check(clients, names),
        stacks.all(),
        bastion(account),
        address::check(clients, names.get(Name::BastionSecurityGroup), context.my_address),
        components::all(account),
        alarms(account),
    );
    sink(permissions);
    let is_there = |name: &str| {
        let known = stacks.as_ref().ok().and_then(|stacks| stacks.iter().find(|(known, _)| *known == name));
        known.is_none_or(|(_, stack)| stack.is_some())
    };
    match &stacks {
        Ok(stacks) => {
            stack_checks(stacks, Utc::now()).into_iter().for_each(sink);
            images::check(clients, stacks).await.into_iter().for_each(sink);
        }
        Err(failure) => sink(Check::of("stacks", failure)),
    }
    // Without the first stack all other checks would fail for the same reason.
    if !is_there("network") {
        return false;
    }
    component_checks(&components, is_there).into_iter().for_each(sink);
    sink(bastion.unwrap_or_else(|failure| Check::of("bastion", &failure)));
    sink(address.unwrap_or_else(|failure| Check::of("my address", &failure)));
    sink(alarms.unwrap_or_else(|failure| Check::of("alarms", &failure)));
    true
}

fn stack_checks(stacks: &[(&str, Option<Stack>)], now: DateTime<Utc>) -> Vec<Check> {
    let (mut missing, mut later, mut odd) = (Vec::new(), Vec::new(), Vec::new());
    for (name, stack) in stacks {
        match stack.as_ref().map(|stack| &stack.status) {
            None if NEED_RELEASE.contains(name) => later.push(*name),
            None => missing.push(*name),
            Some(status) if !stacks::is_complete(status) => odd.push(format!("{name} is {status}")),
            Some(_) => {}
        }
    }
    let complete = stacks.len() - missing.len() - later.len() - odd.len();
    let check = if !odd.is_empty() {
        let hint = "`covidctl up` waits for what goes on, and mends the rest or says what is in its way";
        Check::failed("stacks", odd.join(", "), hint)
    } else if !missing.is_empty() {
        Check::failed("stacks", format!("{} are not there", missing.join(", ")), "covidctl up")
    } else if !later.is_empty() {
        let detail = format!("{complete} are complete; {} are not there yet", later.join(", "));
        Check::warning("stacks", detail, "covidctl up --release TAG; docs/guides/deploy.md")
    } else {
        Check::ok("stacks", format!("all {complete} are complete"))
    };
    std::iter::once(check).chain(drift(stacks, now)).collect()
}

/// Checks the result of the last drift detection, which CloudFormation never runs by itself.
fn drift(stacks: &[(&str, Option<Stack>)], now: DateTime<Utc>) -> Option<Check> {
    let there: Vec<_> =
        stacks.iter().filter_map(|(name, stack)| Some((*name, stack.as_ref()?.drift))).collect();
    let drifted: Vec<_> = there
        .iter()
        .filter_map(|(name, drift)| drift.filter(|(has_drifted, _)| *has_drifted).map(|(_, at)| (*name, at)))
        .collect();
    // `None` if the last detection of a stack is not known.
    let oldest = there.iter().map(|(_, drift)| drift.map(|(_, at)| at)).min()?;
    let look = |stack: &str| format!("aws cloudformation detect-stack-drift --stack-name covid19-{stack}");
    let first = there.first()?.0;
    Some(match (drifted.first(), oldest) {
        (Some((first, _)), _) => {
            let seen = drifted.iter().map(|(name, at)| format!("{name} (seen {})", age(*at, now)));
            let seen = seen.collect::<Vec<_>>().join(", ");
            let show =
                format!("aws cloudformation describe-stack-resource-drifts --stack-name covid19-{first}");
            Check::warning(
                "drift",
                format!("resources were changed outside CloudFormation in {seen}"),
                format!("{show} shows what; after it was mended, {} looks again", look(first)),
            )
        }
        (None, Some(oldest)) => {
            let age = age(oldest, now);
            Check::ok("drift", format!("none was found, {age} at the earliest; {} looks again", look(first)))
        }
        (None, None) => {
            Check::ok("drift", format!("not looked for in every stack; {} does in one", look(first)))
        }
    })
}

/// Checks the components of existing stacks, except the bastion, which has a check of its own.
fn component_checks(components: &[Component], is_there: impl Fn(&str) -> bool) -> Vec<Check> {
    let check = |(name, stack, hint): (&'static str, &str, &str)| {
        let component = components.iter().find(|known| known.name == name).filter(|_| is_there(stack))?;
        let detail = component.detail.clone();
        Some(match component.state {
            ComponentState::Ready => Check::ok(name, detail),
            ComponentState::Busy | ComponentState::Stopped => Check::warning(name, detail, hint),
            ComponentState::Missing => Check::failed(
                name,
                format!("it is gone, though its stack `{stack}` is there"),
                format!(
                    "aws cloudformation detect-stack-drift --stack-name covid19-{stack} says what else is"
                ),
            ),
            ComponentState::Failed | ComponentState::Unknown => Check::failed(name, detail, hint),
        })
    };
    COMPONENTS.into_iter().filter_map(check).collect()
}

async fn bastion(account: &Account) -> Result<Check> {
    let described = account.description.bastion.as_ref();
    let described = described.ok_or_else(|| Failure::usage("the target has no bastion"))?;
    let instance = bastion::instance(account, &described.place).await?;
    Ok(Check::ok("bastion", format!("{} is in service at {}", instance.id, instance.address)))
}

async fn alarms(account: &Account) -> Result<Check> {
    let prefix = account.description.alarms.as_deref().unwrap_or_default();
    let Alarms { count, raised, .. } = Alarms::fetch(&account.clients, prefix).await?;
    Ok(match (count, raised.len()) {
        (0, _) => {
            Check::warning("alarms", "there are none yet", "the stacks `pipeline` and `ingest` bring them")
        }
        (count, 0) => Check::ok("alarms", format!("none of {count} is raised")),
        _ => Check::failed("alarms", raised.join(", "), "covidctl runs, and covidctl logs --since 1d"),
    })
}

#[cfg(test)]
mod tests {
    use std::borrow::Cow;

    use chrono::TimeDelta;

    use super::*;
    use target::CheckOutcome;

    fn now() -> DateTime<Utc> {
        DateTime::UNIX_EPOCH + TimeDelta::days(9)
    }

    fn state(name: &'static str, status: Option<&str>) -> (&'static str, Option<Stack>) {
        let drift = (name == "network").then(|| (true, now() - TimeDelta::days(3)));
        (name, status.map(|status| Stack { status: status.to_owned(), drift, ..Stack::default() }))
    }

    fn outcomes(stacks: &[(&'static str, Option<Stack>)]) -> Vec<(Cow<'static, str>, CheckOutcome)> {
        stack_checks(stacks, now()).into_iter().map(|check| (check.name, check.outcome)).collect()
    }

    #[test]
    fn stack_checks_follow_stack_status() {
        let whole = Some("UPDATE_COMPLETE");
        let check = |name: &'static str, outcome| (Cow::Borrowed(name), outcome);
        let drift = check("drift", CheckOutcome::Ok);
        assert_eq!(
            outcomes(&[state("database", whole), state("pipeline", whole)]),
            [check("stacks", CheckOutcome::Ok), drift.clone()]
        );
        assert_eq!(
            outcomes(&[state("network", whole), state("pipeline", None)]),
            [check("stacks", CheckOutcome::Warning), check("drift", CheckOutcome::Warning)]
        );
        assert_eq!(outcomes(&[state("database", None)]), [check("stacks", CheckOutcome::Failed)]);
        assert_eq!(
            outcomes(&[state("pipeline", Some("ROLLBACK_COMPLETE"))]),
            [check("stacks", CheckOutcome::Failed), drift]
        );
    }

    #[test]
    fn drift_check_names_time_and_command() {
        let network = state("network", Some("UPDATE_COMPLETE"));
        let check = drift(std::slice::from_ref(&network), now()).unwrap();
        assert!(check.detail.contains("network (seen 3 d ago)"), "{}", check.detail);
        let hint = check.hint.unwrap();
        assert!(hint.contains("detect-stack-drift --stack-name covid19-network"), "{hint}");
        let drift_at = network.1.and_then(|stack| stack.drift).map(|(_, at)| (false, at));
        let sound = ("network", Some(Stack { drift: drift_at, ..Stack::default() }));
        let check = drift(&[sound], now()).unwrap();
        assert!(check.detail.contains("none was found, 3 d ago"), "{}", check.detail);
    }

    #[test]
    fn component_checks_ignore_stopped_and_stackless_components() {
        let part = |name: &str, state| Component {
            name: name.to_owned(),
            state,
            since: None,
            detail: String::new(),
        };
        let parts = [
            part("metabase", ComponentState::Stopped),
            part("replica", ComponentState::Failed),
            part("lambda", ComponentState::Unknown),
        ];
        let checks = component_checks(&parts, |stack| stack != "ingest");
        let checks: Vec<_> = checks.iter().map(|check| (&*check.name, check.outcome)).collect();
        assert_eq!(checks, [("replica", CheckOutcome::Failed), ("metabase", CheckOutcome::Warning)]);
    }
}
