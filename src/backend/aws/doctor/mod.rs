//! What can be wrong on AWS, from the rights to the alarms, each asked of the service that knows.
//!
//! Everything is asked at once and told in one order. Nothing is changed: a right is tried with a request that only reads.

mod address;
mod rights;

use etl::failure::Result;

use super::alarms::{self, Alarms};
use super::bastion;
use super::clients::Clients;
use super::names::{Name, Names};
use super::parts;
use super::stacks::{self, Stacks};
use crate::backend::{Check, Examination, Found, Part, State};

/// What a template says before there was a release.
const NO_RELEASE: &str = "latest-release";

/// These stand on a release: without one they are not there yet.
const LATER: [&str; 4] = ["pipeline", "ingest", "dashboard", "ci"];

/// The parts of `status`, the stack that each belongs to, and what to do about it.
const PARTS: [(&str, &str, &str); 5] = [
    ("schedule", "ingest", "covidctl --target aws up --parameter ingest.ScheduleState=ENABLED"),
    ("lambda", "ingest", "covidctl logs lambda --since 1d"),
    ("master", "database", "covidctl status --watch"),
    ("replica", "database", "a long query or a load may hold it back for minutes; covidctl status --watch"),
    ("metabase", "dashboard", "covidctl logs metabase --since 1h"),
];

/// Looks at all of it; says whether there is anything that could be looked into.
pub(super) async fn examine(
    clients: &Clients,
    names: &Names,
    wanted: &Examination,
    found: &Found<'_>,
) -> bool {
    let stacks = Stacks::new(clients);
    let (rights, states, bastion, address, parts, alarms) = tokio::join!(
        rights::check(clients, names),
        stacks.states(),
        bastion(clients, names),
        address::check(clients, names, wanted.my_address),
        Box::pin(parts::all(clients, names)),
        alarms(clients),
    );
    found(rights);
    let is_there = |stack: &str| {
        let known = states.as_ref().ok().and_then(|states| states.iter().find(|state| state.name == stack));
        known.is_none_or(|state| state.status.is_some())
    };
    match &states {
        Ok(states) => stack_checks(states).into_iter().for_each(found),
        Err(failure) => found(Check::of("stacks", failure)),
    }
    // Without the first stack there is none, and all that follows would say so.
    if !is_there("network") {
        return false;
    }
    part_checks(&parts, is_there).into_iter().for_each(found);
    found(bastion.unwrap_or_else(|failure| Check::of("bastion", &failure)));
    found(address.unwrap_or_else(|failure| Check::of("my address", &failure)));
    found(alarms.unwrap_or_else(|failure| Check::of("alarms", &failure)));
    true
}

fn stack_checks(states: &[stacks::State]) -> Vec<Check> {
    let (mut checks, mut missing, mut later, mut odd) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
    for state in states {
        match &state.status {
            None if LATER.contains(&state.name) => later.push(state.name),
            None => missing.push(state.name),
            Some(said) if !stacks::is_whole(said) => odd.push(format!("{} is {said}", state.name)),
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
    let drifted: Vec<_> = states.iter().filter(|state| state.has_drifted).map(|state| state.name).collect();
    if let Some(first) = drifted.first() {
        checks.push(Check::warning(
            "drift",
            format!("somebody has changed by hand what belongs to {}", drifted.join(", ")),
            format!("aws cloudformation describe-stack-resource-drifts --stack-name covid19-{first}"),
        ));
    }
    let pipeline = states.iter().find(|state| state.name == "pipeline" && state.status.is_some());
    if let Some(pipeline) = pipeline {
        let tag = pipeline.parameters.iter().find(|(name, _)| name == "ImageTag");
        checks.push(match tag {
            Some((_, tag)) if tag != NO_RELEASE => Check::ok("image", format!("tasks run the image `{tag}`")),
            _ => Check::failed(
                "image",
                "no release has said which image tasks run",
                "covidctl --target aws up --release TAG",
            ),
        });
    }
    checks
}

/// The parts, in the words of `status`, as far as their stacks are there. What the bastion is has a check of its own.
fn part_checks(parts: &[Part], is_there: impl Fn(&str) -> bool) -> Vec<Check> {
    let check = |(name, stack, hint): (&'static str, &str, &str)| {
        let part = parts.iter().find(|part| part.name == name).filter(|_| is_there(stack))?;
        let detail = part.detail.clone();
        Some(match part.state {
            State::Ready => Check::ok(name, detail),
            State::Busy | State::Stopped | State::Missing => Check::warning(name, detail, hint),
            State::Failed | State::Unknown => Check::failed(name, detail, hint),
        })
    };
    PARTS.into_iter().filter_map(check).collect()
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
    let Alarms { count, raised, .. } = alarms::look(clients).await?;
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
    use super::*;
    use crate::backend::Outcome;

    fn state(name: &'static str, status: Option<&str>, tag: &str) -> stacks::State {
        stacks::State {
            name,
            status: status.map(str::to_owned),
            parameters: vec![("ImageTag".to_owned(), tag.to_owned())],
            has_drifted: name == "network",
        }
    }

    fn outcomes(states: &[stacks::State]) -> Vec<(&'static str, Outcome)> {
        stack_checks(states).iter().map(|check| (check.name, check.outcome)).collect()
    }

    #[test]
    fn stacks_are_judged_by_their_states() {
        let whole = Some("UPDATE_COMPLETE");
        assert_eq!(
            outcomes(&[state("database", whole, ""), state("pipeline", whole, "v1")]),
            [("stacks", Outcome::Ok), ("image", Outcome::Ok)]
        );
        assert_eq!(
            outcomes(&[state("network", whole, ""), state("pipeline", None, "")]),
            [("stacks", Outcome::Warning), ("drift", Outcome::Warning)]
        );
        assert_eq!(outcomes(&[state("database", None, "")]), [("stacks", Outcome::Failed)]);
        assert_eq!(
            outcomes(&[state("pipeline", Some("ROLLBACK_COMPLETE"), NO_RELEASE)]),
            [("stacks", Outcome::Failed), ("image", Outcome::Failed)]
        );
    }

    #[test]
    fn a_part_that_stands_still_is_no_failure_and_one_without_its_stack_is_nothing() {
        let part =
            |name: &str, state| Part { name: name.to_owned(), state, since: None, detail: String::new() };
        let parts = [
            part("metabase", State::Stopped),
            part("replica", State::Failed),
            part("lambda", State::Unknown),
        ];
        let checks = part_checks(&parts, |stack| stack != "ingest");
        let checks: Vec<_> = checks.iter().map(|check| (check.name, check.outcome)).collect();
        assert_eq!(checks, [("replica", Outcome::Failed), ("metabase", Outcome::Warning)]);
    }
}
