//! The folder of the local target: what stands where in it, and the two locks.
//!
//! Only `pg/` belongs to the user that runs PostgreSQL. Everything else belongs to whoever runs this program, so that the
//! server's user cannot make us follow a link of its choice. A folder that holds something else is never taken over, and
//! deleting removes what is listed here and nothing more.

use std::fs::{DirBuilder, File, Metadata, Permissions, TryLockError};
use std::os::unix::fs::{DirBuilderExt as _, MetadataExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use common::atomic_file;
use common::failure::{Context as _, Failure, Result};
use etl::store::RUNS;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

/// How often a lock that somebody else holds is asked for again.
const LOCK_PACE: Duration = Duration::from_millis(20);

/// After which time somebody who holds a lock is named instead of waited for.
const LOCK_PATIENCE: Duration = Duration::from_mins(3);

/// The folder of a local target.
#[derive(Debug, Clone)]
pub(super) struct Folders {
    root: PathBuf,
}

/// What is remembered between two calls. Its file also marks the folder as ours.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Memory {
    /// The version of this layout.
    layout: u32,
    /// The port of PostgreSQL when it last ran; taken again where it is free.
    pub port: Option<u16>,
    /// Whether somebody said `up`, so that PostgreSQL stays when the last one who uses it leaves.
    pub keep: bool,
    /// The sample that stands in the store: its rows and the size of each file.
    #[serde(default)]
    pub sample: Option<Sample>,
}

/// A sample that was made by `demo`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Sample {
    /// The rows that were asked for.
    pub rows: u64,
    /// Each file's name and size, by which a dataset that somebody put there instead is recognised.
    pub files: Vec<(String, u64)>,
}

impl Default for Memory {
    fn default() -> Self {
        Self { layout: 1, port: None, keep: false, sample: None }
    }
}

impl Folders {
    pub(super) fn new(root: &Path) -> Self {
        // The same folder must always have the same name, whichever link led to it and whether it exists yet or not:
        // processes are recognised by it.
        let real = |ancestor: &Path| {
            let rest = root.strip_prefix(ancestor).ok()?;
            Some(ancestor.canonicalize().ok()?.join(rest))
        };
        let root = root.ancestors().find_map(real).unwrap_or_else(|| root.to_owned());
        // Joining an empty rest leaves a slash at the end.
        Self { root: root.components().collect() }
    }

    pub(super) fn root(&self) -> &Path {
        &self.root
    }

    pub(super) fn store(&self) -> PathBuf {
        self.root.join("store")
    }

    /// PostgreSQL's folder, and the only one that its user owns.
    pub(super) fn postgres(&self) -> PathBuf {
        self.root.join("pg")
    }

    /// A PostgreSQL that was fetched because none was installed.
    pub(super) fn fetched(&self) -> PathBuf {
        self.root.join("postgresql")
    }

    /// The superuser's password, in libpq's format.
    pub(super) fn password_file(&self) -> PathBuf {
        self.root.join("pgpass")
    }

    pub(super) fn server_log(&self) -> PathBuf {
        self.root.join("logs/postgresql.log")
    }

    pub(super) fn logs(&self) -> PathBuf {
        self.root.join("logs")
    }

    pub(super) fn run_log(&self, run: Uuid) -> PathBuf {
        self.log_file(&run.to_string())
    }

    pub(super) fn log_file(&self, run: &str) -> PathBuf {
        self.logs().join(format!("{run}.jsonl"))
    }

    /// What is known of a run beside its log.
    pub(super) fn log_note(&self, run: &str) -> PathBuf {
        self.logs().join(format!("{run}.json"))
    }

    /// The pipeline's own record of a run.
    pub(super) fn run_record(&self, run: &str) -> PathBuf {
        self.store().join(format!("{RUNS}/{run}.json"))
    }

    pub(super) fn processes(&self) -> PathBuf {
        self.root.join("processes")
    }

    /// Where a sample is made, before it is moved into the store.
    pub(super) fn partial_sample(&self) -> PathBuf {
        self.root.join("sample.partial")
    }

    fn memory_file(&self) -> PathBuf {
        self.root.join("covidctl.json")
    }

    /// Whether `up` was here.
    pub(super) fn exist(&self) -> bool {
        self.memory_file().is_file()
    }

    /// Creates what is missing. Called under [`Self::lock`].
    pub(super) fn create(&self) -> Result<()> {
        // First of all, so that a folder that was left half made is known as ours.
        if !self.exist() {
            self.remember(&Memory::default())?;
        }
        for (folder, mode) in
            [("store/reports", 0o755), ("store/runs", 0o755), ("logs", 0o700), ("processes", 0o700)]
        {
            create_folder(&self.root.join(folder), mode)?;
        }
        Ok(())
    }

    /// Refuses a folder in which something else stands.
    fn check_ours(&self) -> Result<()> {
        let Ok(mut entries) = std::fs::read_dir(&self.root) else { return Ok(()) };
        // A first `up` that was killed at once leaves the lock, perhaps with a file that has no name yet.
        let ours = |name: std::ffi::OsString| name == "lock" || name.as_encoded_bytes().starts_with(b".tmp");
        let foreign = entries.any(|entry| entry.is_ok_and(|entry| !ours(entry.file_name())));
        if self.exist() || !foreign {
            return Ok(());
        }
        Err(Failure::usage(format!("`{}` holds something that is not covidctl's", self.root.display()))
            .hint("name an empty or new folder: --data-dir FOLDER"))
    }

