//! `cargo xtask pictures`: the screens as pictures for the documents, drawn by the program's own views, and the page
//! of keys, from its own table.

use crate::{output, process};
use common::failure::Result;

/// Where the documents look for them.
const FOLDER: &str = "docs/pictures";

/// Where the page of keys is.
const PAGES: &str = "docs/reference";

/// Draws them anew.
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
