//! The operator's terminal of the pipeline.
//!
//! `cli` defines the command line, `settings` merges it with environment and file, `commands` acts; what commands and screens share is in
//! `ops`. `connect` opens a target, of which commands use the capabilities. Only `db` speaks SQL, only `printer` prints.
//!
//! The pipeline is linked in: the hidden `covidctl etl …` is the entry point of the program `etl`, so that one binary is enough on one
//! machine.

pub mod build_info;
pub mod cli;
pub mod commands;
pub mod connect;
pub mod dashboard;
pub mod db;
pub mod local;
pub mod notify;
pub mod ops;
pub mod printer;
pub mod settings;
pub mod signals;
pub mod tui;

use std::ffi::OsString;
use std::io::Write as _;
use std::process::ExitCode;
use std::sync::Arc;

use clap::{CommandFactory as _, FromArgMatches as _};
use common::ascii;
use common::failure::{Context as _, Failure, Result};

use crate::cli::Cli;
use crate::printer::Printer;
use crate::settings::Settings;
use crate::signals::Signals;

/// Parses the command line, runs the command and returns its exit code.
pub fn main() -> ExitCode {
    let words: Vec<OsString> = std::env::args_os().collect();
    // The local target starts its jobs this way.
    if words.get(1).is_some_and(|word| word == "etl") {
        return etl::cli::main(words.into_iter().skip(1));
    }
    let parsed = Cli::command().try_get_matches_from(words).and_then(|matches| {
        let cli = Cli::from_arg_matches(&matches)?;
        Ok((cli, matches))
    });
    let (cli, matches) = match parsed {
        Ok(parsed) => parsed,
        // Help and version are no errors; neither is a closed pipe.
        Err(answer) => {
            print_answer(&answer);
            return ExitCode::from(u8::try_from(answer.exit_code()).unwrap_or(2));
        }
    };
    let settings = match Settings::resolve(&cli.globals, &matches) {
        Ok(settings) => settings,
        Err(failure) => return exit_code(&Printer::default(), Err(failure)),
    };
    let printer = Arc::new(Printer::new(&settings));
    let result = run(&cli, &settings, &printer).and_then(|()| printer.finish());
    exit_code(&printer, result)
}

/// Prints help, version or a usage error; an error of the output cannot be reported.
fn print_answer(answer: &clap::Error) {
    if !ascii::is_locale() {
        return drop(answer.print());
    }
    let text = answer.render().to_string();
    let text = ascii::in_locale(&text);
    drop(if answer.use_stderr() {
        std::io::stderr().write_all(text.as_bytes())
    } else {
        std::io::stdout().write_all(text.as_bytes())
    });
}

fn run(cli: &Cli, settings: &Settings, printer: &Arc<Printer>) -> Result<()> {
    // One thread is enough for most commands. The screens draw on the main thread and work on others; a tunnel must not stop because a
    // terminal blocks, and moves bytes faster on one worker than on two.
    let mut runtime = match &cli.command {
        None | Some(cli::Command::Demo { .. }) => tokio::runtime::Builder::new_multi_thread(),
        Some(cli::Command::Tunnel(_)) => {
            let mut runtime = tokio::runtime::Builder::new_multi_thread();
            runtime.worker_threads(1);
            runtime
        }
        _ => tokio::runtime::Builder::new_current_thread(),
    };
    let runtime = runtime.enable_all().build().context(|| "cannot start the async runtime")?;
    let result = runtime.block_on(async {
        // The command is polled first, so that it can handle the signal itself (`run` detaches). Otherwise it is dropped, and its guards
        // stop what it started.
        let mut signals = Signals::listen()?;
        tokio::select! {
            biased;
            result = commands::dispatch(cli.command.as_ref(), settings, printer) => result,
            failure = signals.next(), if !cli.command.as_ref().is_some_and(cli::Command::handles_signals) => Err(failure),
        }
    });
    // Closing the screens does not wait for requests in flight.
    if cli.command.is_none() {
        runtime.shutdown_background();
    }
    result
}

fn exit_code(printer: &Printer, result: Result<(), Failure>) -> ExitCode {
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            printer.failure(&failure);
            ExitCode::from(failure.exit().code())
        }
    }
}
