//! The resource names in the account: from the file, from SSM parameters that the stacks publish, or the default.
//!
//! A name has the same key in the file (`[aws.names]`) and, below the prefix, in the parameter store.

use std::collections::BTreeMap;

use common::failure::{Failure, Result};

use super::api_error::ApiContext as _;
use super::clients::Clients;
use target::{AwsSettings, Origin, WithOrigin};

/// A named resource or setting.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Name {
    Cluster,
    EtlTask,
    ReportTask,
    Subnets,
    SecurityGroups,
    LambdaGroup,
    EtlGroup,
    ReportGroup,
    MetabaseGroup,
    Download,
    Schedule,
    DatasetsBucket,
    ReportsBucket,
    Master,
    Replica,
    MasterEndpoint,
    ReplicaEndpoint,
    Database,
    DatabasePort,
    MasterSecret,
    ReaderSecret,
    WriterSecret,
    MetabaseSecret,
    BastionGroup,
    BastionSecurityGroup,
    BastionUser,
    BastionPort,
    MetabaseTargets,
    MetabaseHost,
    MetabasePort,
}

/// Key and default of each name. `{account}` and `{region}` are replaced.
const TABLE: &[(Name, &str, Option<&str>)] = &[
    (Name::Cluster, "cluster", Some("covid19")),
    (Name::EtlTask, "task-definition/etl", Some("covid19-etl")),
    (Name::ReportTask, "task-definition/report", Some("covid19-report")),
    (Name::Subnets, "subnets/application", None),
    (Name::SecurityGroups, "security-groups/tasks", None),
    (Name::LambdaGroup, "log-group/lambda", Some("/aws/lambda/covid19-download")),
    (Name::EtlGroup, "log-group/etl", Some("/ecs/covid19-etl")),
    (Name::ReportGroup, "log-group/report", Some("/ecs/covid19-report")),
    (Name::MetabaseGroup, "log-group/metabase", Some("/ecs/covid19-metabase")),
    (Name::Download, "function/download", Some("covid19-download")),
    (Name::Schedule, "schedule/rule", Some("covid19-download")),
    (Name::DatasetsBucket, "bucket/datasets", Some("covid19-datasets-{account}-{region}")),
    (Name::ReportsBucket, "bucket/reports", Some("covid19-reports-{account}-{region}")),
    (Name::Master, "database/master/identifier", Some("covid19-master")),
    (Name::Replica, "database/replica/identifier", Some("covid19-replica")),
    (Name::MasterEndpoint, "database/master/endpoint", None),
    (Name::ReplicaEndpoint, "database/replica/endpoint", None),
    (Name::Database, "database/name", Some("covid19")),
    (Name::DatabasePort, "database/port", Some("5432")),
    (Name::MasterSecret, "database/secret", None),
    (Name::ReaderSecret, "database/secret/reader", None),
    (Name::WriterSecret, "database/secret/writer", None),
    (Name::MetabaseSecret, "database/secret/metabase", None),
    (Name::BastionGroup, "bastion/auto-scaling-group", Some("covid19-bastion")),
    (Name::BastionSecurityGroup, "security-groups/bastion", None),
    (Name::BastionUser, "bastion/user", Some("ec2-user")),
    (Name::BastionPort, "bastion/port", Some("22")),
    (Name::MetabaseTargets, "metabase/target-group", None),
    (Name::MetabaseHost, "metabase/host", None),
    (Name::MetabasePort, "metabase/port", Some("80")),
];

impl Name {
    pub(super) fn key(self) -> &'static str {
        TABLE.iter().find(|(name, ..)| *name == self).map_or("", |(_, key, _)| key)
    }
}

/// The names of an account and region.
#[derive(Debug)]
pub(super) struct Names {
    known: BTreeMap<&'static str, WithOrigin<String>>,
    prefix: String,
}

