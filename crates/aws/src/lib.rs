//! The target on AWS: ECS tasks, CloudWatch logs, S3 buckets, RDS databases behind a bastion, CloudFormation stacks.
//!
//! Each capability of the target, and each service, has a file of its own. The account and its resource names are read once, when needed.

mod api_error;
mod bastion;
mod buckets;
mod ca_bundle;
mod clients;
mod components;
mod credentials;
mod database_access;
mod doctor;
mod downloads;
mod ec2;
mod iam_token;
mod log_groups;
mod names;
mod purge_bucket;
#[cfg(test)]
mod recorded_answers;
mod recorder;
mod run_records;
mod runs;
mod stacks;
mod stop_reason;
mod task_definition;
mod tasks;

use std::collections::HashMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use common::failure::Result;
use tokio::sync::OnceCell;
use uuid::Uuid;

use self::api_error::ApiContext as _;
use self::clients::Clients;
use self::names::{Name, Names};
pub use self::recorder::Redaction;
use self::runs::KnownRun;
pub use self::stacks::{
    Change, ExistingStack, KEPT, Plan, ResourceAction, SELFTEST_TAG, StackAction, Step, UpOptions,
};
use self::task_definition::MainContainer;
use target::{
    AwsSettings, Capabilities, Check, CheckSink, Component, Components, DoctorContext, JobKind, Location,
    Origin, WithOrigin,
};
use tunnel::EventSink;

/// The target on AWS.
pub struct Aws {
    settings: AwsSettings,
    events: EventSink,
    account: OnceCell<Account>,
    known_runs: Mutex<HashMap<Uuid, KnownRun>>,
}

/// The account, read once.
struct Account {
    clients: Arc<Clients>,
    id: String,
    /// ARN of the caller.
    caller: String,
    names: Names,
    /// The containers of jobs, each read once.
    containers: tokio::sync::Mutex<HashMap<String, MainContainer>>,
}

impl Account {
    /// Returns the container of a job, from its task definition.
    async fn container(&self, kind: JobKind) -> Result<MainContainer> {
        let (usual, definition) = tasks::usual_container(kind);
        let family = self.names.need(definition)?;
        let mut known = self.containers.lock().await;
        if let Some(container) = known.get(family) {
            return Ok(container.clone());
        }
        let container = task_definition::main_container(&self.clients, family, usual).await?;
        known.insert(family.to_owned(), container.clone());
        Ok(container)
    }

    /// Returns the log group of a job: that of the configuration file, else of its task definition, else the usual one.
    async fn log_group(&self, kind: JobKind, name: Name) -> Result<String> {
        let of_definition = match self.names.origin(name) {
            Some(Origin::File) => None,
            _ => self.container(kind).await?.log_group,
        };
        of_definition.map_or_else(|| self.names.need(name).map(str::to_owned), Ok)
    }
}

impl Aws {
    /// Returns the target of the settings; sends no request.
    pub fn new(settings: &AwsSettings, events: EventSink) -> Self {
        Self { settings: settings.clone(), events, account: OnceCell::new(), known_runs: Mutex::default() }
    }

    async fn account(&self) -> Result<&Account> {
        let ask = || async {
            let clients = Clients::load(&self.settings).await?;
            let identity = clients.identity().get_caller_identity().send().await;
            let identity =
                identity.api_context("sts:GetCallerIdentity", || "cannot identify the caller".to_owned())?;
            let id = identity.account().unwrap_or_default().to_owned();
            let caller = identity.arn().unwrap_or_default().to_owned();
            let names = Names::discover(&self.settings, &clients, &id).await?;
            Ok(Account {
                clients: Arc::new(clients),
                id,
                caller,
                names,
                containers: tokio::sync::Mutex::default(),
            })
        };
        self.account.get_or_try_init(ask).await
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
        Location {
            target: self.settings.target.clone(),
            location: known.into_iter().flatten().collect::<Vec<_>>().join(", "),
            capabilities: Capabilities { services: false, bastion: true },
        }
    }

    async fn identify(&self) -> Result<Location> {
        self.account().await?;
        Ok(self.location())
    }

    async fn list(&self) -> Result<Vec<Component>> {
        let Account { clients, names, .. } = self.account().await?;
        Ok(components::all(clients, names).await)
    }

    async fn diagnose(&self, context: &DoctorContext, sink: &CheckSink<'_>) -> bool {
        match self.account().await {
            Ok(Account { clients, caller, names, .. }) => {
                sink(Check::ok("credentials", format!("{caller}, {}", self.location().location)));
                // The joined future is large.
                Box::pin(doctor::diagnose(clients, names, context, sink)).await
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
