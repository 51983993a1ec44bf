//! `cargo xtask pictures`: draws the screens and the page of keys for the documentation.

use crate::{output, process};
use common::failure::Result;

const FOLDER: &str = "docs/pictures";

const PAGES: &str = "docs/reference";

pub(crate) fn draw() -> Result<()> {
    process::run(&mut process::cargo([
        "run",
        "--package",
        "covidctl",
        "--example",
        "pictures",
        "--",
        FOLDER,
        PAGES,
    ]))?;
    output::note(&format!("the pictures are in {FOLDER}, the keys in {PAGES}"));
    Ok(())
}
