//! The subcommands. Each checks read-only, calls an operation and prints its result.

#[cfg(feature = "aws")]
mod adopt;
mod config;
mod confirm;
mod dashboard;
mod datasets;
mod db;
mod demo;
mod doctor;
mod generated;
mod lifecycle;
mod logs;
mod psql;
mod releases;
mod reports;
mod run;
mod runs;
mod screens;
#[cfg(feature = "aws")]
mod selftest;
#[cfg(feature = "aws")]
mod stacks;
mod status;
mod targets;
mod tunnel;
mod version;

use std::sync::Arc;

use common::failure::{Failure, Result};

use crate::cli::Command;
use crate::connect;
use crate::printer::Printer;
use crate::settings::{Format, Settings};
use ::logs::LogLine;
use target::{DatabaseServer, Origin, Target};

/// Runs a command, or the screens if there is none.
pub async fn dispatch(command: Option<&Command>, settings: &Settings, printer: &Arc<Printer>) -> Result<()> {
    if printer.format() == Format::Raw && !matches!(command, Some(Command::Logs(_))) {
        return Err(
            Failure::usage("output format `raw` is for `logs` only").hint("--output text, or --output json")
        );
    }
    let Some(command) = command else { return screens::run(settings, printer).await };
    match command {
        Command::Demo { rows, headless } => demo::run(*rows, *headless, settings, printer).await,
        Command::Up(args) => lifecycle::up(args, settings, printer).await,
        Command::Down { delete_data } => lifecycle::down(*delete_data, settings, printer).await,
        Command::Status { watch } => status::run(*watch, settings, printer).await,
        Command::Run(args) => run::run(args, settings, printer).await,
        Command::Logs(args) => logs::run(args, settings, printer).await,
        Command::Stop { run } => runs::stop(run, settings, printer).await,
        Command::Runs { limit, command } => runs::run(*limit, command.as_ref(), settings, printer).await,
        Command::Releases { command } => releases::run(command.as_ref(), settings, printer).await,
        Command::Reports { command } => reports::run(command.as_ref(), settings, printer).await,
        Command::Dashboard(command) => dashboard::run(command, settings, printer).await,
        Command::Datasets => datasets::run(settings, printer).await,
        Command::Db(command) => db::run(*command, settings, printer).await,
        Command::Doctor { my_address } => doctor::run(*my_address, settings, printer).await,
        #[cfg(feature = "aws")]
        Command::Selftest(args) => selftest::run(args, settings, printer).await,
        #[cfg(not(feature = "aws"))]
        Command::Selftest(_) => Err(connect::no_aws()),
        Command::Psql { database, iam, args } => {
            psql::run(database.as_deref(), iam.as_deref(), args, settings, printer).await
        }
        Command::Tunnel(args) => tunnel::run(args, settings, printer).await,
        Command::Config => config::run(settings, printer).await,
        #[cfg(feature = "aws")]
        Command::Adopt(args) => adopt::run(args, settings, printer).await,
        #[cfg(not(feature = "aws"))]
        Command::Adopt(_) => Err(connect::no_aws()),
        Command::Targets => targets::run(settings, printer),
        Command::Version(args) => version::run(args, printer).await,
        Command::Completions { shell } => {
            generated::completions(*shell, printer);
            Ok(())
        }
        Command::Man { dir } => generated::man(dir.as_deref(), printer),
    }
}

/// Returns the target that the settings name; its tunnels report on standard error.
fn target(settings: &Settings) -> Result<Target> {
    connect::target(settings, Arc::new(Printer::new(settings)).tunnel_events())
}

/// Returns the database that a command names; by default the first one of the target.
fn database_server(target: &Target, name: Option<&str>) -> Result<DatabaseServer> {
    let names = target.databases.names();
    let name = name.map(str::to_owned).or_else(|| names.first().cloned());
    let Some(name) = name else {
        return Err(Failure::usage("the target has no database")
            .hint("describe one in [targets.NAME.databases.DATABASE] of the configuration file"));
    };
    if !names.contains(&name) {
        return Err(Failure::usage(format!("the target has no database `{name}`"))
            .hint(format!("the databases are {}", names.join(", "))));
    }
    Ok(DatabaseServer::named(&name))
}

/// Returns a command line for the user to type next, with this program's path and data directory as they were given.
fn next_command(words: &str, settings: &Settings) -> String {
    let called = std::env::args().next().filter(|name| name.contains('/'));
    let program = called.unwrap_or_else(|| "covidctl".to_owned());
    match settings.data_dir.origin {
        Origin::Flag => format!("{program} {words} --data-dir '{}'", settings.data_dir.value.display()),
        _ => format!("{program} {words}"),
    }
}

/// Returns a sink for a job's log that prints warnings and errors, or every line with `--verbose`.
fn warnings_only(printer: &Printer) -> impl FnMut(&LogLine) {
    |line| {
        if printer.verbose() || line.is_warning() {
            printer.log(line);
        }
    }
}
