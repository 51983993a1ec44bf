//! The checks of `covidctl doctor` on AWS.
//!
//! All requests run concurrently; checks are reported in a fixed order. Nothing is changed.

mod address;
mod images;
mod permissions;

use chrono::{DateTime, Utc};
use common::failure::Result;

use super::alarms::{self, Alarms};
use super::bastion;
use super::clients::Clients;
use super::components;
use super::names::{Name, Names};
use super::stacks::{self, Stacks};
use common::text::age;
use target::{Check, CheckSink, Component, ComponentState, DoctorContext};

/// Stacks that need a software release and do not exist without one.
const NEED_RELEASE: [&str; 4] = ["pipeline", "ingest", "dashboard", "ci"];

/// The components of `status`, the stack of each, and a hint.
const COMPONENTS: [(&str, &str, &str); 5] = [
    ("schedule", "ingest", "covidctl --target aws up --parameter ingest.ScheduleState=ENABLED"),
    ("lambda", "ingest", "covidctl logs lambda --since 1d"),
    ("master", "database", "covidctl status --watch"),
    ("replica", "database", "a long query or a load may hold it back for minutes; covidctl status --watch"),
    ("metabase", "dashboard", "covidctl logs metabase --since 1h"),
];

/// Reports all checks; returns whether the pipeline exists, so that its data can be checked.
pub(super) async fn diagnose(
    clients: &Clients,
    names: &Names,
    wanted: &DoctorContext,
    found: &CheckSink<'_>,
) -> bool {
    let stacks = Stacks::new(clients);
    let (rights, states, bastion, address, parts, alarms) = tokio::join!(
        permissions::check(clients, names),
        stacks.states(),
        bastion(clients, names),
        address::check(clients, names, wanted.my_address),
        Box::pin(components::all(clients, names)),
        alarms(clients),
    );
    found(rights);
    let is_there = |stack: &str| {
        let known = states.as_ref().ok().and_then(|states| states.iter().find(|state| state.name == stack));
        known.is_none_or(|state| state.status.is_some())
    };
    match &states {
        Ok(states) => {
            stack_checks(states, Utc::now()).into_iter().for_each(found);
            images::check(clients, states).await.into_iter().for_each(found);
        }
        Err(failure) => found(Check::of("stacks", failure)),
    }
    // Without the first stack all other checks would fail for the same reason.
    if !is_there("network") {
        return false;
    }
    component_checks(&parts, is_there).into_iter().for_each(found);
    found(bastion.unwrap_or_else(|failure| Check::of("bastion", &failure)));
    found(address.unwrap_or_else(|failure| Check::of("my address", &failure)));
    found(alarms.unwrap_or_else(|failure| Check::of("alarms", &failure)));
    true
}

fn stack_checks(states: &[stacks::StackState], now: DateTime<Utc>) -> Vec<Check> {
    let (mut checks, mut missing, mut later, mut odd) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
    for state in states {
        match &state.status {
            None if NEED_RELEASE.contains(&state.name) => later.push(state.name),
            None => missing.push(state.name),
            Some(said) if !stacks::is_complete(said) => odd.push(format!("{} is {said}", state.name)),
            Some(_) => {}
        }
    }
    let whole = states.len() - missing.len() - later.len() - odd.len();
    checks.push(if !odd.is_empty() {
        let hint = "`covidctl up` waits for what goes on, and mends the rest or says what is in its way";
        Check::failed("stacks", odd.join(", "), hint)
    } else if !missing.is_empty() {
        Check::failed("stacks", format!("{} are not there", missing.join(", ")), "covidctl --target aws up")
    } else if !later.is_empty() {
        let detail = format!("{whole} are complete; {} are not there yet", later.join(", "));
        Check::warning("stacks", detail, "covidctl --target aws up --release TAG; docs/guides/deploy.md")
    } else {
        Check::ok("stacks", format!("all {whole} are complete"))
    });
    checks.extend(drift(states, now));
    checks
}

