//! The arguments of `covidctl tunnel`.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use clap::{Args, Subcommand, ValueEnum};

use super::suggested::Suggested;
use common::text;
use tunnel::{self, Forwarding, SshHost, Trust};

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
    /// Serve /startup, /readiness, /liveness and /metrics over HTTP at this address, such as `127.0.0.1:9187`
    #[arg(long, value_name = "ADDRESS:PORT")]
    pub health: Option<SocketAddr>,
}

#[derive(Debug, Args)]
pub struct StartArgs {
    #[command(flatten)]
    pub route: Route,
    /// Serve /startup, /readiness, /liveness and /metrics over HTTP at this address, such as `127.0.0.1:9187`
    #[arg(long, value_name = "ADDRESS:PORT")]
    pub health: Option<SocketAddr>,
    /// Log in with IAM tokens, which are kept renewed in a private password file [default role: PGUSER, or your user name]
    #[arg(long, value_name = "ROLE", num_args = 0..=1, require_equals = true, default_missing_value = "", conflicts_with = "bastion")]
    pub iam: Option<String>,
    /// Set by `start` for the process in the background.
    #[arg(long, hide = true)]
    pub detached: bool,
}

#[derive(Debug, Subcommand)]
pub enum TunnelCommand {
    /// Open a tunnel in the background and print how to use it
    ///
    /// Returns when the tunnel is ready. A second start of the same tunnel prints how to use the first one; `psql` and the screens use it, too.
    Start(StartArgs),
    /// List the tunnels in the background
    List,
    /// Stop tunnels in the background: all of them, or those with these endpoints or local ports
    Stop {
        #[arg(value_name = "TARGET|PORT")]
        which: Vec<String>,
    },
    /// Run a command with a tunnel that is closed when the command ends
    ///
    /// PGHOST, PGHOSTADDR and PGPORT are set to the first target or -L. The exit code is that of the command.
    Exec {
        #[command(flatten)]
        route: Route,
        /// Log in with an IAM token, which is kept renewed [default role: PGUSER, or your user name]
        #[arg(long, value_name = "ROLE", num_args = 0..=1, require_equals = true, default_missing_value = "", conflicts_with = "bastion")]
        iam: Option<String>,
        /// The command and its arguments
        #[arg(last = true, required = true, value_name = "CMD")]
        command: Vec<std::ffi::OsString>,
    },
}

/// The values of `--trust`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum TrustArg {
    /// The keys on the instance's console, and what you confirm on the terminal
    Console,
    /// Nothing else
    Pinned,
    /// The first key that a new tunnel sees
    FirstUse,
}

impl From<TrustArg> for Trust {
    fn from(trust: TrustArg) -> Self {
        match trust {
            TrustArg::Console => Self::Console,
            TrustArg::Pinned => Self::Pinned,
            TrustArg::FirstUse => Self::FirstUse,
        }
    }
}

#[derive(Debug, Args)]
pub struct Route {
    /// Databases and services of the target to forward to, such as `master`, `replica` and `metabase` [default: master or the first
    /// database, unless -L is given]
    #[arg(value_name = "TARGET", value_parser = Suggested(&["master", "replica", "metabase"]), hide_possible_values = true)]
    pub targets: Vec<String>,
    /// Forward a local port, as `ssh -L` does; port 0 takes any free port
    #[arg(short = 'L', value_name = "LOCAL-PORT:HOST:PORT")]
    pub forwardings: Vec<Forwarding>,
    /// Listen on this port instead of the default; needs exactly one forwarding
    #[arg(long, value_name = "PORT")]
    pub local_port: Option<u16>,
    /// Also listen on a Unix socket in this folder, for programs that use libpq: `psql -h DIR`
    ///
    /// Only you can connect to it. The certificate of the database is verified by this program, with --ssl-root-cert or on AWS.
    #[arg(long, value_name = "DIR")]
    pub unix_socket: Option<PathBuf>,
    /// Local address to listen on; other machines can reach the database through any but a loopback address
    #[arg(long, value_name = "ADDRESS", default_value = "127.0.0.1")]
    pub bind: std::net::IpAddr,
    /// Bastion to connect through, also a host of ~/.ssh/config [default: the bastion of the target]
    #[arg(long, value_name = "[USER@]HOST[:PORT]")]
    pub bastion: Option<SshHost>,
    /// Private key file, offered first, or the public half of a key in the ssh agent [default: EC2 Instance Connect, the agent, then the
    /// default files in ~/.ssh]
    #[arg(short = 'i', value_name = "KEY")]
    pub keys: Vec<PathBuf>,
    /// Fingerprint that the host key must have, as `ssh-keygen -lf` prints it; pins the key
    #[arg(long, value_name = "SHA256:…")]
    pub host_key: Option<String>,
    /// What to trust beside keys that are pinned or in `~/.ssh/known_hosts`
    #[arg(long, value_name = "WHAT", default_value = "console")]
    pub trust: TrustArg,
    /// Cipher to use: aes256-gcm, aes128-gcm, chacha20-poly1305 or aes256-ctr, also by OpenSSH's names
    #[arg(long, value_parser = tunnel::parse_cipher)]
    pub cipher: Option<String>,
    /// Time limit for connecting to the bastion (name, TCP and key exchange together), such as `10s`
    #[arg(long, value_name = "TIME", default_value = "10s", value_parser = text::duration)]
    pub connect_timeout: Duration,
}
