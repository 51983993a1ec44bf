//! `covidctl man`: the main page, or one page per command into a folder.

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
            .context(|| "cannot write the page".to_owned())?;
        printer.bytes(&page);
        return Ok(());
    };
    std::fs::create_dir_all(folder)
        .and_then(|()| clap_mangen::generate_to(Cli::command(), folder))
        .context(|| format!("cannot write the pages into `{}`", folder.display()))
}
