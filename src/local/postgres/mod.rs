//! The private PostgreSQL of the local target.
//!
//! It listens on 127.0.0.1 alone, on a free port, with a password in a file that only its owner can read. A crashed server is recovered
//! when it is next needed. Everything is synchronous, so that guards can use it in `drop`. Callers hold the lock of the layout.

pub(super) mod cluster;
mod fetch;
mod programs;
mod server;
mod server_user;

use std::path::PathBuf;
use std::time::Instant;

use common::failure::{Exit, Failure, Result};
use nix::sys::signal::Signal;
use target::Progress;

use self::programs::{Programs, Search};
pub(super) use self::server::ServerState;
use self::server::{EXIT_TIMEOUT, POLL_INTERVAL, START_STOP_TIMEOUT};
use self::server_user::ServerUser;
use super::layout::Layout;

#[derive(Debug, Clone)]
pub(super) struct Postgres {
    layout: Layout,
    /// The configured folder of programs.
    pg_bin: Option<PathBuf>,
    server_user: ServerUser,
}

impl Postgres {
    pub(super) fn new(layout: Layout, pg_bin: Option<PathBuf>) -> Self {
        Self { layout, pg_bin, server_user: ServerUser::current() }
    }

    /// Returns the state of the server without changing it.
    pub(super) fn state(&self) -> Result<ServerState> {
        server::state_of(&self.layout.cluster, self.server_user.uid)
    }

    /// Returns the major version of the cluster, if it exists.
    pub(super) fn version(&self) -> Option<u32> {
        std::fs::read_to_string(self.layout.cluster.join("PG_VERSION")).ok()?.trim().parse().ok()
    }

    /// Returns the folder of the programs that would run, if suitable ones are installed.
    pub(super) fn programs_folder(&self) -> Option<PathBuf> {
        let search = self.search();
        let found = programs::find(self.pg_bin.as_deref(), &search, self.version());
        found.ok().flatten().map(|programs| programs.folder)
    }

    /// Checks that the server's user can enter the target's folder.
    pub(super) fn check_access(&self) -> Result<()> {
        self.server_user.check_access(&self.layout.root)
    }

    /// Starts the server unless it runs; returns whether it was started.
    pub(super) fn ensure_running(&self, progress: &dyn Progress) -> Result<bool> {
        match self.stable_state()? {
            ServerState::Ready { .. } => return Ok(false),
            ServerState::Crashed => progress.step("recovering PostgreSQL, which was not shut down properly"),
            ServerState::Foreign => return Err(server::foreign(&self.layout.cluster)),
            ServerState::Stopped | ServerState::Busy(_) => {}
        }
        let programs = self.programs(progress)?;
        self.server_user.check_access(&programs.folder)?;
        if self.version().is_none() {
            progress.step(&format!("creating a PostgreSQL {} cluster", programs.major));
            cluster::create(&self.layout, &programs, &self.server_user)?;
        }
        progress.step("starting PostgreSQL");
        let preferred = self.layout.load_state()?.port;
        let port = server::start(&self.layout, &programs, &self.server_user, preferred)?;
        self.layout.update_state(|state| state.port = Some(port))?;
        Ok(true)
    }

    /// Stops the server if it runs.
    pub(super) fn stop(&self) -> Result<()> {
        let process = match self.state()? {
            ServerState::Busy(process) | ServerState::Ready { process, .. } => process,
            ServerState::Stopped | ServerState::Crashed => return Ok(()),
            ServerState::Foreign => return Err(server::foreign(&self.layout.cluster)),
        };
        // Fast shutdown: disconnects the clients and writes a checkpoint, so that the next start needs no recovery.
        process.signal(Signal::SIGINT);
        if process.wait_ended(START_STOP_TIMEOUT) {
            return Ok(());
        }
        Err(Failure::new(format!("PostgreSQL (process {}) does not stop", process.pid))
            .hint(format!("read `{}`", self.layout.server_log.display())))
    }

    /// Returns the state once the server is neither starting nor stopping.
    fn stable_state(&self) -> Result<ServerState> {
        let start = Instant::now();
        loop {
            let state = self.state()?;
            let patience = match state {
                ServerState::Busy(_) => START_STOP_TIMEOUT,
                // The processes of a killed server exit on their own.
                ServerState::Foreign => EXIT_TIMEOUT,
                _ => return Ok(state),
            };
            if start.elapsed() >= patience {
                if state == ServerState::Foreign {
                    return Ok(state);
                }
                return Err(Failure::new("PostgreSQL is still starting or stopping")
                    .hint(format!("read `{}`", self.layout.server_log.display()))
                    .exit_code(Exit::NotStarted));
            }
            std::thread::sleep(POLL_INTERVAL);
        }
    }

    fn search(&self) -> Search {
        Search { fetched: self.layout.fetched.clone(), server_user: self.server_user.clone() }
    }

    fn programs(&self, progress: &dyn Progress) -> Result<Programs> {
        let (search, version) = (self.search(), self.version());
        if let Some(programs) = programs::find(self.pg_bin.as_deref(), &search, version)? {
            return Ok(programs);
        }
        let programs = match search.in_fetched(&search.fetched) {
            Some(programs) => programs,
            None => fetch::fetch(&search, progress)?,
        };
        match version {
            Some(version) if version != programs.major => Err(Failure::new(format!(
                "the data in `{}` need PostgreSQL {version}, which is not installed",
                self.layout.root.display()
            ))
            .hint(format!("install PostgreSQL {version}, or use another --data-dir"))
            .exit_code(Exit::NotStarted)),
            _ => Ok(programs),
        }
    }
}
