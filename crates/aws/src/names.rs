//! The resource names in the account: from the file, from SSM parameters that the stacks publish, or the default.
//!
//! A name has the same key in the file (`[aws.names]`) and, below the prefix, in the parameter store.

use std::collections::BTreeMap;

use common::failure::{Failure, Result};

use super::api_error::ApiContext as _;
use super::clients::Clients;
use super::ssm::Parameter;
use target::{AwsSettings, Origin, WithOrigin};

/// Declares the names, each with its key and default.
macro_rules! names {
    ($($name:ident: $key:literal, $default:expr;)*) => {
        /// A named resource or setting.
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        pub(super) enum Name {
            $($name),*
        }

        /// Key and default, in the order of the enum.
        const TABLE: &[(&str, Option<&str>)] = &[$(($key, $default)),*];
    };
}

// `{account}` and `{region}` are replaced.
names! {
    Cluster: "cluster", Some("covid19");
    EtlTask: "task-definition/etl", Some("covid19-etl");
    ReportTask: "task-definition/report", Some("covid19-report");
    Subnets: "subnets/application", None;
    SecurityGroups: "security-groups/tasks", None;
    LambdaGroup: "log-group/lambda", Some("/aws/lambda/covid19-download");
    EtlGroup: "log-group/etl", Some("/ecs/covid19-etl");
    ReportGroup: "log-group/report", Some("/ecs/covid19-report");
    MetabaseGroup: "log-group/metabase", Some("/ecs/covid19-metabase");
    Download: "function/download", Some("covid19-download");
    Schedule: "schedule/rule", Some("covid19-download");
    DatasetsBucket: "bucket/datasets", Some("covid19-datasets-{account}-{region}");
    ReportsBucket: "bucket/reports", Some("covid19-reports-{account}-{region}");
    Master: "database/master/identifier", Some("covid19-master");
    Replica: "database/replica/identifier", Some("covid19-replica");
    MasterEndpoint: "database/master/endpoint", None;
    ReplicaEndpoint: "database/replica/endpoint", None;
    Database: "database/name", Some("covid19");
    DatabasePort: "database/port", Some("5432");
    MasterSecret: "database/secret", None;
    ReaderSecret: "database/secret/reader", None;
    WriterSecret: "database/secret/writer", None;
    MetabaseSecret: "database/secret/metabase", None;
    BastionGroup: "bastion/auto-scaling-group", Some("covid19-bastion");
    BastionSecurityGroup: "security-groups/bastion", None;
    BastionUser: "bastion/user", Some("ec2-user");
    BastionPort: "bastion/port", Some("22");
    MetabaseTargets: "metabase/target-group", None;
    MetabaseHost: "metabase/host", None;
    MetabasePort: "metabase/port", Some("80");
}

impl Name {
    pub(super) const fn key(self) -> &'static str {
        TABLE[self as usize].0
    }
}

/// The names of an account and region.
#[derive(Debug)]
pub(super) struct Names {
    known: BTreeMap<&'static str, WithOrigin<String>>,
    prefix: String,
}

impl Names {
    /// Reads the names from file and parameter store; a target that is described in the file has only those below a prefix that is set.
    pub(super) async fn discover(settings: &AwsSettings, clients: &Clients, account: &str) -> Result<Self> {
        let prefix = settings.prefix.value.trim_end_matches('/').to_owned();
        let is_described = settings.description.is_some();
        if is_described && settings.prefix.origin == Origin::Default {
            return Ok(Self { known: BTreeMap::new(), prefix });
        }
        let found = parameters(clients, &prefix).await?;
        check_keys(&settings.names)?;
        let with_origin = |(key, default): &(&'static str, Option<&str>)| {
            let from_file = settings.names.get(*key).map(|value| (value.clone(), Origin::File));
            let from_stacks = || found.get(*key).map(|value| (value.clone(), Origin::Discovery));
            let usual = || {
                let value = (*default)?.replace("{account}", account).replace("{region}", &clients.region);
                Some((value, Origin::Default))
            };
            let usual = || if is_described { None } else { usual() };
            let (value, origin) = from_file.or_else(from_stacks).or_else(usual)?;
            Some((*key, WithOrigin { value, origin }))
        };
        Ok(Self { known: TABLE.iter().filter_map(with_origin).collect(), prefix })
    }

