//! `covidctl psql`: becomes psql, connected to the target's database, or runs it where a tunnel has to stay for it.
//!
//! The connection goes through the environment and the password through a file of our own, so that neither is on a command
//! line that everybody can read.

use std::ffi::OsString;
use std::os::unix::process::CommandExt as _;
use std::path::PathBuf;
use std::process::Command;

use common::failure::{Exit, Failure, Result};

use super::tunnel::{Child, passed_on};
use crate::settings::Settings;
use crate::signals::Signals;
use target::{Database, DatabaseAccess, DatabaseRole, DatabaseServer};

/// What in the user's environment would lead elsewhere.
const MISLEADING: [&str; 6] =
    ["PGHOSTADDR", "PGSERVICE", "PGSERVICEFILE", "PGPASSWORD", "PGSSLMODE", "PGOPTIONS"];

pub(super) async fn run(server: DatabaseServer, args: &[OsString], settings: &Settings) -> Result<()> {
    let access = DatabaseAccess { server, role: DatabaseRole::Reader };
    let database = super::target(settings)?.databases.database(access).await?;
    let program = program(&database);
    let mut environment = database.environment();
    if settings.read_only.value {
        environment.push(("PGOPTIONS", "-c default_transaction_read_only=on".into()));
    }
    if database.is_tunnelled() {
        return inside(&program, args, environment).await;
    }
    let mut psql = Command::new(&program);
    for name in MISLEADING {
        psql.env_remove(name);
    }
    // Returns only where it failed.
    let error = psql.envs(environment).args(args).exec();
    Err(Failure::new(format!("cannot start `{}`", program.display()))
        .source(error)
        .hint("install PostgreSQL's client: apt-get install postgresql-client")
        .exit_code(Exit::NotStarted))
}

/// As long as it runs, the tunnel stays.
async fn inside(
    program: &PathBuf,
    args: &[OsString],
    environment: Vec<(&'static str, OsString)>,
) -> Result<()> {
    let mut signals = Signals::listen()?;
    let words: Vec<OsString> = std::iter::once(program.into()).chain(args.iter().cloned()).collect();
    let mut psql = Child::start(&words, environment)?;
    loop {
        tokio::select! {
            status = psql.ended() => return passed_on(status?),
            // On a terminal psql gets its own Ctrl-C, with which it cancels a query.
            signal = signals.next() => psql.pass_on(signal.exit()),
        }
    }
}

/// The one that fits the server, else whatever `PATH` has.
fn program(database: &Database) -> PathBuf {
    let beside = database.programs.as_ref().map(|folder| folder.join("psql"));
    beside.filter(|program| program.is_file()).unwrap_or_else(|| PathBuf::from("psql"))
}
