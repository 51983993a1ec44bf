//! `cargo xtask stacks`: every stack is created and deleted, in order, in an emulator of AWS on this machine.
//!
//! The story is told by `xtask/stacks/conform.py`, because the emulator is a Python library. It says which parts of the templates the
//! emulator lacks; docs/concepts/stacks.md says the same. Beside it, `actions.py` checks that nothing is granted that nothing uses,
//! `draw.py` draws the picture, and `adapt.py` writes the templates as the emulators take them, for the tests of `covidctl up`.

use std::path::{Path, PathBuf};
use std::process::Command;

use crate::{output, process, tools};
use common::failure::Result;

/// The emulator, pinned: it changes often, and the tests know its gaps.
const REQUIREMENTS: &str = include_str!("../stacks/requirements.txt");

/// The other emulator, which lives a stack's life.
const MINISTACK: &str = include_str!("../stacks/ministack.txt");

/// Tells the story.
pub(crate) fn conform() -> Result<()> {
    output::note("stacks");
    python("conform.py")
}

/// Draws the picture.
pub(crate) fn draw() -> Result<()> {
    python("draw.py")
}

/// The Python of the environment that has the emulator.
pub(crate) fn emulator() -> Result<PathBuf> {
    tools::python(&tools::folder("moto")?, "moto, an emulator of AWS", REQUIREMENTS)
        .map_err(|failure| failure.hint("Python 3 with venv and a way to PyPI are needed once"))
}

/// The Python of the environment that has the other emulator.
pub(crate) fn ministack() -> Result<PathBuf> {
    tools::python(&tools::folder("ministack")?, "ministack, another emulator of AWS", MINISTACK)
        .map_err(|failure| failure.hint("Python 3 with venv and a way to PyPI are needed once"))
}

/// Writes the templates as each emulator takes them, and says what was left out: the folder that holds both.
pub(crate) fn adapted() -> Result<PathBuf> {
    let folder = tools::folder("stacks")?;
    for (emulator, python) in [("moto", emulator()?), ("ministack", ministack()?)] {
        process::run(script(&python, "adapt.py").arg(emulator).arg(folder.join(emulator)))?;
    }
    Ok(folder)
}

fn python(name: &str) -> Result<()> {
    process::run(&mut script(&emulator()?, name))
}

fn script(python: &Path, name: &str) -> Command {
    let mut command = Command::new(python);
    command.arg("-B").arg(process::workspace().join("xtask/stacks").join(name));
    command
}
