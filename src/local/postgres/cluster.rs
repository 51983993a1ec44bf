//! Creates the database cluster.
//!
//! `initdb` runs in a temporary folder, which is renamed when it is complete. The password is random and never on a command line: `initdb`
//! reads it from a temporary file, and it is kept in libpq's password file.

use std::io::Write as _;
use std::path::Path;
use std::process::{Command, Stdio};

use common::failure::{Context as _, Exit, Failure, Result};
use uuid::Uuid;

use super::programs::Programs;
use super::server_user::ServerUser;
use crate::local::layout::{Layout, cannot_read, create_folder, ignore_not_found, write_atomic};

/// The superuser's name.
pub(in super::super) const USER: &str = "postgres";

/// Byte order with Unicode classification; plain C on platforms without that locale.
const LOCALES: [&str; 2] = ["C.UTF-8", "C"];

/// Creates the cluster and its password file.
pub(super) fn create(layout: &Layout, programs: &Programs, server_user: &ServerUser) -> Result<()> {
    let parent = &layout.postgres;
    create_folder(parent, 0o700)?;
    server_user.chown(parent)?;
    let password = new_password(&layout.password_file, USER)?;
    // Beside the cluster: the server's user may not be able to enter the folder for temporary files.
    let mut file = tempfile::NamedTempFile::new_in(parent)
        .context(|| format!("cannot create a file in `{}`", parent.display()))?;
    writeln!(file, "{password}").context(|| format!("cannot write `{}`", file.path().display()))?;
    server_user.chown(file.path())?;
    let partial = parent.join("cluster.partial");
    let mut error = String::new();
    for locale in LOCALES {
        ignore_not_found("delete", &partial, std::fs::remove_dir_all(&partial))?;
        let program = programs.folder.join("initdb");
        let mut initdb = Command::new(&program);
        initdb
            .arg("-D")
            .arg(&partial)
            .args(["-U", USER, "-E", "UTF8", "--locale", locale, "--auth=scram-sha-256", "--pwfile"])
            .arg(file.path())
            .stdin(Stdio::null());
        server_user.isolate(&mut initdb, parent);
        let output = initdb.output().context(|| format!("cannot start `{}`", program.display()))?;
        if output.status.success() {
            return std::fs::rename(&partial, &layout.cluster)
                .context(|| format!("cannot rename `{}`", partial.display()));
        }
        error = String::from_utf8_lossy(&output.stderr).trim().replace('\n', "; ");
    }
    Err(Failure::new(format!("cannot create a PostgreSQL cluster in `{}`", parent.display()))
        .source(error)
        .exit_code(Exit::NotStarted))
}

/// Reads a password from libpq's password file.
pub(in super::super) fn password(file: &Path) -> Result<String> {
    let text = std::fs::read_to_string(file).context(cannot_read(file))?;
    match text.trim_end().rsplit_once(':') {
        Some((_, password)) => Ok(password.to_owned()),
        None => Err(Failure::new(format!("`{}` contains no password", file.display()))),
    }
}

/// Reads the password of the role that only reads, or writes a new one: the caller gives it to the role.
pub(in super::super) fn reader_password(file: &Path) -> Result<String> {
    password(file).or_else(|_| new_password(file, etl::database::READER))
}

/// Writes a random password to a file.
fn new_password(file: &Path, user: &str) -> Result<String> {
    let password = Uuid::new_v4().simple().to_string() + &Uuid::new_v4().simple().to_string();
    write_atomic(file, format!("127.0.0.1:*:*:{user}:{password}\n").as_bytes())?;
    Ok(password)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reader_password_is_kept_and_replaces_a_damaged_file() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("pgpass-reader");
        let first = reader_password(&file).unwrap();
        assert_eq!(reader_password(&file).unwrap(), first);
        std::fs::write(&file, "damaged").unwrap();
        let second = reader_password(&file).unwrap();
        assert!(second != first && second == reader_password(&file).unwrap());
    }
}
