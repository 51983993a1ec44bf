//! `covidctl psql`: becomes psql, connected to the target's database.
//!
//! The connection goes through the environment and the password through a file of our own, so that neither is on a command
//! line that everybody can read.

use std::ffi::OsString;
use std::os::unix::process::CommandExt as _;
use std::path::PathBuf;
use std::process::Command;

use etl::failure::{Exit, Failure, Result};

use crate::backend::{self, Database};
use crate::settings::Settings;

/// What in the user's environment would lead elsewhere.
const MISLEADING: [&str; 6] =
    ["PGHOSTADDR", "PGSERVICE", "PGSERVICEFILE", "PGPASSWORD", "PGSSLMODE", "PGOPTIONS"];

pub(super) async fn run(args: &[OsString], settings: &Settings) -> Result<()> {
    let database = backend::connect(settings)?.database().await?;
    let program = program(&database);
    let mut psql = Command::new(&program);
    for name in MISLEADING {
        psql.env_remove(name);
    }
    psql.envs(database.environment()).args(args);
    if settings.read_only.value {
        psql.env("PGOPTIONS", "-c default_transaction_read_only=on");
    }
    // Returns only where it failed.
    let error = psql.exec();
    Err(Failure::new(format!("cannot start `{}`", program.display()))
        .because(error)
        .hint("install PostgreSQL's client: apt-get install postgresql-client")
        .exiting(Exit::NotStarted))
}

/// The one that fits the server, else whatever `PATH` has.
fn program(database: &Database) -> PathBuf {
    let beside = database.programs.as_ref().map(|folder| folder.join("psql"));
    beside.filter(|program| program.is_file()).unwrap_or_else(|| PathBuf::from("psql"))
}
