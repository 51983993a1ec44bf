//! The CloudWatch alarms of the stacks.

use chrono::{DateTime, Utc};
use common::failure::Result;

use super::api_error::ApiContext as _;
use super::clients::Clients;

const PREFIX: &str = "covid19-";

pub(super) struct Alarms {
    pub(super) count: usize,
    /// Alarms in state ALARM, each with its reason.
    pub(super) raised: Vec<String>,
    /// When the last of them was raised.
    pub(super) since: Option<DateTime<Utc>>,
}

pub(super) async fn fetch(clients: &Clients) -> Result<Alarms> {
    let answer = clients.metrics().describe_alarms().alarm_name_prefix(PREFIX).send().await;
    let answer =
        answer.api_context("cloudwatch:DescribeAlarms", || "cannot look at the alarms".to_owned())?;
    let all = answer.metric_alarms();
    let is_raised = |state: &str| state == "ALARM";
    let raised =
        all.iter().filter(|alarm| alarm.state_value().is_some_and(|state| is_raised(state.as_str())));
    let mut alarms = Alarms { count: all.len(), raised: Vec::new(), since: None };
    for alarm in raised {
        let reason = alarm.state_reason().map(|reason| format!(" ({reason})")).unwrap_or_default();
        alarms.raised.push(format!("{}{reason}", alarm.alarm_name().unwrap_or_default()));
        let since = alarm.state_updated_timestamp().and_then(|time| time.to_millis().ok());
        alarms.since = alarms.since.max(since.and_then(DateTime::from_timestamp_millis));
    }
    Ok(alarms)
}
