//! What the account has cost this month, from Cost Explorer.
//!
//! AWS charges 0.01 US dollars for a request (AWS Cost Explorer pricing, "API requests"), so that it is sent only when an operator asks for it.

use chrono::{Datelike as _, NaiveDate};
use common::failure::Result;
use serde::Deserialize;
use serde_json::json;

use super::account::Account;
use super::api_error::ApiContext as _;
use super::service::{Protocol, Service};
use target::MonthCost;

/// Cost Explorer has one endpoint for all regions (AWS General Reference, "AWS Billing and Cost Management endpoints").
const COST_EXPLORER: Service = Service {
    id: "Cost Explorer",
    name: "ce",
    region: Some("us-east-1"),
    protocol: Protocol::Json("AWSInsightsIndexService"),
};

/// The same for the regions in China.
const COST_EXPLORER_IN_CHINA: Service = Service { region: Some("cn-northwest-1"), ..COST_EXPLORER };

/// The amounts as they are on the bill, before they are shared out between accounts.
const METRIC: &str = "UnblendedCost";

#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "PascalCase")]
struct Answer {
    results_by_time: Vec<Month>,
    next_page_token: Option<String>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "PascalCase")]
struct Month {
    groups: Vec<Group>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "PascalCase")]
struct Group {
    keys: Vec<String>,
    metrics: Metrics,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "PascalCase")]
struct Metrics {
    unblended_cost: Amount,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "PascalCase")]
struct Amount {
    /// A decimal number.
    amount: String,
    unit: String,
}

/// Returns the cost of the month of a day, up to the end of that day.
pub(super) async fn of_month(account: &Account, today: NaiveDate) -> Result<MonthCost> {
    let since = today.with_day(1).unwrap_or(today);
    // The end is excluded, and must be after the start.
    let end = today.succ_opt().unwrap_or(today);
    let is_in_china = account.clients.region.starts_with("cn-");
    let service = if is_in_china { &COST_EXPLORER_IN_CHINA } else { &COST_EXPLORER };
    let mut input = json!({
        "TimePeriod": { "Start": since.to_string(), "End": end.to_string() },
        "Granularity": "MONTHLY",
        "Metrics": [METRIC],
        "GroupBy": [{ "Type": "DIMENSION", "Key": "SERVICE" }],
        // The management account of an organization also sees the costs of the others.
        "Filter": { "Dimensions": { "Key": "LINKED_ACCOUNT", "Values": [account.id] } },
    });
    let mut groups = Vec::new();
    loop {
        let answer: Answer = account
            .clients
            .client_of(service)
            .call("GetCostAndUsage", input.to_string())
            .await
            .api_context("ce:GetCostAndUsage", || "cannot read what the account costs".to_owned())?;
        groups.extend(answer.results_by_time.into_iter().flat_map(|month| month.groups));
        match answer.next_page_token.filter(|token| !token.is_empty()) {
            None => return Ok(month_cost(since, groups)),
            Some(token) => input["NextPageToken"] = token.into(),
        }
    }
}

fn month_cost(since: NaiveDate, groups: Vec<Group>) -> MonthCost {
    let unit = groups.iter().map(|group| &group.metrics.unblended_cost.unit).find(|unit| !unit.is_empty());
    let currency = unit.cloned().unwrap_or_else(|| "USD".to_owned());
    let mut services: Vec<(String, f64)> = groups
        .into_iter()
        .map(|group| (group.keys.join(", "), group.metrics.unblended_cost.amount.parse().unwrap_or_default()))
        .filter(|(_, amount)| *amount != 0.0)
        .collect();
    services.sort_by(|a, b| b.1.total_cmp(&a.1));
    MonthCost { since, currency, services }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn services_are_sorted_by_their_cost_and_free_ones_left_out() {
        let group = |name: &str, amount: &str| json!({ "Keys": [name], "Metrics": { "UnblendedCost": { "Amount": amount, "Unit": "USD" } } });
        let groups = [group("AWS Lambda", "0"), group("Tax", "-1.5"), group("Amazon RDS", "41.25")];
        let since = NaiveDate::from_ymd_opt(2026, 11, 1).unwrap();
        let cost = month_cost(since, serde_json::from_value(json!(groups)).unwrap());
        assert_eq!(cost.services, [("Amazon RDS".to_owned(), 41.25), ("Tax".to_owned(), -1.5)]);
        assert_eq!((cost.currency.as_str(), cost.total()), ("USD", 39.75));
        assert_eq!(month_cost(since, Vec::new()).services, []);
    }
}
