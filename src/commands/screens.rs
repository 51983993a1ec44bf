//! `covidctl` without a command: the screens, on the current target.

use std::io::IsTerminal as _;

use common::failure::{Failure, Result};

use crate::backend;
use crate::cli::Format;
use crate::printer::Printer;
use crate::settings::Settings;
use crate::tui::{self, ExitSummary};

pub(super) async fn run(settings: &Settings, printer: &Printer) -> Result<()> {
    if printer.format() != Format::Text {
        return Err(Failure::usage("the screens have no output as data")
            .hint("name a command, such as `covidctl status -o json`"));
    }
    if !is_possible() {
        return Err(Failure::usage("there is no terminal to show the screens on")
            .hint("name a command; `covidctl --help` lists them"));
    }
    let backend = backend::connect(settings)?;
    let left = tui::run(settings, backend, |_| None).await?;
    say_farewell(left, printer);
    Ok(())
}

/// Whether there is somebody to look and to type.
pub(super) fn is_possible() -> bool {
    std::io::stdin().is_terminal() && std::io::stdout().is_terminal()
}

/// Names what goes on without us.
pub(super) fn say_farewell(left: ExitSummary, printer: &Printer) {
    for active in left.runs {
        let (kind, run) = (active.kind, active.run);
        printer.say(&format!(
            "{kind} goes on: {run}    (covidctl logs --run {run} --follow; covidctl stop {run})"
        ));
    }
    if let Some(failure) = left.failure {
        printer.failure(&failure);
    }
}
