//! The target on AWS: ECS tasks, CloudWatch logs, S3 buckets, RDS databases behind a bastion, CloudFormation stacks.
//!
//! Each capability of the target, and each service, has a file of its own. The account and its resource names are read once, when needed.

mod account;
mod adopt;
mod api_error;
mod bastion;
mod buckets;
mod ca_bundle;
mod changes;
mod clients;
mod components;
mod cost;
mod covid19;
mod credentials;
mod database_access;
mod doctor;
mod downloads;
mod ec2;
mod functions;
mod iam_token;
mod log_groups;
mod metrics;
mod names;
mod password;
mod purge_bucket;
#[cfg(test)]
mod recorded_answers;
mod recorder;
mod run_logs;
mod run_records;
mod runs;
mod schedules;
mod service;
mod ssm;
mod stacks;
mod stop_reason;
mod task_definition;
mod task_request;
mod tasks;

use std::collections::HashMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use common::failure::Result;
use tokio::sync::OnceCell;
use uuid::Uuid;

use self::account::Account;
pub use self::adopt::{Candidate, Proposal};
pub use self::recorder::Redaction;
use self::runs::KnownRun;
pub use self::stacks::{
    Change, ExistingStack, KEPT, Plan, ResourceAction, SELFTEST_TAG, StackAction, Step, UpOptions,
};
use target::{
    AccountHistory, AwsSettings, Capabilities, Check, CheckSink, Component, Components, DoctorContext,
    Location, Metric, MonthCost, Origin, ResourceHistory, WithOrigin,
};
use tunnel::EventSink;

/// The target on AWS.
pub struct Aws {
    settings: AwsSettings,
    events: EventSink,
    account: OnceCell<Arc<Account>>,
    known_runs: Mutex<HashMap<Uuid, KnownRun>>,
}

impl Aws {
    /// Returns the target of the settings; sends no request.
    pub fn new(settings: &AwsSettings, events: EventSink) -> Self {
        Self { settings: settings.clone(), events, account: OnceCell::new(), known_runs: Mutex::default() }
    }

    async fn account(&self) -> Result<&Arc<Account>> {
        let identify = async || Account::identify(&self.settings).await.map(Arc::new);
        self.account.get_or_try_init(identify).await
    }

    /// Returns the account id.
    pub async fn account_id(&self) -> Result<&str> {
        Ok(&self.account().await?.id)
    }
}

/// Returns the text at an HTTPS URL that is not part of AWS's APIs.
async fn https_text(url: &str, timeout: Duration) -> reqwest::Result<String> {
    let client = reqwest::Client::builder().timeout(timeout).https_only(true).build()?;
    client.get(url).send().await?.error_for_status()?.text().await
}

/// Converts a time of the SDK.
fn utc(time: &aws_smithy_types::DateTime) -> Option<DateTime<Utc>> {
    DateTime::from_timestamp_millis(time.to_millis().ok()?)
}

#[async_trait]
impl Components for Aws {
    fn location(&self) -> Location {
        let account = self.account.get();
        let region = account.map(|account| account.clients.region.as_str());
        let region = region.or(self.settings.region.as_ref().map(|region| region.value.as_str()));
        let known = [
            account.map(|account| format!("account {}", account.id)),
            region.map(|region| format!("region {region}")),
            self.settings.profile.as_ref().map(|profile| format!("profile {}", profile.value)),
        ];
        let description = self.settings.description.as_ref();
        // Parameters below a prefix may name one.
        let has_prefix = self.settings.prefix.origin != Origin::Default;
        let has_bastion = description.is_none_or(|description| description.bastion.is_some() || has_prefix);
        Location {
            target: self.settings.target.clone(),
            location: known.into_iter().flatten().collect::<Vec<_>>().join(", "),
            capabilities: Capabilities {
                services: false,
                bastion: has_bastion,
                account: true,
                releases: description.is_none(),
            },
        }
    }

    async fn identify(&self) -> Result<Location> {
        self.account().await?;
        Ok(self.location())
    }

    async fn list(&self) -> Result<Vec<Component>> {
        Ok(components::all(self.account().await?).await)
    }

    async fn metrics(&self) -> Result<Vec<Metric>> {
        metrics::all(self.account().await?).await
    }

    async fn diagnose(&self, context: &DoctorContext, sink: &CheckSink<'_>) -> bool {
        match self.account().await {
            Ok(account) => {
                sink(Check::ok("credentials", format!("{}, {}", account.caller, self.location().location)));
                // The joined future is large.
                Box::pin(doctor::diagnose(account, context, sink)).await
            }
            Err(failure) => {
                sink(Check::of("credentials", &failure));
                false
            }
        }
    }

    async fn names(&self) -> Result<Vec<(&'static str, WithOrigin<String>)>> {
        let account = self.account().await?;
        Ok(account.names.all().map(|(key, name)| (key, name.clone())).collect())
    }
}

#[async_trait]
impl AccountHistory for Aws {
    async fn changes(&self) -> Result<ResourceHistory> {
        changes::recent(self.account().await?).await
    }

    async fn cost(&self) -> Result<MonthCost> {
        cost::of_month(self.account().await?, Utc::now().date_naive()).await
    }
}
