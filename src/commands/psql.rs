//! `covidctl psql`: replaces this process by psql, or runs psql as a child if a tunnel must stay open.
//!
//! The connection is passed in the environment and the password in a private file, not on the command line.

use std::ffi::OsString;
use std::os::unix::process::CommandExt as _;
use std::path::PathBuf;
use std::process::Command;

use common::failure::{Exit, Failure, Result};

use super::tunnel::{child, iam};
use crate::printer::Printer;
use crate::settings::Settings;
use crate::signals::Signals;
use target::{Database, DatabaseAccess, DatabaseRole};

/// Variables of the user's environment that would override the connection.
const OVERRIDES: [&str; 6] =
    ["PGHOSTADDR", "PGSERVICE", "PGSERVICEFILE", "PGPASSWORD", "PGSSLMODE", "PGOPTIONS"];

pub(super) async fn run(
    name: Option<&str>,
    iam: Option<&str>,
    args: &[OsString],
    settings: &Settings,
    printer: &Printer,
) -> Result<()> {
    if let Some(role) = iam {
        return with_token(name, role, args, settings, printer).await;
    }
    let target = super::target(settings)?;
    let server = super::database_server(&target, name)?;
    let database = if settings.read_only.value {
        target.databases.reader(server).await?
    } else {
        target.databases.database(DatabaseAccess { server, role: DatabaseRole::Reader }).await?
    };
    let program = program(&database);
    let mut environment = database.environment();
    if settings.read_only.value {
        // So that a statement that writes is explained as such; the login cannot write anyway.
        environment.push(("PGOPTIONS", "-c default_transaction_read_only=on".into()));
    }
    if database.is_tunnelled() {
        let mut signals = Signals::listen()?;
        return child::run(&words(program, args), environment, &mut signals, std::future::pending()).await;
    }
    let mut psql = Command::new(&program);
    for name in OVERRIDES {
        psql.env_remove(name);
    }
    // Returns only on failure.
    let error = psql.envs(environment).args(args).exec();
    Err(Failure::new(format!("cannot start `{}`", program.display()))
        .source(error)
        .hint("install the PostgreSQL client: apt-get install postgresql-client")
        .exit_code(Exit::NotStarted))
}

/// Runs psql with an IAM token as its password, which `\connect` reads again.
async fn with_token(
    name: Option<&str>,
    role: &str,
    args: &[OsString],
    settings: &Settings,
    printer: &Printer,
) -> Result<()> {
    if settings.read_only.value {
        return Err(Failure::usage("with --read-only, psql logs in as the reader")
            .hint("leave --iam or --read-only out"));
    }
    let target = super::target(settings)?;
    let server = super::database_server(&target, name)?;
    let bastion = target.bastion()?;
    let login = bastion.iam_login(&server, &iam::role(role)?).await?;
    let (endpoint, role) = (login.endpoint.clone(), login.user.clone());
    let database = bastion.connect(login).await?;
    let mut signals = Signals::listen()?;
    let words = words(program(&database), args);
    let write = |token: &str| database.write_password(token);
    let renewing = iam::keep_renewed(bastion, &endpoint, &role, write, printer);
    child::run(&words, database.environment(), &mut signals, renewing).await
}

fn words(program: PathBuf, args: &[OsString]) -> Vec<OsString> {
    std::iter::once(program.into()).chain(args.iter().cloned()).collect()
}

/// Returns the psql of the server's version, or the one on `PATH`.
fn program(database: &Database) -> PathBuf {
    let beside = database.programs.as_ref().map(|folder| folder.join("psql"));
    beside.filter(|program| program.is_file()).unwrap_or_else(|| PathBuf::from("psql"))
}
