//! The settings of targets on AWS, with the origin of each value.

use std::collections::BTreeMap;
use std::fmt;
use std::path::PathBuf;

use clap::ValueEnum;
use serde::{Deserialize, Serialize};

use crate::Description;

/// Settings of a target on AWS, from flags, environment and file. What is absent is discovered when it is needed.
#[derive(Debug, Clone)]
pub struct AwsSettings {
    /// Name of the target.
    pub target: String,
    /// Profile in the configuration that all AWS programs share.
    pub profile: Option<WithOrigin<String>>,
    /// Region, such as `us-east-1`.
    pub region: Option<WithOrigin<String>>,
    /// One endpoint for all services, such as an emulator's.
    pub endpoint_url: Option<WithOrigin<String>>,
    /// SSM parameter prefix that the stacks publish their outputs under.
    pub prefix: WithOrigin<String>,
    /// TLS verification mode for the RDS connection.
    pub ssl_mode: WithOrigin<SslMode>,
    /// CA bundle that the database's certificate is verified against.
    pub ssl_root_cert: Option<WithOrigin<PathBuf>>,
    /// Resource names from the file, by their keys: `cluster`, `bucket/datasets`, …
    pub names: BTreeMap<String, String>,
    /// The pipeline, if it is not that of the stacks.
    pub description: Option<Description>,
    /// Stack parameters from the file, by stack and parameter name.
    pub stacks: BTreeMap<String, BTreeMap<String, String>>,
    /// File of pinned SSH host keys.
    pub known_hosts: PathBuf,
    /// Recording of what AWS is asked and answers.
    pub recording: Option<Recording>,
    /// Folder of the records of runs that have no storage.
    pub records: PathBuf,
    /// Folder of the tunnels in the background.
    pub tunnels: PathBuf,
    /// Proxy on the way to the bastion.
    pub proxy: Option<tunnel::Proxy>,
}

/// Where answers are recorded.
#[derive(Debug, Clone)]
pub struct Recording {
    /// Folder of the recording.
    pub folder: PathBuf,
    /// Key of the replacements for identifiers, which several processes share; a random one if absent.
    pub key: Option<String>,
}

impl AwsSettings {
    /// Returns what tells the resources of one account, region and prefix from those of another, as far as it is set.
    pub fn scope(&self) -> String {
        let value =
            |set: &Option<WithOrigin<String>>| set.as_ref().map_or("", |set| set.value.as_str()).to_owned();
        let parts =
            [value(&self.profile), value(&self.region), value(&self.endpoint_url), self.prefix.value.clone()];
        format!("aws {}", parts.join(" "))
    }
}

/// TLS verification mode, in libpq's words.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum SslMode {
    /// Verify the certificate and the host name
    VerifyFull,
    /// No encryption beyond the tunnel
    Disable,
}

/// Where a value was set.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
#[expect(missing_docs, reason = "the names say it")]
pub enum Origin {
    Flag,
    Environment,
    File,
    /// A parameter that the stacks published.
    Discovery,
    Default,
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.serialize(f)
    }
}

/// A value and where it was set.
#[derive(Debug, Clone, PartialEq, Eq)]
#[expect(missing_docs, reason = "the types say it")]
pub struct WithOrigin<T> {
    pub value: T,
    pub origin: Origin,
}
