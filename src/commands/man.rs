//! `covidctl man`: the main page, or a page for each command in a directory.

use std::path::Path;

use clap::CommandFactory as _;
use common::failure::{Context as _, Result};

use crate::cli::Cli;
use crate::printer::Printer;

pub(super) fn run(folder: Option<&Path>, printer: &Printer) -> Result<()> {
    let Some(folder) = folder else {
        let mut page = Vec::new();
        clap_mangen::Man::new(Cli::command())
            .render(&mut page)
            .context(|| "cannot render the manual page".to_owned())?;
        printer.bytes(&page);
        return Ok(());
    };
    std::fs::create_dir_all(folder)
        .and_then(|()| clap_mangen::generate_to(Cli::command(), folder))
        .context(|| format!("cannot write the manual pages to `{}`", folder.display()))
}
