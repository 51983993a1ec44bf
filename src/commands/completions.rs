//! `covidctl completions`

use clap::CommandFactory as _;
use clap_complete::Shell;
use common::failure::Result;

use crate::cli::Cli;
use crate::printer::Printer;

#[expect(clippy::unnecessary_wraps, reason = "all commands have the same shape")]
pub(super) fn run(shell: Shell, printer: &Printer) -> Result<()> {
    let mut script = Vec::new();
    clap_complete::generate(shell, &mut Cli::command(), "covidctl", &mut script);
    printer.bytes(&script);
    Ok(())
}
