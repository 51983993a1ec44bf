//! `cargo xtask model`: runs the concurrent parts of the tunnel under shuttle, a model checker, in a target folder of their own.

use crate::process;
use common::failure::Result;

pub(crate) fn run() -> Result<()> {
    let mut command = process::cargo("test --package tunnel --lib model_tests");
    let target = process::target()?.join("shuttle");
    process::run(command.env("RUSTFLAGS", "--cfg shuttle").env("CARGO_TARGET_DIR", target))
}
