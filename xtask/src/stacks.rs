//! `cargo xtask stacks`: every stack is created and deleted, in order, in an emulator of AWS on this machine.
//!
//! The story is told by `xtask/stacks/conform.py`, because the emulator is a Python library. It says which parts of the templates the
//! emulator lacks; docs/concepts/stacks.md says the same. Beside it, `actions.py` checks that nothing is granted that nothing uses, and
//! `draw.py` draws the picture.

use std::path::PathBuf;
use std::process::Command;

use crate::failure::Result;
use crate::{process, say, tools};

/// The emulator, pinned: it changes often, and the tests know its gaps.
const REQUIREMENTS: &str = include_str!("../stacks/requirements.txt");

/// Tells the story.
pub(crate) fn conform() -> Result<()> {
    say::note("stacks");
    python("conform.py")
}

/// Draws the picture.
pub(crate) fn draw() -> Result<()> {
    python("draw.py")
}

/// The Python of the environment that has the emulator; its server's program stands beside it.
pub(crate) fn emulator() -> Result<PathBuf> {
    tools::python(&tools::folder("moto")?, "moto, an emulator of AWS", REQUIREMENTS)
        .map_err(|failure| failure.hint("Python 3 with venv and a way to PyPI are needed once"))
}

fn python(script: &str) -> Result<()> {
    let python = emulator()?;
    let script = process::workspace().join("xtask/stacks").join(script);
    process::run(Command::new(python).arg("-B").arg(script))
}
