//! The account that a target is in: who changed its resources, and what it costs.

use chrono::{DateTime, NaiveDate, Utc};
use serde::Serialize;

/// A change of a resource, from the audit log of the account.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ResourceChange {
    /// When it was requested.
    pub time: DateTime<Utc>,
    /// Who requested it: a user, or the name of a role's session.
    pub user: String,
    /// The service and its operation, such as `ecs UpdateService`.
    pub operation: String,
    /// The resource that the request names.
    pub resource: String,
    /// Why the request was refused.
    pub error: Option<String>,
}

/// The changes of a target's resources.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct ResourceHistory {
    /// How far back the audit log was read.
    pub since: DateTime<Utc>,
    /// Newest first.
    pub changes: Vec<ResourceChange>,
}

/// What an account has cost since the beginning of the month.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub struct MonthCost {
    /// The first day.
    pub since: NaiveDate,
    /// Such as `USD`.
    pub currency: String,
    /// The amount of each service, the largest first.
    pub services: Vec<(String, f64)>,
}

impl MonthCost {
    /// Returns the sum of all services.
    pub fn total(&self) -> f64 {
        self.services.iter().map(|(_, amount)| amount).sum()
    }
}
