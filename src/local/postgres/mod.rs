//! The private PostgreSQL of the local target.
//!
//! It listens on 127.0.0.1 alone, on a free port, and asks for a password that stands in a file which only its owner can
//! read. One that crashed is recovered when it is next needed; one that runs is used. Nothing here waits for anything but
//! processes and files, so everything is synchronous, and guards can use it in `drop`. Callers hold the folder's lock.

pub(super) mod cluster;
mod fetch;
mod identity;
mod postmaster;
mod programs;
mod server;

use std::path::PathBuf;
use std::time::{Duration, Instant};

use common::failure::{Exit, Failure, Result};
use nix::sys::signal::Signal;

use self::identity::Identity;
pub(super) use self::postmaster::Server;
use self::programs::Programs;
use super::files::Folders;
use target::Progress;

/// The superuser's name.
pub(super) const USER: &str = "postgres";

/// How long a server may take to recover from a crash, or to stop. It writes at most a few gigabytes.
const PATIENCE: Duration = Duration::from_mins(10);

/// How often a server that starts is looked at.
const PACE: Duration = Duration::from_millis(10);

/// The private PostgreSQL.
#[derive(Debug, Clone)]
pub(super) struct Postgres {
    folders: Folders,
    named: Option<PathBuf>,
    identity: Identity,
}

impl Postgres {
    pub(super) fn new(folders: Folders, named: Option<PathBuf>) -> Self {
        Self { folders, named, identity: Identity::of_server() }
    }

    /// What the server is doing. Changes nothing.
    pub(super) fn state(&self) -> Result<Server> {
        postmaster::look(&self.cluster(), self.identity.uid())
    }

    /// The major version of the data, where there are any.
    pub(super) fn version(&self) -> Option<u32> {
        cluster::version(&self.cluster())
    }

    /// The folder of the programs that would run, where some fit.
    pub(super) fn programs_folder(&self) -> Option<PathBuf> {
        let found = programs::find(self.named.as_deref(), &self.folders.fetched(), self.version());
        found.ok().flatten().map(|programs| programs.folder)
    }

    /// Checks that the server's user can enter the folder, before anything is created in it.
    pub(super) fn check_reach(&self) -> Result<()> {
        self.identity.check_reach(self.folders.root())
    }

    /// Makes it run, and says whether it had to be started.
    pub(super) fn ensure_running(&self, progress: &dyn Progress) -> Result<bool> {
        match self.settled()? {
            Server::Ready { .. } => return Ok(false),
            Server::Crashed => progress.step("PostgreSQL was not stopped properly; recovering"),
            Server::Stopped | Server::Busy(_) => {}
        }
        let programs = self.programs(progress)?;
        self.identity.check_reach(&programs.folder)?;
        if self.version().is_none() {
            progress.step(&format!("creating a PostgreSQL {} cluster", programs.major));
            cluster::create(&self.folders, &programs, &self.identity)?;
        }
        progress.step("starting PostgreSQL");
        let mut memory = self.folders.memory()?;
        let port = server::start(&self.folders, &programs, &self.identity, memory.port)?;
        if memory.port != Some(port) {
            memory.port = Some(port);
            self.folders.remember(&memory)?;
        }
        Ok(true)
    }

    /// Stops it, and says whether it ran.
    pub(super) fn stop(&self) -> Result<bool> {
        let (Server::Busy(process) | Server::Ready { process, .. }) = self.state()? else { return Ok(false) };
        // Clients are sent away, a checkpoint is written, and the next start needs no recovery.
        process.signal(Signal::SIGINT);
        if process.wait_gone(PATIENCE) {
            return Ok(true);
        }
        Err(Failure::new(format!("PostgreSQL (process {}) does not stop", process.pid))
            .hint(format!("look into `{}`", self.folders.server_log().display())))
    }

    fn cluster(&self) -> PathBuf {
        cluster::folder(&self.folders)
    }

    /// The state once the server is neither starting nor stopping.
    fn settled(&self) -> Result<Server> {
        let start = Instant::now();
        loop {
            let state = self.state()?;
            if !matches!(state, Server::Busy(_)) {
                return Ok(state);
            }
            if start.elapsed() >= PATIENCE {
                return Err(Failure::new("PostgreSQL is neither up nor down")
                    .hint(format!("look into `{}`", self.folders.server_log().display()))
                    .exit_code(Exit::NotStarted));
            }
            std::thread::sleep(PACE);
        }
    }

    fn programs(&self, progress: &dyn Progress) -> Result<Programs> {
        let fetched = self.folders.fetched();
        let version = self.version();
        if let Some(programs) = programs::find(self.named.as_deref(), &fetched, version)? {
            return Ok(programs);
        }
        let programs = match programs::in_fetched(&fetched) {
            Some(programs) => programs,
            None => fetch::fetch(&fetched, progress)?,
        };
        match version {
            Some(version) if version != programs.major => Err(Failure::new(format!(
                "the data in `{}` were made by PostgreSQL {version}, which is not here any more",
                self.folders.root().display()
            ))
            .hint(format!("install PostgreSQL {version}, or name another --data-dir"))
            .exit_code(Exit::NotStarted)),
            _ => Ok(programs),
        }
    }
}
