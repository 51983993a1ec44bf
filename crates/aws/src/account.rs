//! The account and what the target consists of in it, read once.

use std::collections::HashMap;
use std::sync::Arc;

use common::failure::{Failure, Result};

use super::api_error::ApiContext as _;
use super::clients::Clients;
use super::covid19;
use super::names::Names;
use super::task_definition::{self, MainContainer};
use target::description::{DatabaseDescription, Description, JobDescription, TaskDescription, Texts, Work};
use target::{AwsSettings, DatabaseServer, JobKind};

pub(super) struct Account {
    pub(super) clients: Arc<Clients>,
    pub(super) id: String,
    /// ARN of the caller.
    pub(super) caller: String,
    pub(super) names: Names,
    pub(super) description: Description,
    /// The containers of tasks, by task definition, each read once.
    containers: tokio::sync::Mutex<HashMap<String, MainContainer>>,
}

impl Account {
    /// Asks who the caller is, and reads the names.
    pub(super) async fn identify(settings: &AwsSettings) -> Result<Self> {
        let clients = Clients::load(settings).await?;
        let identity = clients.identity().get_caller_identity().send().await;
        let identity =
            identity.api_context("sts:GetCallerIdentity", || "cannot identify the caller".to_owned())?;
        let id = identity.account().unwrap_or_default().to_owned();
        let caller = identity.arn().unwrap_or_default().to_owned();
        Self::of(settings, clients, id, caller).await
    }

    /// Reads the names in an account.
    pub(super) async fn of(
        settings: &AwsSettings,
        clients: Clients,
        id: String,
        caller: String,
    ) -> Result<Self> {
        let names = Names::discover(settings, &clients, &id).await?;
        let description = match &settings.description {
            Some(description) => covid19::completed(description.clone(), &names),
            None => covid19::description(&names)?,
        };
        let containers = tokio::sync::Mutex::default();
        Ok(Self { clients: Arc::new(clients), id, caller, names, description, containers })
    }

    /// Returns the job that runs of a kind belong to; a rollback is a run of the load's task.
    pub(super) fn job(&self, kind: &JobKind) -> Result<&JobDescription> {
        let name = match kind {
            JobKind::Rollback if self.description.is_of_stacks => JobKind::Etl.name(),
            kind => kind.name(),
        };
        self.description.jobs.get(name).ok_or_else(|| {
            let jobs: Vec<&str> = self.description.jobs.keys().map(String::as_str).collect();
            let hint = match jobs.as_slice() {
                [] => "the configuration file describes jobs as [targets.NAME.jobs.JOB]".to_owned(),
                jobs => format!("the jobs are {}", jobs.join(", ")),
            };
            Failure::usage(format!("the target has no job `{kind}`")).hint(hint)
        })
    }

    /// Returns the jobs that are tasks, with their names.
    pub(super) fn tasks(&self) -> impl Iterator<Item = (JobKind, &TaskDescription)> {
        self.description.jobs.iter().filter_map(|(name, job)| match &job.work {
            Work::Task(task) => Some((JobKind::from(name.clone()), task)),
            Work::Function(_) => None,
        })
    }

    /// Returns whether runs of a kind are invocations of a function.
    pub(super) fn is_function(&self, kind: &str) -> bool {
        self.description.jobs.get(kind).is_some_and(|job| matches!(job.work, Work::Function(_)))
    }

    /// Returns the database with a name; the only one has any name.
    pub(super) fn database(&self, server: &DatabaseServer) -> Result<&DatabaseDescription> {
        let databases = &self.description.databases;
        let only = || {
            databases.values().next().filter(|_| databases.len() == 1 && *server == DatabaseServer::MASTER)
        };
        databases.get(server.name()).or_else(only).ok_or_else(|| {
            let names: Vec<&str> = databases.keys().map(String::as_str).collect();
            let hint = match names.as_slice() {
                [] => "the configuration file describes databases as [targets.NAME.databases.DATABASE]"
                    .to_owned(),
                names => format!("the databases are {}", names.join(", ")),
            };
            Failure::usage(format!("the target has no database `{}`", server.name())).hint(hint)
        })
    }

    /// Returns the container of a task, from its task definition.
    pub(super) async fn container(&self, task: &TaskDescription) -> Result<MainContainer> {
        let mut known = self.containers.lock().await;
        if let Some(container) = known.get(&task.definition) {
            return Ok(container.clone());
        }
        let container =
            task_definition::main_container(&self.clients, &task.definition, task.container.as_deref())
                .await?;
        known.insert(task.definition.clone(), container.clone());
        Ok(container)
    }

    /// Returns the log group of a job: as described, else of its task definition or function.
    pub(super) async fn log_group(&self, job: &JobDescription) -> Result<String> {
        if let Some(group) = &job.log_group {
            return Ok(group.clone());
        }
        let (what, found) = match &job.work {
            Work::Task(task) => (&task.definition, self.container(task).await?.log_group),
            Work::Function(name) => (name, Some(self.function_log_group(name).await?)),
        };
        found.or_else(|| job.usual_log_group.clone()).ok_or_else(|| {
            Failure::new(format!("the log of `{what}` does not go to CloudWatch"))
                .hint("set `log-group` of the job if it arrives there by another way")
        })
    }

    /// Returns the log group of a function: its own setting, else the usual one.
    async fn function_log_group(&self, name: &str) -> Result<String> {
        let answer = self.clients.functions().get_function_configuration().function_name(name).send().await;
        let answer = answer.api_context_optional("lambda:GetFunctionConfiguration", || {
            format!("cannot look at the function `{name}`")
        })?;
        let own = answer.and_then(|answer| answer.logging_config?.log_group);
        Ok(own.unwrap_or_else(|| format!("/aws/lambda/{name}")))
    }

    /// Returns the values of a list.
    pub(super) async fn texts(&self, texts: &Texts) -> Result<Vec<String>> {
        let names = match texts {
            Texts::Listed(values) => return Ok(values.clone()),
            Texts::Parameters(names) => names,
        };
        let mut values = Vec::new();
        for name in names {
            let value = self.parameter(name).await?;
            values.extend(value.split(',').map(|value| value.trim().to_owned()));
        }
        Ok(values)
    }

    /// Returns an SSM parameter, decrypted: it may be a secret.
    pub(super) async fn parameter(&self, name: &str) -> Result<String> {
        let missing =
            |hint: &str| Failure::usage(format!("the SSM parameter `{name}` does not exist")).hint(hint);
        if self.description.is_of_stacks {
            // All of the stacks' were read with the names.
            return Err(missing(
                "the stacks publish it (`covidctl up`); or set it under [aws.names] in the configuration file",
            ));
        }
        let found = self.clients.parameters().parameter(name, true).await;
        let found = found
            .api_context_optional("ssm:GetParameter", || format!("cannot read the parameter `{name}`"))?;
        found.and_then(|parameter| parameter.value).ok_or_else(|| {
            missing("the description of the target names it; `covidctl config` shows the configuration file")
        })
    }
}