impl Names {
    /// Reads the names from file and parameter store.
    pub(super) async fn discover(settings: &AwsSettings, clients: &Clients, account: &str) -> Result<Self> {
        let prefix = settings.prefix.value.trim_end_matches('/').to_owned();
        let found = parameters(clients, &prefix).await?;
        check_keys(&settings.names)?;
        let mut known = BTreeMap::new();
        for (_, key, default) in TABLE {
            let from_file = settings.names.get(*key).map(|value| (value.clone(), Origin::File));
            let from_stacks = || found.get(*key).map(|value| (value.clone(), Origin::Discovery));
            let usual = || {
                let value = (*default)?.replace("{account}", account).replace("{region}", clients.region());
                Some((value, Origin::Default))
            };
            if let Some((value, origin)) = from_file.or_else(from_stacks).or_else(usual) {
                known.insert(*key, WithOrigin { value, origin });
            }
        }
        Ok(Self { known, prefix })
    }

    /// Returns a name, if it is set.
    pub(super) fn get(&self, name: Name) -> Option<&str> {
        self.known.get(name.key()).map(|known| known.value.as_str())
    }

    /// Returns a required name.
    ///
    /// # Errors
    /// A usage error if it is not set.
    pub(super) fn need(&self, name: Name) -> Result<&str> {
        self.get(name).ok_or_else(|| {
            let (key, prefix) = (name.key(), &self.prefix);
            Failure::usage(format!("key `{key}` is not configured"))
                .hint(format!("the stacks publish it as SSM parameter `{prefix}/{key}`; or set it under [aws.names] in the configuration file"))
        })
    }

    /// Returns a comma-separated list.
    pub(super) fn list(&self, name: Name) -> Result<Vec<String>> {
        Ok(self.need(name)?.split(',').map(|value| value.trim().to_owned()).collect())
    }

    /// Returns every name with its key and origin.
    pub(super) fn all(&self) -> impl Iterator<Item = (&'static str, &WithOrigin<String>)> {
        TABLE.iter().filter_map(|(_, key, _)| Some((*key, self.known.get(key)?)))
    }
}

/// Returns a usage error for an unknown key.
fn check_keys(names: &BTreeMap<String, String>) -> Result<()> {
    match names.keys().find(|typed| !TABLE.iter().any(|(_, key, _)| key == typed)) {
        None => Ok(()),
        Some(typed) => {
            let keys: Vec<&str> = TABLE.iter().map(|(_, key, _)| *key).collect();
            Err(Failure::usage(format!("unknown key `{typed}` under [aws.names]"))
                .hint(format!("valid keys: {}", keys.join(", "))))
        }
    }
}

/// Returns the parameters below the prefix, without it.
async fn parameters(clients: &Clients, prefix: &str) -> Result<BTreeMap<String, String>> {
    let client = clients.parameters();
    let mut pages = client.get_parameters_by_path().path(prefix).recursive(true).into_paginator().send();
    let mut found = BTreeMap::new();
    while let Some(page) = pages.next().await {
        let page = page.api_context("ssm:GetParametersByPath", || {
            format!("cannot read the names that the stacks have written below `{prefix}`")
        })?;
        for parameter in page.parameters.unwrap_or_default() {
            if let (Some(name), Some(value)) = (parameter.name, parameter.value) {
                let key = name.strip_prefix(prefix).unwrap_or(&name).trim_start_matches('/').to_owned();
                found.insert(key, value);
            }
        }
    }
    Ok(found)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_have_distinct_keys() {
        let mut keys: Vec<&str> = TABLE.iter().map(|(_, key, _)| *key).collect();
        keys.sort_unstable();
        keys.dedup();
        assert_eq!(keys.len(), TABLE.len());
        assert!(TABLE.iter().all(|(name, key, _)| name.key() == *key));
    }

    #[test]
    fn unknown_key_is_refused() {
        let names = BTreeMap::from([("clutser".to_owned(), "x".to_owned())]);
        let failure = check_keys(&names).unwrap_err();
        assert_eq!(failure.exit().code(), 2);
        assert!(failure.hint_text().unwrap().contains("cluster"));
    }
}
