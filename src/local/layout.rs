//! The folder of the local target: the layout of its files, the persisted state and the two locks.
//!
//! Only `pg/` belongs to the user that runs PostgreSQL; that user cannot plant links elsewhere. A folder with other content is never taken
//! over, and only what is listed here is ever deleted.

use std::fs::{DirBuilder, File, Metadata, Permissions, TryLockError};
use std::os::unix::fs::{DirBuilderExt as _, MetadataExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use common::atomic_file;
use common::failure::{Context as _, Exit, Failure, Result};
use etl::store::RUNS;
use nix::sys::statvfs::statvfs;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

const LOCK_TIMEOUT: Duration = Duration::from_mins(3);
const LOCK_POLL_INTERVAL: Duration = Duration::from_millis(20);

const WRITABLE_HINT: &str = "use a folder that you can write to: --data-dir FOLDER";

/// PostgreSQL's `MAXPGPATH` is 1024 bytes, with the names of files inside the cluster.
const MAX_ROOT_LENGTH: usize = 900;

#[derive(Debug, Clone)]
pub(super) struct Layout {
    pub root: PathBuf,
    pub store: PathBuf,
    pub logs: PathBuf,
    pub server_log: PathBuf,
    /// A file for each run in progress.
    pub processes: PathBuf,
    /// The only folder that PostgreSQL's user owns.
    pub postgres: PathBuf,
    pub cluster: PathBuf,
    /// The private copy of PostgreSQL's programs.
    pub fetched: PathBuf,
    /// The superuser's password, in libpq's format.
    pub password_file: PathBuf,
    /// The password of the role that only reads.
    pub reader_password_file: PathBuf,
    /// The folder in which a sample is written.
    pub partial_sample: PathBuf,
    state_file: PathBuf,
}

/// The state that is kept between two calls, in `covidctl.json`; the file also marks the folder as a target.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct PersistedState {
    layout: u32,
    /// The last port of PostgreSQL, which is preferred.
    pub port: Option<u16>,
    /// Whether `up` was run, so that PostgreSQL keeps running without leases.
    pub keep: bool,
    #[serde(default)]
    pub sample: Option<Sample>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Sample {
    /// The requested number of rows.
    pub rows: u64,
    /// The name and size of each file, which distinguish it from a dataset of the user.
    pub files: Vec<(String, u64)>,
}

impl Default for PersistedState {
    fn default() -> Self {
        Self { layout: 1, port: None, keep: false, sample: None }
    }
}

impl Layout {
    pub(super) fn new(root: &Path) -> Self {
        // Processes are recognized by the path, so it must be the same through every link and before the folder exists.
        let real = |ancestor: &Path| {
            let rest = root.strip_prefix(ancestor).ok()?;
            Some(ancestor.canonicalize().ok()?.join(rest))
        };
        let root = root.ancestors().find_map(real).unwrap_or_else(|| root.to_owned());
        // Removes the trailing slash that joining an empty path adds.
        let root: PathBuf = root.components().collect();
        let logs = root.join("logs");
        Self {
            store: root.join("store"),
            server_log: logs.join("postgresql.log"),
            logs,
            processes: root.join("processes"),
            postgres: root.join("pg"),
            cluster: root.join("pg/cluster"),
            fetched: root.join("postgresql"),
            password_file: root.join("pgpass"),
            reader_password_file: root.join("pgpass-reader"),
            partial_sample: root.join("sample.partial"),
            state_file: root.join("covidctl.json"),
            root,
        }
    }

    pub(super) fn log_file(&self, run: &str) -> PathBuf {
        self.logs.join(format!("{run}.jsonl"))
    }

    pub(super) fn run_metadata(&self, run: &str) -> PathBuf {
        self.logs.join(format!("{run}.json"))
    }

    /// The folder of the pipeline's records of runs.
    pub(super) fn run_records(&self) -> PathBuf {
        self.store.join(RUNS)
    }

    pub(super) fn run_record(&self, run: &str) -> PathBuf {
        self.run_records().join(format!("{run}.json"))
    }

    pub(super) fn exists(&self) -> bool {
        self.state_file.is_file()
    }

    /// Creates the missing folders. The caller holds [`Self::lock`].
    pub(super) fn create(&self) -> Result<()> {
        // First, so that an incomplete folder is recognized.
        if !self.exists() {
            self.update_state(|_| {})?;
        }
        for (folder, mode) in
            [("store/reports", 0o755), ("store/runs", 0o755), ("logs", 0o700), ("processes", 0o700)]
        {
            create_folder(&self.root.join(folder), mode)?;
        }
        Ok(())
    }

    /// Fails if the folder has other content.
    fn check_foreign_content(&self) -> Result<()> {
        let Ok(mut entries) = std::fs::read_dir(&self.root) else { return Ok(()) };
        // A first `up` that was killed leaves the lock and maybe a temporary file.
        let is_own =
            |name: std::ffi::OsString| name == "lock" || name.as_encoded_bytes().starts_with(b".tmp");
        let foreign = entries.any(|entry| entry.is_ok_and(|entry| !is_own(entry.file_name())));
        if self.exists() || !foreign {
            return Ok(());
        }
        Err(Failure::usage(format!("`{}` contains files that are not covidctl's", self.root.display()))
            .hint("use an empty or new folder: --data-dir FOLDER"))
    }

    /// Fails if PostgreSQL cannot use a folder with this name, or if other users can write to it.
    fn check_folder(&self) -> Result<()> {
        let name = self.root.to_str().filter(|name| !name.contains(char::is_control));
        let refused = |reason: &str| {
            Failure::new(format!(
                "`{}` cannot be the data folder: {reason}",
                self.root.to_string_lossy().replace(char::is_control, "\u{fffd}")
            ))
            .hint("use another folder: --data-dir FOLDER")
            .exit_code(Exit::NotStarted)
        };
        match name {
            None => return Err(refused("PostgreSQL takes only names in UTF-8, without line breaks")),
            Some(name) if name.len() > MAX_ROOT_LENGTH => {
                return Err(refused(&format!(
                    "PostgreSQL takes only paths of up to {MAX_ROOT_LENGTH} bytes"
                )));
            }
            Some(_) => {}
        }
        for folder in self.root.ancestors() {
            let Ok(metadata) = folder.metadata() else { continue };
            let (writable, sticky) = (metadata.mode() & 0o002 != 0, metadata.mode() & 0o1000 != 0);
            // In a sticky folder such as /tmp, others cannot rename what is not theirs.
            if writable && (!sticky || folder == self.root) {
                return Err(refused(&format!("every user can write to `{}`", folder.display()))
                    .hint(format!("chmod o-w '{}', or use another --data-dir", folder.display())));
            }
        }
        Ok(())
    }

    pub(super) fn load_state(&self) -> Result<PersistedState> {
        let file = &self.state_file;
        let Some(text) = found(std::fs::read(file)).context(cannot_read(file))? else {
            return Ok(PersistedState::default());
        };
        let state: PersistedState = serde_json::from_slice(&text).context(cannot_read(file))?;
        if state.layout == PersistedState::default().layout {
            return Ok(state);
        }
        Err(Failure::new(format!("`{}` was created by a newer covidctl", self.root.display()))
            .hint("use that version or another --data-dir"))
    }

    /// Changes the state. The caller holds [`Self::lock`].
    pub(super) fn update_state(&self, change: impl FnOnce(&mut PersistedState)) -> Result<()> {
        let mut state = self.load_state()?;
        change(&mut state);
        let json = serde_json::to_vec_pretty(&state).context(|| "cannot write JSON")?;
        write_atomic(&self.state_file, &json)
    }

    /// Takes the exclusive lock for starting, stopping and creating anything.
    pub(super) async fn lock(&self) -> Result<File> {
        self.check_folder()?;
        self.check_foreign_content()?;
        create_folder(&self.root, 0o755)?;
        let start = Instant::now();
        loop {
            if let Some(lock) = self.try_lock(start)? {
                return Ok(lock);
            }
            tokio::time::sleep(LOCK_POLL_INTERVAL).await;
        }
    }

    /// The same for `drop`, which cannot be asynchronous.
    pub(super) fn lock_blocking(&self) -> Result<File> {
        let start = Instant::now();
        loop {
            if let Some(lock) = self.try_lock(start)? {
                return Ok(lock);
            }
            std::thread::sleep(LOCK_POLL_INTERVAL);
        }
    }

    /// Returns the lock, or `None` if another process holds it; an error if that has lasted too long since `start`.
    fn try_lock(&self, start: Instant) -> Result<Option<File>> {
        let path = self.root.join("lock");
        let file = open(&path)?;
        match file.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) if start.elapsed() < LOCK_TIMEOUT => return Ok(None),
            Err(TryLockError::WouldBlock) => {
                let what = format!("another covidctl is still changing `{}`", self.root.display());
                return Err(Failure::new(what).hint("wait for it or stop it; do not remove the file `lock`"));
            }
            Err(TryLockError::Error(error)) => return Err(error).context(cannot_read(&path)),
        }
        // The previous holder may have deleted the folder, and the lock on a deleted file protects nothing.
        let inode = |metadata: std::io::Result<Metadata>| metadata.map(|metadata| metadata.ino()).ok();
        Ok((inode(file.metadata()) == inode(path.metadata())).then_some(file))
    }

    /// Takes the shared lock that keeps PostgreSQL running. Taken and released under [`Self::lock`].
    pub(super) fn hold_in_use(&self) -> Result<File> {
        let path = self.root.join("users");
        let file = open(&path)?;
        file.lock_shared().context(|| format!("cannot lock `{}`", path.display()))?;
        Ok(file)
    }

    /// Returns whether no process holds the lock of [`Self::hold_in_use`].
    pub(super) fn is_unused(&self) -> Result<bool> {
        Ok(open(&self.root.join("users"))?.try_lock().is_ok())
    }

    /// Deletes all files of the target, and the folder if it is empty then.
    pub(super) fn delete(&self) -> Result<()> {
        let partial = ["pg.partial", "postgresql.partial"].map(|folder| self.root.join(folder));
        let folders =
            [&self.store, &self.postgres, &self.fetched, &self.partial_sample, &self.logs, &self.processes];
        for folder in folders.into_iter().chain(&partial) {
            ignore_not_found("delete", folder, std::fs::remove_dir_all(folder))?;
        }
        let locks = ["users", "lock"].map(|file| self.root.join(file));
        for file in
            [&self.password_file, &self.reader_password_file, &self.state_file].into_iter().chain(&locks)
        {
            ignore_not_found("delete", file, std::fs::remove_file(file))?;
        }
        // Kept if it has other content or another process waits for the lock.
        drop(std::fs::remove_dir(&self.root));
        Ok(())
    }
}