/// Checks the result of the last drift detection, which CloudFormation never runs by itself.
fn drift(states: &[stacks::StackState], now: DateTime<Utc>) -> Option<Check> {
    let there: Vec<_> = states.iter().filter(|state| state.status.is_some()).collect();
    let first = there.first()?.name;
    let look = |stack: &str| format!("aws cloudformation detect-stack-drift --stack-name covid19-{stack}");
    let seen =
        there.iter().filter_map(|state| state.drift.map(|(has_drifted, at)| (state.name, has_drifted, at)));
    let drifted: Vec<_> = seen
        .clone()
        .filter(|(_, has_drifted, _)| *has_drifted)
        .map(|(name, _, at)| (name, format!("{name} (seen {})", age(at, now))))
        .collect();
    let oldest = seen.clone().map(|(.., at)| at).min();
    Some(match (drifted.first(), oldest) {
        (Some((first, _)), _) => {
            let names: Vec<_> = drifted.iter().map(|(_, words)| words.as_str()).collect();
            let show =
                format!("aws cloudformation describe-stack-resource-drifts --stack-name covid19-{first}");
            Check::warning(
                "drift",
                format!("resources were changed outside CloudFormation in {}", names.join(", ")),
                format!("{show} shows what; after it was mended, {} looks again", look(first)),
            )
        }
        (None, Some(oldest)) if seen.count() == there.len() => {
            let detail =
                format!("none was found, {} at the earliest; {} looks again", age(oldest, now), look(first));
            Check::ok("drift", detail)
        }
        (None, _) => {
            Check::ok("drift", format!("not looked for in every stack; {} does in one", look(first)))
        }
    })
}

/// Checks the components of existing stacks, except the bastion, which has a check of its own.
fn component_checks(parts: &[Component], is_there: impl Fn(&str) -> bool) -> Vec<Check> {
    let check = |(name, stack, hint): (&'static str, &str, &str)| {
        let part = parts.iter().find(|part| part.name == name).filter(|_| is_there(stack))?;
        let detail = part.detail.clone();
        Some(match part.state {
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

async fn bastion(clients: &Clients, names: &Names) -> Result<Check> {
    let group = names.need(Name::BastionGroup)?;
    Ok(match bastion::instance(clients, group).await? {
        Some(instance) => {
            Check::ok("bastion", format!("{} is in service at {}", instance.id, instance.address))
        }
        None => Check::failed(
            "bastion",
            format!("no instance of the Auto Scaling group `{group}` is in service"),
            "one that is being replaced takes a few minutes; else look at the group's activity and desired capacity",
        ),
    })
}

async fn alarms(clients: &Clients) -> Result<Check> {
    let Alarms { count, raised, .. } = alarms::fetch(clients).await?;
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
    use chrono::TimeDelta;

    use super::*;
    use target::CheckOutcome;

    fn now() -> DateTime<Utc> {
        DateTime::UNIX_EPOCH + TimeDelta::days(9)
    }

    fn state(name: &'static str, status: Option<&str>) -> stacks::StackState {
        stacks::StackState {
            name,
            status: status.map(str::to_owned),
            parameters: Vec::new(),
            drift: (name == "network").then(|| (true, now() - TimeDelta::days(3))),
        }
    }

    fn outcomes(states: &[stacks::StackState]) -> Vec<(&'static str, CheckOutcome)> {
        stack_checks(states, now()).iter().map(|check| (check.name, check.outcome)).collect()
    }

    #[test]
    fn stack_checks_follow_stack_status() {
        let whole = Some("UPDATE_COMPLETE");
        let drift = ("drift", CheckOutcome::Ok);
        assert_eq!(
            outcomes(&[state("database", whole), state("pipeline", whole)]),
            [("stacks", CheckOutcome::Ok), drift]
        );
        assert_eq!(
            outcomes(&[state("network", whole), state("pipeline", None)]),
            [("stacks", CheckOutcome::Warning), ("drift", CheckOutcome::Warning)]
        );
        assert_eq!(outcomes(&[state("database", None)]), [("stacks", CheckOutcome::Failed)]);
        assert_eq!(
            outcomes(&[state("pipeline", Some("ROLLBACK_COMPLETE"))]),
            [("stacks", CheckOutcome::Failed), drift]
        );
    }

    #[test]
    fn drift_check_names_time_and_command() {
        let network = state("network", Some("UPDATE_COMPLETE"));
        let check = drift(std::slice::from_ref(&network), now()).unwrap();
        assert!(check.detail.contains("network (seen 3 d ago)"), "{}", check.detail);
        let hint = check.hint.unwrap();
        assert!(hint.contains("detect-stack-drift --stack-name covid19-network"), "{hint}");
        let sound = stacks::StackState { drift: network.drift.map(|(_, at)| (false, at)), ..network };
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
        let checks: Vec<_> = checks.iter().map(|check| (check.name, check.outcome)).collect();
        assert_eq!(checks, [("replica", CheckOutcome::Failed), ("metabase", CheckOutcome::Warning)]);
    }
}
