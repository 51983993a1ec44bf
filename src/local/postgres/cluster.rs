//! Creates the cluster's folder, once.
//!
//! The cluster is made beside its final place and renamed when it is whole, so that an interrupted `initdb` leaves nothing
//! that looks like a cluster. The password is random and never on a command line: `initdb` reads it from a file that is gone
//! a moment later, and we keep it in libpq's own format.

use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use common::failure::{Context as _, Exit, Failure, Result};
use uuid::Uuid;

use super::USER;
use super::identity::Identity;
use super::programs::Programs;
use crate::local::files::{Folders, cannot_read, create_folder, write_whole};

/// Text is compared as bytes and classified as Unicode; where the platform lacks that locale, plain C is near enough.
const LOCALES: [&str; 2] = ["C.UTF-8", "C"];

pub(super) fn folder(folders: &Folders) -> PathBuf {
    folders.postgres().join("cluster")
}

/// The major version of the cluster in a folder; nothing where there is none.
pub(super) fn version(cluster: &Path) -> Option<u32> {
    std::fs::read_to_string(cluster.join("PG_VERSION")).ok()?.trim().parse().ok()
}

/// Creates the cluster and its password.
pub(super) fn create(folders: &Folders, programs: &Programs, identity: &Identity) -> Result<()> {
    let parent = folders.postgres();
    create_folder(&parent, 0o700)?;
    identity.own(&parent)?;
    let password = Uuid::new_v4().simple().to_string() + &Uuid::new_v4().simple().to_string();
    write_whole(&folders.password_file(), format!("127.0.0.1:*:*:{USER}:{password}\n").as_bytes())?;
    let mut file = tempfile::NamedTempFile::new().context(|| "cannot create a temporary file".to_owned())?;
    writeln!(file, "{password}").context(|| format!("cannot write `{}`", file.path().display()))?;
    identity.own(file.path())?;
    identity.check_reach(file.path().parent().unwrap_or(Path::new("/")))?;
    let partial = parent.join("cluster.partial");
    let mut refused = String::new();
    for locale in LOCALES {
        if partial.exists() {
            std::fs::remove_dir_all(&partial).context(|| format!("cannot delete `{}`", partial.display()))?;
        }
        let mut initdb = Command::new(programs.program("initdb"));
        initdb
            .arg("-D")
            .arg(&partial)
            .args(["-U", USER, "-E", "UTF8", "--locale", locale, "--auth=scram-sha-256", "--pwfile"])
            .arg(file.path())
            .stdin(Stdio::null());
        surround(&mut initdb, &parent, identity);
        let output =
            initdb.output().context(|| format!("cannot start `{}`", programs.program("initdb").display()))?;
        if output.status.success() {
            return std::fs::rename(&partial, folder(folders))
                .context(|| format!("cannot rename `{}`", partial.display()));
        }
        refused = String::from_utf8_lossy(&output.stderr).trim().replace('\n', "; ");
    }
    Err(Failure::new(format!("cannot create a PostgreSQL cluster in `{}`", parent.display()))
        .source(refused)
        .exit_code(Exit::NotStarted))
}

/// What all of PostgreSQL's programs get: their user, their folder, English messages, and nothing of our environment, in
/// which a stray `PGDATA` or `PGPORT` would steer them.
pub(super) fn surround(command: &mut Command, folder: &Path, identity: &Identity) {
    command.env_clear().env("LC_ALL", "C").env("PATH", "/usr/local/bin:/usr/bin:/bin").current_dir(folder);
    identity.run(command);
}

/// The password that [`create`] kept.
pub(in super::super) fn password(folders: &Folders) -> Result<String> {
    let file = folders.password_file();
    let text = std::fs::read_to_string(&file).map_err(|error| cannot_read(&file, error))?;
    match text.trim_end().rsplit_once(':') {
        Some((_, password)) => Ok(password.to_owned()),
        None => Err(Failure::new(format!("`{}` holds no password", file.display()))),
    }
}
