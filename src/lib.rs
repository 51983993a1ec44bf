//! The operator's terminal of the pipeline.
//!
//! A command passes three layers: `cli` types the words, `settings` merges them with the environment and the file, and
//! `commands` acts. Commands stay thin; what several of them share is in `ops`. Where the pipeline lives is behind the trait
//! in `backend`; nothing above it knows which kind it talks to. Only `db` speaks SQL, and only `printer` prints.
//!
//! The pipeline's own program is linked in: the hidden `covidctl etl …` is the same entry as the binary `etl`, so that one
//! binary is enough on one machine.

pub mod cli;
pub mod commands;
pub mod connect;
pub mod dashboard;
pub mod db;
pub mod local;
pub mod ops;
pub mod printer;
pub mod settings;
pub mod signals;
pub mod tui;

use std::ffi::OsString;
use std::process::ExitCode;
use std::sync::Arc;

use clap::{CommandFactory as _, FromArgMatches as _};
use common::failure::{Context as _, Failure, Result};

use crate::cli::Cli;
use crate::printer::Printer;
use crate::settings::Settings;
use crate::signals::Signals;

/// Parses the command line, runs the command and says how it ended.
pub fn main() -> ExitCode {
    let words: Vec<OsString> = std::env::args_os().collect();
    // Before anything else is loaded: this is the pipeline's own program, started by ourselves.
    if words.get(1).is_some_and(|word| word == "etl") {
        return etl::cli::main(words.into_iter().skip(1));
    }
    let parsed = Cli::command().try_get_matches_from(words).and_then(|matches| {
        let cli = Cli::from_arg_matches(&matches)?;
        Ok((cli, matches))
    });
    let (cli, matches) = match parsed {
        Ok(parsed) => parsed,
        // Help and version are answers, not errors. A reader that went away is nobody to complain to.
        Err(answer) => {
            drop(answer.print());
            return ExitCode::from(u8::try_from(answer.exit_code()).unwrap_or(2));
        }
    };
    let settings = match Settings::resolve(&cli.globals, &matches) {
        Ok(settings) => settings,
        Err(failure) => return ended(&Printer::default(), Err(failure)),
    };
    let printer = Arc::new(Printer::new(&settings));
    let result = run(&cli, &settings, &printer).and_then(|()| printer.finish());
    ended(&printer, result)
}

fn run(cli: &Cli, settings: &Settings, printer: &Arc<Printer>) -> Result<()> {
    // One thread is enough. The screens draw on this one and let others do the rest; a tunnel must not stand still because
    // a terminal does, and one thread moves its bytes faster than two that hand them to each other.
    let mut runtime = match &cli.command {
        None | Some(cli::Command::Demo(_)) => tokio::runtime::Builder::new_multi_thread(),
        Some(cli::Command::Tunnel(_)) => {
            let mut runtime = tokio::runtime::Builder::new_multi_thread();
            runtime.worker_threads(1);
            runtime
        }
        _ => tokio::runtime::Builder::new_current_thread(),
    };
    let runtime =
        runtime.enable_all().build().context(|| "cannot start the asynchronous runtime".to_owned())?;
    let result = runtime.block_on(async {
        // The command is asked first, so that one which handles the signal itself (`run` detaches) has its say. Any other
        // is dropped, and its guards stop what it started.
        let mut signals = Signals::listen()?;
        tokio::select! {
            biased;
            result = commands::dispatch(cli.command.as_ref(), settings, printer) => result,
            failure = signals.next(), if !cli.command.as_ref().is_some_and(cli::Command::handles_signals) => Err(failure),
        }
    });
    // Whoever leaves the screens does not wait for an answer that hangs.
    if cli.command.is_none() {
        runtime.shutdown_background();
    }
    result
}

fn ended(printer: &Printer, result: Result<(), Failure>) -> ExitCode {
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            printer.failure(&failure);
            ExitCode::from(failure.exit().code())
        }
    }
}