    pub(super) fn memory(&self) -> Result<Memory> {
        let file = self.memory_file();
        let text = match std::fs::read(&file) {
            Ok(text) => text,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(Memory::default()),
            Err(error) => return Err(cannot_read(&file, error)),
        };
        let memory: Memory = serde_json::from_slice(&text).map_err(|error| cannot_read(&file, error))?;
        if memory.layout == Memory::default().layout {
            return Ok(memory);
        }
        Err(Failure::new(format!("`{}` was made by a newer covidctl", self.root.display()))
            .hint("use that version, or another --data-dir"))
    }

    pub(super) fn remember(&self, memory: &Memory) -> Result<()> {
        let json = serde_json::to_vec_pretty(memory).context(|| "cannot write JSON".to_owned())?;
        write_whole(&self.memory_file(), &json)
    }

    /// Only one at a time may start, stop or create something.
    pub(super) async fn lock(&self) -> Result<File> {
        self.check_ours()?;
        create_folder(&self.root, 0o755)?;
        let mut waited = Duration::ZERO;
        loop {
            if let Some(lock) = self.try_lock()? {
                return Ok(lock);
            }
            if waited >= LOCK_PATIENCE {
                return Err(self.held());
            }
            tokio::time::sleep(LOCK_PACE).await;
            waited += LOCK_PACE;
        }
    }

    /// The same for a guard's `drop`, which cannot be asynchronous.
    pub(super) fn lock_blocking(&self) -> Result<File> {
        let start = Instant::now();
        loop {
            if let Some(lock) = self.try_lock()? {
                return Ok(lock);
            }
            if start.elapsed() >= LOCK_PATIENCE {
                return Err(self.held());
            }
            std::thread::sleep(LOCK_PACE);
        }
    }

    fn held(&self) -> Failure {
        Failure::new(format!("another covidctl is still at work in `{}`", self.root.display()))
            .hint("wait for it, or stop it; the file `lock` itself need not be removed")
    }

    fn try_lock(&self) -> Result<Option<File>> {
        let path = self.root.join("lock");
        let file = open(&path)?;
        match file.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => return Ok(None),
            Err(TryLockError::Error(error)) => return Err(cannot_read(&path, error)),
        }
        // Whoever held it may have deleted the folder meanwhile; the lock of a deleted file protects nothing.
        let inode = |metadata: std::io::Result<Metadata>| metadata.map(|metadata| metadata.ino()).ok();
        Ok((inode(file.metadata()) == inode(path.metadata())).then_some(file))
    }

    /// Held, shared, by whoever needs PostgreSQL to stay. Taken and given back under [`Self::lock`].
    pub(super) fn users(&self) -> Result<File> {
        let file = open(&self.root.join("users"))?;
        file.lock_shared().context(|| format!("cannot lock `{}`", self.root.join("users").display()))?;
        Ok(file)
    }

    /// Whether nobody else holds what [`Self::users`] gave.
    pub(super) fn no_users(&self) -> Result<bool> {
        Ok(open(&self.root.join("users"))?.try_lock().is_ok())
    }

    /// Deletes everything that [`Self::create`] and its callers made, and the folder itself where nothing else is in it.
    pub(super) fn delete(&self) -> Result<()> {
        for folder in [
            "store",
            "pg",
            "pg.partial",
            "postgresql",
            "postgresql.partial",
            "sample.partial",
            "logs",
            "processes",
        ] {
            gone(&self.root.join(folder), std::fs::remove_dir_all(self.root.join(folder)))?;
        }
        for file in ["pgpass", "covidctl.json", "users", "lock"] {
            gone(&self.root.join(file), std::fs::remove_file(self.root.join(file)))?;
        }
        // Something that is not ours, or another covidctl that waits for the lock: the folder stays.
        drop(std::fs::remove_dir(&self.root));
        Ok(())
    }
}

/// Creates a folder and its parents; the mode holds whatever the umask says.
pub(super) fn create_folder(folder: &Path, mode: u32) -> Result<()> {
    if folder.is_dir() {
        return Ok(());
    }
    let created = match folder.parent() {
        Some(parent) => create_folder(parent, 0o755),
        None => Ok(()),
    };
    created?;
    match DirBuilder::new().mode(mode).create(folder) {
        Err(error) if error.kind() != std::io::ErrorKind::AlreadyExists => Err(error),
        _ => std::fs::set_permissions(folder, Permissions::from_mode(mode)),
    }
    .context(|| format!("cannot create the folder `{}`", folder.display()))
    .map_err(|failure| failure.hint("name a folder that you may write to: --data-dir FOLDER"))
}

/// Writes a file that only its owner can read, whole or not at all.
pub(super) fn write_whole(file: &Path, content: &[u8]) -> Result<()> {
    atomic_file::write(file, content).context(|| format!("cannot write `{}`", file.display()))
}

fn open(file: &Path) -> Result<File> {
    File::options()
        .create(true)
        .truncate(false)
        .write(true)
        .open(file)
        .context(|| format!("cannot open `{}`", file.display()))
        .map_err(|failure| failure.hint("name a folder that you may write to: --data-dir FOLDER"))
}

fn gone(path: &Path, removed: std::io::Result<()>) -> Result<()> {
    match removed {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
            Err(Failure::new(format!("cannot delete `{}`", path.display())).source(error))
        }
        _ => Ok(()),
    }
}

pub(super) fn cannot_read(
    file: &Path,
    error: impl Into<Box<dyn std::error::Error + Send + Sync>>,
) -> Failure {
    Failure::new(format!("cannot read `{}`", file.display())).source(error)
}
