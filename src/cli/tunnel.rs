//! The words of `covidctl tunnel`.

use std::path::PathBuf;
use std::time::Duration;

use clap::{Args, Subcommand, ValueEnum};

use common::text;
use tunnel::{self, bastion::Bastion, forwarding::Forwarding};

/// `covidctl tunnel`
#[derive(Debug, Args)]
#[command(args_conflicts_with_subcommands = true)]
pub struct Tunnel {
    /// Only for a command
    #[command(subcommand)]
    pub command: Option<TunnelCommand>,
    /// What leads where.
    #[command(flatten)]
    pub route: Route,
    /// Write this file once connections are served, and remove it at the end
    #[arg(long, value_name = "FILE")]
    pub ready_file: Option<PathBuf>,
}

/// `covidctl tunnel …`
#[derive(Debug, Subcommand)]
pub enum TunnelCommand {
    /// Run a command inside the tunnel, which ends with it
    ///
    /// PGHOST, PGHOSTADDR and PGPORT lead through the first target or -L. The exit code is the command's own.
    Exec {
        /// What leads where.
        #[command(flatten)]
        route: Route,
        /// The command and its arguments
        #[arg(last = true, required = true, value_name = "CMD")]
        command: Vec<std::ffi::OsString>,
    },
}

/// A place behind the bastion that has a name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum TunnelTarget {
    /// The database that is written to, at port 15432
    Master,
    /// The database that dashboards read, at port 15433
    Replica,
    /// The dashboard, at port 13000
    Metabase,
}

impl TunnelTarget {
    /// As it is typed.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Master => "master",
            Self::Replica => "replica",
            Self::Metabase => "metabase",
        }
    }

    /// Its local port, always the same, so that it can stand in other programs' settings.
    pub const fn local_port(self) -> u16 {
        match self {
            Self::Master => 15432,
            Self::Replica => 15433,
            Self::Metabase => 13000,
        }
    }
}

/// What leads where, and through whom.
#[derive(Debug, Args)]
pub struct Route {
    /// Where to, on AWS: each has a local port of its own that stays the same [default: master, without any -L]
    #[arg(value_name = "TARGET")]
    pub targets: Vec<TunnelTarget>,
    /// What leads where, as for `ssh -L`; port 0 is any free one
    #[arg(short = 'L', value_name = "LOCAL-PORT:HOST:PORT")]
    pub forwardings: Vec<Forwarding>,
    /// Listen on this port instead; where only one thing is forwarded
    #[arg(long, value_name = "PORT")]
    pub local_port: Option<u16>,
    /// The local address to listen on; any other than this machine's own opens the database to others
    #[arg(long, value_name = "ADDRESS", default_value = "127.0.0.1")]
    pub bind: std::net::IpAddr,
    /// Through whom [default: the bastion of the target `aws`]
    #[arg(long, value_name = "USER@HOST[:PORT]")]
    pub bastion: Option<Bastion>,
    /// The private key to log in with; without it, EC2 Instance Connect, the ssh agent and the usual files in ~/.ssh
    #[arg(short = 'i', value_name = "KEY")]
    pub key: Option<PathBuf>,
    /// The fingerprint that the bastion's host key must have, as `ssh-keygen -lf` shows it; pins the key
    #[arg(long, value_name = "SHA256:…")]
    pub host_key: Option<String>,
    /// Use only this cipher: aes256-gcm, aes128-gcm, chacha20-poly1305 or aes256-ctr
    #[arg(long, value_parser = tunnel::cipher)]
    pub cipher: Option<String>,
    /// How long connecting may take, such as `10s`
    #[arg(long, value_name = "TIME", default_value = "10s", value_parser = text::duration)]
    pub connect_timeout: Duration,
}
