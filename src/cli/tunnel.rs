//! The arguments of `covidctl tunnel`.

use std::path::PathBuf;
use std::time::Duration;

use clap::{Args, Subcommand, ValueEnum};

use common::text;
use tunnel::{self, Bastion, Forwarding};

#[derive(Debug, Args)]
#[command(args_conflicts_with_subcommands = true)]
pub struct Tunnel {
    /// Run a command instead of waiting
    #[command(subcommand)]
    pub command: Option<TunnelCommand>,
    #[command(flatten)]
    pub route: Route,
    /// Create this file when the tunnel is ready, and remove it when the tunnel is closed
    #[arg(long, value_name = "FILE")]
    pub ready_file: Option<PathBuf>,
}

#[derive(Debug, Subcommand)]
pub enum TunnelCommand {
    /// Run a command with a tunnel that is closed when the command ends
    ///
    /// PGHOST, PGHOSTADDR and PGPORT are set to the first target or -L. The exit code is that of the command.
    Exec {
        #[command(flatten)]
        route: Route,
        /// The command and its arguments
        #[arg(last = true, required = true, value_name = "CMD")]
        command: Vec<std::ffi::OsString>,
    },
}

/// An endpoint behind the bastion with a name and a fixed local port, which other programs can be configured with.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum TunnelTarget {
    /// The writable database, on local port 15432
    Master,
    /// The read replica, on local port 15433
    Replica,
    /// The dashboard, on local port 13000
    Metabase,
}

impl TunnelTarget {
    pub const fn name(self) -> &'static str {
        match self {
            Self::Master => "master",
            Self::Replica => "replica",
            Self::Metabase => "metabase",
        }
    }

    pub const fn local_port(self) -> u16 {
        match self {
            Self::Master => 15432,
            Self::Replica => 15433,
            Self::Metabase => 13000,
        }
    }
}

#[derive(Debug, Args)]
pub struct Route {
    /// Endpoints of the target `aws` to forward to [default: master, unless -L is given]
    #[arg(value_name = "TARGET")]
    pub targets: Vec<TunnelTarget>,
    /// Forward a local port, as `ssh -L` does; port 0 takes any free port
    #[arg(short = 'L', value_name = "LOCAL-PORT:HOST:PORT")]
    pub forwardings: Vec<Forwarding>,
    /// Listen on this port instead of the default; needs exactly one forwarding
    #[arg(long, value_name = "PORT")]
    pub local_port: Option<u16>,
    /// Local address to listen on; other machines can reach the database through any but a loopback address
    #[arg(long, value_name = "ADDRESS", default_value = "127.0.0.1")]
    pub bind: std::net::IpAddr,
    /// Bastion to connect through [default: the bastion of the target `aws`]
    #[arg(long, value_name = "USER@HOST[:PORT]")]
    pub bastion: Option<Bastion>,
    /// Private key file [default: EC2 Instance Connect, the ssh agent, then the default files in ~/.ssh]
    #[arg(short = 'i', value_name = "KEY")]
    pub key: Option<PathBuf>,
    /// Fingerprint that the host key must have, as `ssh-keygen -lf` prints it; pins the key
    #[arg(long, value_name = "SHA256:…")]
    pub host_key: Option<String>,
    /// Cipher to use: aes256-gcm, aes128-gcm, chacha20-poly1305 or aes256-ctr
    #[arg(long, value_parser = tunnel::parse_cipher)]
    pub cipher: Option<String>,
    /// Time limit for connecting to the bastion, such as `10s`
    #[arg(long, value_name = "TIME", default_value = "10s", value_parser = text::duration)]
    pub connect_timeout: Duration,
}
