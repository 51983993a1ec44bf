//! Removes what prevents the deletion of a stack: running tasks, deletion protection, retention policies.
//!
//! ECS does not delete a cluster with active tasks (ECS API Reference, `DeleteCluster`, `ClusterContainsTasksException`). The rollback of
//! a failed creation cannot delete an RDS instance with deletion protection, and such a stack cannot be updated to remove the protection.

use std::time::Duration;

use aws_sdk_cloudformation::types::ChangeSetType;
use aws_sdk_ecs::types::DesiredStatus;
use common::failure::{Failure, Result};
use regex::{Captures, Regex};

use super::operation::StackOperation;
use super::parameters::Value;
use super::poll_interval::PollInterval;
use super::stack::{Stack, Tags, tags_after};
use crate::api_error::{ApiContext as _, ApiError};
use crate::clients::Clients;
use crate::{database_access, tasks};

const STOP_TIMEOUT: Duration = Duration::from_mins(5);

/// How long an instance may take until it can be changed: its first backup follows its creation.
const SETTLE_TIMEOUT: Duration = Duration::from_mins(30);

impl StackOperation<'_> {
    /// Stops the tasks in the clusters of a stack and waits for their end.
    pub(super) async fn stop_tasks(&self, stack: &Stack) -> Result<()> {
        let clients = self.stacks.clients;
        for cluster in self.stacks.resources(&stack.id, "AWS::ECS::Cluster").await? {
            let running = tasks::arns_in(clients, &cluster, None, DesiredStatus::Running).await?;
            for task in &running {
                self.report(format_args!("stopping the task {}", tasks::id(task)));
                tasks::stop(clients, &cluster, task, "its stack is deleted").await?;
            }
            let mut interval = PollInterval::new(STOP_TIMEOUT);
            while !tasks::have_stopped(clients, &cluster, &running).await? {
                interval.wait().await.map_err(|_| {
                    Failure::new(format!("tasks in the cluster `{cluster}` do not stop"))
                        .hint("repeat the command when `covidctl status` shows no active run")
                })?;
            }
        }
        Ok(())
    }

    /// Removes the deletion protection of the RDS instances of a stack.
    pub(super) async fn unprotect(&self, stack: &Stack) -> Result<()> {
        for instance in self.stacks.resources(&stack.id, "AWS::RDS::DBInstance").await? {
            if lift(self.stacks.clients, &instance).await? {
                self.report(format_args!(
                    "the database `{instance}` is not protected from deletion any more"
                ));
            }
        }
        Ok(())
    }

    /// Updates a complete stack so that its deletion deletes every resource.
    pub(super) async fn remove_retention(&self, stack: &Stack) -> Result<()> {
        let name = self.full_name();
        let body = self.stacks.template(&name).await?;
        let loose = without_retention(&body)?;
        let is_protected =
            stack.parameters.iter().any(|(name, value)| name == "DeletionProtection" && value == "true");
        if loose == body && !is_protected {
            return Ok(());
        }
        self.report("nothing of it is kept or protected any more");
        let value = |(name, _): &(String, String)| match name.as_str() {
            "DeletionProtection" => (name.clone(), Value::Set("false".to_owned())),
            _ => (name.clone(), Value::Previous),
        };
        let values: Vec<_> = stack.parameters.iter().map(value).collect();
        let tags = tags_after(Some(stack), &Tags::new());
        match self.stacks.propose(&name, ChangeSetType::Update, &loose, &values, &tags).await? {
            Some(change_set) => self.execute(&change_set.id, &stack.id, "changed").await,
            None => Ok(()),
        }
    }
}

/// Removes the protection of an instance and waits for the change; returns whether there was one.
async fn lift(clients: &Clients, name: &str) -> Result<bool> {
    let what = || format!("cannot lift the deletion protection of the database `{name}`");
    let mut interval = PollInterval::new(SETTLE_TIMEOUT);
    let mut was_protected = false;
    loop {
        let instance = database_access::instance(clients, name).await?;
        let protected = instance.filter(|instance| instance.deletion_protection() == Some(true));
        let Some(instance) = protected else { return Ok(was_protected) };
        was_protected = true;
        let request = clients.databases().modify_db_instance().db_instance_identifier(name);
        match request.deletion_protection(false).apply_immediately(true).send().await {
            // The instance is being created, modified or backed up.
            Err(error) if ApiError::of(&error).code == "InvalidDBInstanceState" => {}
            answer => drop(answer.api_context("rds:ModifyDBInstance", what)?),
        }
        interval.wait().await.map_err(|_| {
            Failure::new(what())
                .source(format!("its status stays {}", instance.db_instance_status().unwrap_or("unknown")))
                .hint("repeat the command when `covidctl status` shows the master as available")
        })?;
    }
}

/// Removes retention policies and deletion protection from a template, as text, so that nothing else changes.
pub(super) fn without_retention(body: &str) -> Result<String> {
    let pattern = r#"(DeletionPolicy"?\s*:\s*"?)(?:RetainExceptOnCreate|Retain|Snapshot)\b"#;
    let pattern =
        Regex::new(pattern).map_err(|error| Failure::new("cannot read a template").source(error))?;
    Ok(pattern.replace_all(body, |found: &Captures<'_>| format!("{}Delete", &found[1])).into_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn without_retention_removes_policies_and_protection() {
        let yaml = "A:\n  DeletionPolicy: RetainExceptOnCreate\n  UpdateReplacePolicy: Retain\nB: {DeletionPolicy: Snapshot}\nC:\n  DeletionPolicy: Delete\n";
        assert_eq!(
            without_retention(yaml).unwrap(),
            "A:\n  DeletionPolicy: Delete\n  UpdateReplacePolicy: Retain\nB: {DeletionPolicy: Delete}\nC:\n  DeletionPolicy: Delete\n"
        );
        let json = r#"{"DeletionPolicy": "Retain", "UpdateReplacePolicy": "Retain"}"#;
        assert_eq!(
            without_retention(json).unwrap(),
            r#"{"DeletionPolicy": "Delete", "UpdateReplacePolicy": "Retain"}"#
        );
    }
}
