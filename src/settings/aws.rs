//! Where AWS is asked, and the names there that the user set: the part of the settings that only the target `aws` reads.
//!
//! What nobody set is absent here; it is discovered when it is needed, not before.

use std::collections::BTreeMap;
use std::path::PathBuf;

use clap::ValueEnum;
use serde::{Deserialize, Serialize};

use super::Sourced;

/// Everything about AWS that a flag, the environment or the file says.
#[derive(Debug, Clone)]
pub struct Aws {
    /// The profile in the shared configuration of all AWS programs.
    pub profile: Option<Sourced<String>>,
    /// The region.
    pub region: Option<Sourced<String>>,
    /// One endpoint for all services, such as an emulator's.
    pub endpoint_url: Option<Sourced<String>>,
    /// Under which prefix the stacks have written their names into the parameter store.
    pub prefix: Sourced<String>,
    /// How certain the database's certificate must be.
    pub ssl_mode: Sourced<SslMode>,
    /// The certificate authorities that the database's certificate is checked against.
    pub ssl_root_cert: Option<Sourced<PathBuf>>,
    /// Names from the file, by their keys: `cluster`, `bucket/datasets`, …
    pub names: BTreeMap<String, String>,
}

/// How certain a server's certificate must be, in libpq's words.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum SslMode {
    /// The certificate is checked, and that it belongs to the host.
    VerifyFull,
    /// No encryption beside the tunnel's own
    Disable,
}

/// The table `[aws]` of the file.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub(super) struct File {
    pub(super) profile: Option<String>,
    pub(super) region: Option<String>,
    pub(super) endpoint_url: Option<String>,
    pub(super) prefix: Option<String>,
    pub(super) ssl_mode: Option<SslMode>,
    pub(super) ssl_root_cert: Option<PathBuf>,
    #[serde(default)]
    pub(super) names: BTreeMap<String, String>,
}