/// Returns the bytes that are free for the files of a folder, which need not exist yet.
pub(super) fn free_space(folder: &Path) -> nix::Result<u64> {
    let existing = folder.ancestors().find(|folder| folder.exists()).unwrap_or(Path::new("/"));
    let disk = statvfs(existing)?;
    // The integer types differ between systems.
    let free = u128::from(disk.blocks_available()) * u128::from(disk.fragment_size());
    Ok(u64::try_from(free).unwrap_or(u64::MAX))
}

/// Creates a folder with this mode, regardless of the umask, and its parents.
pub(super) fn create_folder(folder: &Path, mode: u32) -> Result<()> {
    if folder.is_dir() {
        return Ok(());
    }
    folder.parent().map_or(Ok(()), |parent| create_folder(parent, 0o755))?;
    match DirBuilder::new().mode(mode).create(folder) {
        Err(error) if error.kind() != std::io::ErrorKind::AlreadyExists => Err(error),
        _ => std::fs::set_permissions(folder, Permissions::from_mode(mode)),
    }
    .context(|| format!("cannot create the folder `{}`", folder.display()))
    .map_err(|failure| failure.hint(WRITABLE_HINT))
}

/// Writes a value as JSON, atomically.
pub(super) fn write_json(file: &Path, value: &impl Serialize) -> Result<()> {
    write_atomic(file, &serde_json::to_vec(value).context(|| "cannot write JSON")?)
}

