//! What starts a job: a rule of EventBridge, or a schedule of EventBridge Scheduler.

use std::str::FromStr as _;

use aws_sdk_eventbridge::types::RuleState;
use aws_sdk_scheduler::types::ScheduleState;
use chrono::{DateTime, Utc};
use common::failure::Result;

use super::account::Account;
use super::api_error::ApiContext as _;

/// A rule or schedule.
pub(super) struct Schedule {
    pub(super) expression: String,
    pub(super) is_enabled: bool,
    /// When it starts the job next, if that can be computed.
    pub(super) next: Option<DateTime<Utc>>,
}

/// Returns the rule or schedule with a name, if it exists.
pub(super) async fn find(account: &Account, name: &str) -> Result<Option<Schedule>> {
    // The name of a rule has no slash; that of a schedule in a group has one.
    let rule = if name.contains('/') { None } else { of_rule(account, name).await? };
    let found = match rule {
        None if !account.description.is_of_stacks => of_scheduler(account, name).await?,
        rule => rule,
    };
    Ok(found.map(|(expression, is_enabled)| {
        let expression = expression.unwrap_or_else(|| "without a schedule".to_owned());
        Schedule { next: next_run(&expression, Utc::now()), expression, is_enabled }
    }))
}

/// Returns the expression of a rule of EventBridge, and whether it is enabled.
async fn of_rule(account: &Account, name: &str) -> Result<Option<(Option<String>, bool)>> {
    let answer = account.clients.events().describe_rule().name(name).send().await;
    let answer = answer
        .api_context_optional("events:DescribeRule", || format!("cannot look at the schedule `{name}`"))?;
    let enabled = [RuleState::Enabled, RuleState::EnabledWithAllCloudtrailManagementEvents];
    Ok(answer
        .map(|rule| (rule.schedule_expression, rule.state.is_some_and(|state| enabled.contains(&state)))))
}

/// Returns the expression of a schedule of EventBridge Scheduler, `name` or `group/name`, and whether it is enabled.
async fn of_scheduler(account: &Account, name: &str) -> Result<Option<(Option<String>, bool)>> {
    let (group, id) = name.split_once('/').map_or((None, name), |(group, id)| (Some(group.to_owned()), id));
    let answer = account.clients.schedules().get_schedule().name(id).set_group_name(group).send().await;
    let answer = answer
        .api_context_optional("scheduler:GetSchedule", || format!("cannot look at the schedule `{name}`"))?;
    Ok(answer.map(|answer| (answer.schedule_expression, answer.state == Some(ScheduleState::Enabled))))
}

/// Returns the next time of a `cron(…)`; that of a `rate(…)` depends on its creation.
fn next_run(expression: &str, now: DateTime<Utc>) -> Option<DateTime<Utc>> {
    let fields = expression.strip_prefix("cron(")?.strip_suffix(')')?;
    // The library has an additional field for seconds.
    cron::Schedule::from_str(&format!("0 {fields}")).ok()?.after(&now).next()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn next_run_of_cron_and_rate() {
        let now = "2022-06-05T12:00:00Z".parse().unwrap();
        let next = |expression| next_run(expression, now).map(|next| next.to_rfc3339());
        assert_eq!(next("cron(30 11 * * ? *)").unwrap(), "2022-06-06T11:30:00+00:00");
        // 2022-06-05 is a Sunday, and Sunday is 1.
        assert_eq!(next("cron(0 9 ? * 2 *)").unwrap(), "2022-06-06T09:00:00+00:00");
        assert_eq!(next("rate(1 day)"), None);
        assert_eq!(next("cron(nonsense)"), None);
    }
}
