//! Databases: RDS instances and Aurora clusters of PostgreSQL, with their replicas.

use aws_sdk_rds::types::DbInstance;
use common::failure::Result;

use super::logins::{self, Parameter};
use super::{Candidate, name_of};
use crate::api_error::ApiContext as _;
use crate::clients::Clients;

pub(super) async fn candidates(clients: &Clients, parameters: &[Parameter]) -> Result<Vec<Candidate>> {
    let pages = clients.databases().describe_db_instances().into_paginator().items().send();
    let instances = pages.try_collect().await;
    let instances =
        instances.api_context("rds:DescribeDBInstances", || "cannot list the databases".to_owned())?;
    let mut instances: Vec<DbInstance> = instances
        .into_iter()
        .filter(|instance| instance.engine().is_some_and(|engine| engine.contains("postgres")))
        .collect();
    // Masters first.
    instances.sort_by_key(|instance| source(instance).is_some());
    let masters = instances.iter().filter(|instance| source(instance).is_none()).count();
    let mut candidates = Vec::new();
    for instance in &instances {
        let Some(id) = instance.db_instance_identifier() else { continue };
        let name = match (source(instance), masters) {
            (None, 1) => "master".to_owned(),
            (Some(_), 1) => "replica".to_owned(),
            _ => name_of(id),
        };
        let mut candidate = Candidate::new(format!("databases.{name}"));
        // Of a cluster, the endpoint that follows the writer.
        candidate.set("instance", instance.db_cluster_identifier().unwrap_or(id));
        let known = (instance.db_name(), instance.master_username());
        let secret = instance.master_user_secret().and_then(|secret| secret.secret_arn());
        logins::describe(&mut candidate, clients, parameters, known, secret).await?;
        candidates.push(candidate);
    }
    candidates.dedup_by(|b, a| a.text("instance") == b.text("instance"));
    Ok(candidates)
}

/// Returns what an instance is a replica of.
fn source(instance: &DbInstance) -> Option<&str> {
    instance.read_replica_source_db_instance_identifier().filter(|source| !source.is_empty())
}