/// Writes a file atomically, with access for its owner only.
pub(super) fn write_atomic(file: &Path, content: &[u8]) -> Result<()> {
    atomic_file::write(file, content).context(|| format!("cannot write `{}`", file.display()))
}

fn open(file: &Path) -> Result<File> {
    File::options()
        .create(true)
        .truncate(false)
        .write(true)
        .open(file)
        .context(|| format!("cannot open `{}`", file.display()))
        .map_err(|failure| failure.hint(WRITABLE_HINT))
}

/// Returns `None` if the file does not exist.
pub(super) fn found<T>(result: std::io::Result<T>) -> std::io::Result<Option<T>> {
    match result {
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(None),
        result => result.map(Some),
    }
}

/// Converts the result of an operation, named by its verb; a missing file counts as success.
pub(super) fn ignore_not_found(verb: &str, path: &Path, result: std::io::Result<()>) -> Result<()> {
    found(result).map(drop).context(|| format!("cannot {verb} `{}`", path.display()))
}

/// Lists a folder; a missing folder is empty.
pub(super) fn entries_of(folder: &Path) -> Result<Vec<PathBuf>> {
    let entries = found(std::fs::read_dir(folder)).context(cannot_read(folder))?;
    Ok(entries.into_iter().flatten().flatten().map(|entry| entry.path()).collect())
}

/// Opens a log for appending: for standard output and for standard error.
pub(super) fn open_log(log: &Path) -> Result<(File, File)> {
    let open = || File::options().create(true).append(true).open(log);
    open()
        .and_then(|file| Ok((file.try_clone()?, file)))
        .context(|| format!("cannot open `{}`", log.display()))
}

pub(super) fn read_json<T: DeserializeOwned>(file: &Path) -> Option<T> {
    serde_json::from_slice(&std::fs::read(file).ok()?).ok()
}

pub(super) fn cannot_read(file: &Path) -> impl FnOnce() -> String {
    move || format!("cannot read `{}`", file.display())
}
