//! Rules of EventBridge and what they start.

use aws_sdk_eventbridge::types::Target;
use common::failure::Result;

use crate::api_error::ApiContext as _;
use crate::clients::Clients;

/// A rule with a schedule, and its targets.
#[derive(Debug)]
pub(super) struct Rule {
    pub(super) name: String,
    pub(super) targets: Vec<Target>,
}

pub(super) async fn all(clients: &Clients) -> Result<Vec<Rule>> {
    let (mut rules, mut token) = (Vec::new(), None);
    loop {
        let answer = clients.events().list_rules().set_next_token(token).send().await;
        let answer =
            answer.api_context("events:ListRules", || "cannot list the rules of EventBridge".to_owned())?;
        for rule in answer.rules() {
            let Some(name) = rule.name().filter(|_| rule.schedule_expression().is_some()) else { continue };
            rules.push(Rule { name: name.to_owned(), targets: targets(clients, name).await? });
        }
        token = answer.next_token;
        if token.is_none() {
            return Ok(rules);
        }
    }
}

async fn targets(clients: &Clients, rule: &str) -> Result<Vec<Target>> {
    let answer = clients.events().list_targets_by_rule().rule(rule).send().await;
    let answer =
        answer.api_context("events:ListTargetsByRule", || format!("cannot look at the rule `{rule}`"))?;
    Ok(answer.targets.unwrap_or_default())
}

/// Returns the rule with a target that passes, and the target.
pub(super) fn find(rules: &[Rule], passes: impl Fn(&Target) -> bool) -> Option<(&Rule, &Target)> {
    rules.iter().find_map(|rule| Some((rule, rule.targets.iter().find(|target| passes(target))?)))
}
