//! `cargo xtask stacks`: every stack is created, updated and deleted, in order, in an emulator of AWS on this machine.
//!
//! The story is told by `xtask/stacks/conform.py`, because the emulator is a Python library. It says which parts of the templates the
//! emulator lacks; docs/concepts/stacks.md says the same.

use std::process::Command;

use crate::failure::Result;
use crate::{process, say, tools};

/// The emulator, pinned.
const REQUIREMENTS: &str = include_str!("../stacks/requirements.txt");

/// Tells the story.
pub(crate) fn conform() -> Result<()> {
    let python = tools::python(&tools::folder("stacks")?, "moto, an emulator of AWS", REQUIREMENTS)
        .map_err(|failure| failure.hint("Python 3 with venv and a way to PyPI are needed once"))?;
    say::note("stacks");
    process::run(Command::new(python).arg("xtask/stacks/conform.py").current_dir(process::workspace()))
}
