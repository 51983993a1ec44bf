//! Static checks: formatting, lints, documentation, licences.

use std::process::Stdio;

use crate::{output, process};
use common::failure::{Failure, Result};

/// `cargo xtask check`.
pub(crate) fn all() -> Result<()> {
    code()?;
    documentation()?;
    dependencies()
}

pub(crate) fn code() -> Result<()> {
    output::note("formatting");
    process::run(&mut process::cargo(["fmt", "--all", "--check"]))
        .map_err(|failure| failure.hint("run `cargo fmt --all`"))?;
    output::note("lints");
    process::run(&mut process::cargo([
        "clippy",
        "--workspace",
        "--all-targets",
        "--all-features",
        "--",
        "--deny",
        "warnings",
    ]))
}

/// Builds the documentation; broken links are errors.
pub(crate) fn documentation() -> Result<()> {
    output::note("documentation");
    process::run(
        process::cargo(["doc", "--workspace", "--all-features", "--no-deps"])
            .env("RUSTDOCFLAGS", "--deny warnings"),
    )
}

/// Checks licences and sources of the dependencies if cargo-deny is installed. Advisories are left to CI: they need the network.
pub(crate) fn dependencies() -> Result<()> {
    let installed =
        process::cargo(["deny", "--version"]).stdout(Stdio::null()).stderr(Stdio::null()).status();
    if !installed.is_ok_and(|status| status.success()) {
        output::note("licences skipped: cargo-deny is not installed");
        return Ok(());
    }
    output::note("licences");
    process::run(&mut process::cargo(["deny", "--offline", "check", "bans", "licenses", "sources"]))
        .map_err(|failure: Failure| failure.hint("allowed licences and sources are in deny.toml"))
}
