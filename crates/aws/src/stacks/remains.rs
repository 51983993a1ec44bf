//! What a first creation that failed has left: a stack that never was complete, and resources that protect themselves from deletion.
//!
//! CloudFormation's rollback cannot delete an instance of RDS with deletion protection, and an update, which would lift the protection, is not
//! possible in such a stack. Data that were ever complete are no remains.

use std::time::Duration;

use common::failure::{Failure, Result};

use super::is_ruin;
use super::pace::Pace;
use super::service::{Service, Stack};
use crate::clients::Clients;
use crate::trouble::{OrTrouble as _, Trouble};
use target::Progress;

/// How long an instance may take until it can be changed and deleted: its first backup follows its creation.
const SETTLE_TIMEOUT: Duration = Duration::from_mins(30);

/// Whether the stack holds nothing but the remains of its first creation.
pub(super) async fn only(service: &Service, stack: &Stack) -> Result<bool> {
    if stack.status != "DELETE_FAILED" {
        return Ok(is_ruin(&stack.status));
    }
    let events = service.events(&stack.id, None).await?;
    Ok(!events.iter().any(|event| event.is_of_stack && event.status == "CREATE_COMPLETE"))
}

/// Lifts the deletion protection of the stack's instances, so that the stack can be deleted.
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

/// Lifts the protection of one instance and waits until it shows; returns whether there was any.
async fn lift(clients: &Clients, instance: &str) -> Result<bool> {
    let what = || format!("cannot lift the deletion protection of the database `{instance}`");
    let databases = clients.databases();
    let mut pace = Pace::new(SETTLE_TIMEOUT);
    let mut was_protected = false;
    loop {
        let answer = databases.describe_db_instances().db_instance_identifier(instance).send().await;
        let answer = answer.or_missing("rds:DescribeDBInstances", what)?;
        let found = answer.and_then(|answer| answer.db_instances.unwrap_or_default().into_iter().next());
        let Some(found) = found else { return Ok(was_protected) };
        if found.deletion_protection() != Some(true) {
            return Ok(was_protected);
        }
        was_protected = true;
        let request = databases.modify_db_instance().db_instance_identifier(instance);
        match request.deletion_protection(false).apply_immediately(true).send().await {
            // It is being created, changed or backed up.
            Err(error) if Trouble::of(&error).is("InvalidDBInstanceState") => {}
            answer => drop(answer.or_trouble("rds:ModifyDBInstance", what)?),
        }
        pace.wait().await.map_err(|_| {
            Failure::new(what())
                .source(format!("it stays {}", found.db_instance_status().unwrap_or("as it is")))
                .hint("repeat the command when `covidctl status` shows the master as available")
        })?;
    }
}
