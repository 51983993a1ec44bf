//! The options of every command.

use std::path::PathBuf;

use clap::{Args, ValueEnum};
use common::failure::{Failure, Result};
use serde::{Deserialize, Serialize};
use target::SslMode;
use tunnel::Proxy;

/// Environment variable with the key of a recording.
pub const RECORD_KEY: &str = "COVIDCTL_RECORD_KEY";

#[derive(Debug, Clone, Args)]
#[expect(clippy::struct_excessive_bools, reason = "each is a flag")]
#[command(next_help_heading = "Global options")]
pub struct Globals {
    /// Target to operate: `local`, `aws`, or one of the configuration file [default: local]
    #[arg(long, global = true, env = "COVIDCTL_TARGET", value_name = "NAME", hide_env_values = true)]
    pub target: Option<String>,
    /// Output format [default: text]
    #[arg(short, long, global = true, value_name = "FORMAT")]
    pub output: Option<Format>,
    /// When to use color [default: auto]
    #[arg(long, global = true, value_name = "WHEN")]
    pub color: Option<Color>,
    /// Print only errors
    #[arg(short, long, global = true, conflicts_with = "verbose")]
    pub quiet: bool,
    /// Print more detail
    #[arg(short, long, global = true)]
    pub verbose: bool,
    /// Answer yes to all questions
    #[arg(long, global = true)]
    pub yes: bool,
    /// Refuse commands that change something
    #[arg(long, global = true, env = "COVIDCTL_READ_ONLY", hide_env_values = true)]
    pub read_only: bool,
    /// Configuration file [default: covidctl/config.toml in the user's configuration directory]
    #[arg(long, global = true, env = "COVIDCTL_CONFIG", value_name = "FILE", hide_env_values = true)]
    pub config: Option<PathBuf>,
    /// Data directory of the local target [default: /var/lib/covidctl for root, else the user's data directory]
    #[arg(long, global = true, env = "COVIDCTL_DATA_DIR", value_name = "DIR", hide_env_values = true)]
    pub data_dir: Option<PathBuf>,
    /// Directory of the PostgreSQL programs [default: the first one found]
    #[arg(long, global = true, env = "COVIDCTL_PG_BIN", value_name = "DIR", hide_env_values = true)]
    pub pg_bin: Option<PathBuf>,
    /// AWS profile
    #[arg(long, global = true, env = "AWS_PROFILE", value_name = "NAME", hide_env_values = true)]
    pub profile: Option<String>,
    /// AWS region
    #[arg(long, global = true, env = "AWS_REGION", value_name = "NAME", hide_env_values = true)]
    pub region: Option<String>,
    /// Endpoint for all AWS services, such as an emulator's
    #[arg(long, global = true, env = "AWS_ENDPOINT_URL", value_name = "URL", hide_env_values = true)]
    pub endpoint_url: Option<String>,
    /// SSM parameter prefix that the stacks publish their outputs under [default: /covid19]
    #[arg(long, global = true, env = "COVIDCTL_PREFIX", value_name = "PREFIX", hide_env_values = true)]
    pub prefix: Option<String>,
    /// TLS verification mode for the RDS connection [default: verify-full]
    #[arg(long, global = true, value_name = "MODE")]
    pub ssl_mode: Option<SslMode>,
    /// CA bundle for the RDS connection [default: the bundle of RDS, downloaded once]
    #[arg(long, global = true, env = "PGSSLROOTCERT", value_name = "FILE", hide_env_values = true)]
    pub ssl_root_cert: Option<PathBuf>,
    /// Record what AWS is asked and answers in this directory, redacted, for a bug report
    #[arg(long, global = true, value_name = "DIR")]
    pub record: Option<PathBuf>,
    /// The key of the redaction, which the commands of a self-test share.
    #[arg(long, global = true, env = RECORD_KEY, hide = true)]
    pub record_key: Option<String>,
    /// The variable of <https://no-color.org>.
    #[arg(long, global = true, env = "NO_COLOR", value_name = "ANY", hide = true)]
    pub no_color: Option<String>,
    /// The variables of curl and others for proxies; lower case takes precedence.
    #[arg(long, global = true, env = "all_proxy", value_name = "URL", hide = true)]
    pub all_proxy: Option<String>,
    #[arg(long, global = true, env = "ALL_PROXY", value_name = "URL", hide = true)]
    pub all_proxy_upper: Option<String>,
    #[arg(long, global = true, env = "no_proxy", value_name = "HOSTS", hide = true)]
    pub no_proxy: Option<String>,
    #[arg(long, global = true, env = "NO_PROXY", value_name = "HOSTS", hide = true)]
    pub no_proxy_upper: Option<String>,
}

impl Globals {
    /// Returns the proxy on the way to bastions.
    pub fn proxy(&self) -> Result<Option<Proxy>> {
        let given = |lower: &Option<String>, upper: &Option<String>| {
            lower.clone().or_else(|| upper.clone()).filter(|text| !text.is_empty())
        };
        let Some(url) = given(&self.all_proxy, &self.all_proxy_upper) else { return Ok(None) };
        let proxy: Proxy = url.parse().map_err(|error: String| {
            // The URL may contain a password.
            Failure::usage(format!("invalid ALL_PROXY: {error}")).hint("unset ALL_PROXY, or correct it")
        })?;
        Ok(Some(proxy.except(&given(&self.no_proxy, &self.no_proxy_upper).unwrap_or_default())))
    }
}

#[derive(Debug, Default, Clone, Copy, PartialEq, Eq, ValueEnum, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Format {
    /// Text for people
    #[default]
    Text,
    /// A JSON document
    Json,
    /// Messages alone (`logs`)
    Raw,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Color {
    /// On a terminal, unless `NO_COLOR` is set
    Auto,
    /// Also in files and pipes
    Always,
    /// No color
    Never,
}
