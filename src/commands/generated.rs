//! What is generated from the definition of the command line: shell completions and manual pages.

use std::path::Path;

use clap::CommandFactory as _;
use clap_complete::Shell;
use common::failure::{Context as _, Result};

use crate::cli::Cli;
use crate::printer::Printer;

pub(super) fn completions(shell: Shell, printer: &Printer) {
    let mut script = Vec::new();
    clap_complete::generate(shell, &mut Cli::command(), "covidctl", &mut script);
    printer.bytes(&script);
}

/// Prints the main page, or writes a page for each command to a directory.
pub(super) fn man(folder: Option<&Path>, printer: &Printer) -> Result<()> {
    let Some(folder) = folder else {
        let mut page = Vec::new();
        let rendered = clap_mangen::Man::new(Cli::command()).render(&mut page);
        rendered.context(|| "cannot render the manual page")?;
        printer.bytes(&page);
        return Ok(());
    };
    std::fs::create_dir_all(folder)
        .and_then(|()| clap_mangen::generate_to(Cli::command(), folder))
        .context(|| format!("cannot write the manual pages to `{}`", folder.display()))
}
