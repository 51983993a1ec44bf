//! `covidctl` without a command: the screens.

use std::io::IsTerminal as _;
use std::sync::Arc;

use common::failure::{Failure, Result};

use crate::connect;
use crate::printer::Printer;
use crate::settings::{Format, Settings};
use crate::tui::{self, ExitSummary};

pub(super) async fn run(settings: &Settings, printer: &Printer) -> Result<()> {
    if printer.format() != Format::Text {
        return Err(Failure::usage("the screens have no JSON output")
            .hint("run a command, such as `covidctl status -o json`"));
    }
    if !is_possible() {
        let terminal = if is_dumb() {
            "a terminal that can move the cursor (TERM is not set, or `dumb`)"
        } else {
            "a terminal"
        };
        return Err(Failure::usage(format!("the screens need {terminal}"))
            .hint("run a command; `covidctl --help` lists them"));
    }
    // The terminal belongs to the screens: events of tunnels are not printed.
    let target = connect::target(settings, Arc::new(|_| {}))?;
    let exit = tui::run(settings, target, |_| None).await?;
    report_exit(exit, printer);
    Ok(())
}

/// Returns whether standard input and output are terminals that the screens can be drawn on.
pub(super) fn is_possible() -> bool {
    std::io::stdin().is_terminal() && std::io::stdout().is_terminal() && !is_dumb()
}

/// Returns whether the terminal says that it has no escape sequences, or nothing about itself.
fn is_dumb() -> bool {
    std::env::var_os("TERM").is_none_or(|term| term.is_empty() || term == "dumb")
}

/// Prints the runs that go on, and the error if there was one.
pub(super) fn report_exit(exit: ExitSummary, printer: &Printer) {
    for active in exit.runs {
        let (kind, run) = (active.kind, active.run);
        printer.note(&format!(
            "{kind} goes on: {run}    (covidctl logs --run {run} --follow; covidctl stop {run})"
        ));
    }
    if let Some(failure) = exit.failure {
        printer.failure(&failure);
    }
}
