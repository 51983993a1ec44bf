//! The checks that read the code and do not run it: formatting, lints, documentation, licences.

use std::process::Stdio;

use crate::{process, say};
use common::failure::{Failure, Result};

/// Everything except the tests: `cargo xtask check`.
pub(crate) fn all() -> Result<()> {
    code()?;
    documentation()?;
    dependencies()
}

/// Formatting and lints.
pub(crate) fn code() -> Result<()> {
    say::note("formatting");
    process::run(&mut process::cargo(["fmt", "--all", "--check"]))
        .map_err(|failure| failure.hint("run `cargo fmt --all`"))?;
    say::note("lints");
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

/// Every page of the documentation builds, and every link in it leads somewhere.
pub(crate) fn documentation() -> Result<()> {
    say::note("documentation");
    process::run(
        process::cargo(["doc", "--workspace", "--all-features", "--no-deps"])
            .env("RUSTDOCFLAGS", "--deny warnings"),
    )
}

/// Licences and sources of the dependencies, where cargo-deny is installed. Advisories need the network and change
/// without us, so they are no part of a test.
pub(crate) fn dependencies() -> Result<()> {
    let installed =
        process::cargo(["deny", "--version"]).stdout(Stdio::null()).stderr(Stdio::null()).status();
    if !installed.is_ok_and(|status| status.success()) {
        say::note("licences skipped: cargo-deny is not installed");
        return Ok(());
    }
    say::note("licences");
    process::run(&mut process::cargo(["deny", "--offline", "check", "bans", "licenses", "sources"]))
        .map_err(|failure: Failure| failure.hint("deny.toml lists what is allowed, and why"))
}
