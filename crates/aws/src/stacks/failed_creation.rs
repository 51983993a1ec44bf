//! Cleans up after a failed first creation of a stack.
//!
//! The rollback cannot delete an RDS instance with deletion protection, and such a stack cannot be updated to remove the protection. Stacks
//! that were ever complete are not touched.

use std::time::Duration;

use common::failure::{Failure, Result};

use super::is_failed_creation;
use super::poll_interval::PollInterval;
use super::service::{Service, Stack};
use crate::api_error::{ApiContext as _, ApiError};
use crate::clients::Clients;
use target::Progress;

/// How long an instance may take until it can be changed: its first backup follows its creation.
const SETTLE_TIMEOUT: Duration = Duration::from_mins(30);

/// Returns whether the stack was never complete.
pub(super) async fn only(service: &Service, stack: &Stack) -> Result<bool> {
    if stack.status != "DELETE_FAILED" {
        return Ok(is_failed_creation(&stack.status));
    }
    let events = service.events(&stack.id, None).await?;
    Ok(!events.iter().any(|event| event.is_of_stack && event.status == "CREATE_COMPLETE"))
}

/// Removes the deletion protection of the RDS instances of a stack.
pub(super) async fn unprotect(
    clients: &Clients,
    service: &Service,
    name: &str,
    stack: &Stack,
    progress: &dyn Progress,
) -> Result<()> {
    for instance in service.resources(&stack.id, "AWS::RDS::DBInstance").await? {
        if lift(clients, &instance).await? {
            progress
                .step(&format!("{name}: the database `{instance}` is not protected from deletion any more"));
        }
    }
    Ok(())
}

/// Removes the protection of an instance and waits for the change; returns whether there was one.
async fn lift(clients: &Clients, instance: &str) -> Result<bool> {
    let what = || format!("cannot lift the deletion protection of the database `{instance}`");
    let databases = clients.databases();
    let mut pace = PollInterval::new(SETTLE_TIMEOUT);
    let mut was_protected = false;
    loop {
        let answer = databases.describe_db_instances().db_instance_identifier(instance).send().await;
        let answer = answer.api_context_optional("rds:DescribeDBInstances", what)?;
        let found = answer.and_then(|answer| answer.db_instances.unwrap_or_default().into_iter().next());
        let Some(found) = found else { return Ok(was_protected) };
        if found.deletion_protection() != Some(true) {
            return Ok(was_protected);
        }
        was_protected = true;
        let request = databases.modify_db_instance().db_instance_identifier(instance);
        match request.deletion_protection(false).apply_immediately(true).send().await {
            // The instance is being created, modified or backed up.
            Err(error) if ApiError::of(&error).is("InvalidDBInstanceState") => {}
            answer => drop(answer.api_context("rds:ModifyDBInstance", what)?),
        }
        pace.wait().await.map_err(|_| {
            Failure::new(what())
                .source(format!("it stays {}", found.db_instance_status().unwrap_or("as it is")))
                .hint("repeat the command when `covidctl status` shows the master as available")
        })?;
    }
}
