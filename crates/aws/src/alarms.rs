//! The alarms of the stacks, and which of them are raised.

use chrono::{DateTime, Utc};
use common::failure::Result;

use super::clients::Clients;
use super::trouble::OrTrouble as _;

/// What every alarm of the stacks begins with.
const PREFIX: &str = "covid19-";

/// All of them.
pub(super) struct Alarms {
    /// How many there are.
    pub(super) count: usize,
    /// Those that are raised: each with the service's reason.
    pub(super) raised: Vec<String>,
    /// When the last of these was raised.
    pub(super) since: Option<DateTime<Utc>>,
}

/// Asks for them.
pub(super) async fn look(clients: &Clients) -> Result<Alarms> {
    let answer = clients.metrics().describe_alarms().alarm_name_prefix(PREFIX).send().await;
    let answer = answer.or_trouble("cloudwatch:DescribeAlarms", || "cannot look at the alarms".to_owned())?;
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