    /// Returns a name, if it is set.
    pub(super) fn get(&self, name: Name) -> Option<&str> {
        self.known.get(name.key()).map(|known| known.value.as_str())
    }

    /// Returns where a name was set.
    pub(super) fn origin(&self, name: Name) -> Option<Origin> {
        self.known.get(name.key()).map(|known| known.origin)
    }

    /// Returns a required name, or a usage error if it is not set.
    pub(super) fn need(&self, name: Name) -> Result<&str> {
        self.get(name).ok_or_else(|| {
            let (key, prefix) = (name.key(), &self.prefix);
            Failure::usage(format!("key `{key}` is not configured"))
                .hint(format!("the stacks publish it as SSM parameter `{prefix}/{key}`; or set it under [aws.names] in the configuration file"))
        })
    }

    /// Returns the SSM parameter that the stacks publish a name as.
    pub(super) fn parameter(&self, name: Name) -> String {
        format!("{}/{}", self.prefix, name.key())
    }

    /// Returns names that were found below a prefix.
    #[cfg(test)]
    pub(super) fn found(names: &[(Name, &str)]) -> Self {
        let known = names.iter().map(|(name, value)| {
            (name.key(), WithOrigin { value: (*value).to_owned(), origin: Origin::Discovery })
        });
        Self { known: known.collect(), prefix: "/cde".to_owned() }
    }

    /// Returns every name with its key and origin.
    pub(super) fn all(&self) -> impl Iterator<Item = (&'static str, &WithOrigin<String>)> {
        TABLE.iter().filter_map(|(key, _)| Some((*key, self.known.get(key)?)))
    }
}

/// Returns a usage error for an unknown key.
fn check_keys(names: &BTreeMap<String, String>) -> Result<()> {
    let keys: Vec<&str> = TABLE.iter().map(|(key, _)| *key).collect();
    match names.keys().find(|typed| !keys.contains(&typed.as_str())) {
        None => Ok(()),
        Some(typed) => Err(Failure::usage(format!("unknown key `{typed}` under [aws.names]"))
            .hint(format!("valid keys: {}", keys.join(", ")))),
    }
}

/// Returns the parameters below the prefix, without it.
async fn parameters(clients: &Clients, prefix: &str) -> Result<BTreeMap<String, String>> {
    let found = clients.parameters().parameters_below(prefix).await;
    let found = found.api_context("ssm:GetParametersByPath", || {
        format!("cannot read the names that the stacks have written below `{prefix}`")
    })?;
    let named = |Parameter { name, value, .. }: Parameter| {
        let key = name.strip_prefix(prefix).unwrap_or(&name).trim_start_matches('/').to_owned();
        Some((key, value?))
    };
    Ok(found.into_iter().filter_map(named).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_have_distinct_keys() {
        let mut keys: Vec<&str> = TABLE.iter().map(|(key, _)| *key).collect();
        keys.sort_unstable();
        keys.dedup();
        assert_eq!(keys.len(), TABLE.len());
        assert_eq!((Name::Cluster.key(), Name::MetabasePort.key()), ("cluster", "metabase/port"));
    }

    #[test]
    fn unknown_key_is_refused() {
        let names = BTreeMap::from([("clutser".to_owned(), "x".to_owned())]);
        let failure = check_keys(&names).unwrap_err();
        assert_eq!(failure.exit().code(), 2);
        assert!(failure.hint_text().unwrap().contains("cluster"));
    }
}
