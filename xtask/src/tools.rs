//! Tools from PyPI, npm and crates.io with pinned versions, each set in its own folder in cargo's target folder.
//!
//! A copy of the list of requirements marks a set as complete; a changed list reinstalls it. Nothing else on the machine changes.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::{output, process};
use common::failure::{Context as _, Result};

/// Returns the folder of a set of tools; it may be deleted at any time.
pub(crate) fn folder(set: &str) -> Result<PathBuf> {
    Ok(process::target()?.join("tools").join(set))
}

/// Installs a virtual environment with the requirements; returns its interpreter.
pub(crate) fn python(set: &str, what: &str, requirements: &str) -> Result<PathBuf> {
    let folder = folder(set)?;
    let python = folder.join("bin/python");
    install_once(&folder, what, "requirements.txt", requirements, |list| {
        process::output_of(Command::new("python3").args(["-m", "venv", "--clear"]).arg(&folder))?;
        fs::write(list, requirements).context(|| format!("cannot write `{}`", list.display()))?;
        process::output_of(
            Command::new(&python)
                .args(["-m", "pip", "install", "--quiet", "--disable-pip-version-check"])
                .args(["--only-binary=:all:", "--requirement"])
                .arg(list),
        )
        .map(drop)
    })
    .map_err(|failure| failure.hint("install Python 3 with venv, and allow access to PyPI"))?;
    Ok(python)
}

/// Installs npm packages such as `name@1.2.3`, separated by spaces; returns the folder of their programs.
pub(crate) fn node(set: &str, what: &str, packages: &str) -> Result<PathBuf> {
    let folder = folder(set)?;
    install_once(&folder, what, "packages.txt", packages, |_| {
        process::output_of(
            Command::new("npm")
                .args(["install", "--silent", "--no-audit", "--no-fund", "--ignore-scripts", "--prefix"])
                .arg(&folder)
                .args(packages.split(' ')),
        )
        .map(drop)
    })
    .map_err(|failure| failure.hint("install npm, and allow access to npm's registry"))?;
    Ok(folder.join("node_modules/.bin"))
}

/// Installs a program from crates.io, such as `cargo-fuzz`; returns its path.
pub(crate) fn cargo(name: &str, version: &str) -> Result<PathBuf> {
    let folder = folder(name)?;
    install_once(&folder, &format!("{name} {version}"), "version.txt", version, |_| {
        let mut install =
            process::cargo(&format!("install --quiet --locked {name} --version {version} --root"));
        // It builds in a temporary folder, which it deletes.
        process::run(install.arg(&folder).env_remove("CARGO_TARGET_DIR"))
    })
    .map_err(|failure| failure.hint("allow access to crates.io"))?;
    Ok(folder.join("bin").join(name))
}

/// Installs unless the marker file has exactly this content. The marker is written last.
fn install_once(
    folder: &Path,
    what: &str,
    marker: &str,
    wanted: &str,
    install: impl FnOnce(&Path) -> Result<()>,
) -> Result<()> {
    let marker = folder.join(marker);
    if fs::read_to_string(&marker).is_ok_and(|installed| installed == wanted) {
        return Ok(());
    }
    output::note(&format!("installing {what}"));
    if folder.exists() {
        fs::remove_dir_all(folder).context(|| format!("cannot remove `{}`", folder.display()))?;
    }
    fs::create_dir_all(folder).context(|| format!("cannot create `{}`", folder.display()))?;
    install(&folder.join("wanted.txt"))?;
    fs::write(&marker, wanted).context(|| format!("cannot write `{}`", marker.display()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use common::failure::Failure;

    #[test]
    fn set_is_reinstalled_only_if_list_changes() {
        let parent = tempfile::tempdir().unwrap();
        let folder = parent.path().join("set");
        let install = |wanted: &str| {
            let mut installed = false;
            install_once(&folder, "a set", "list", wanted, |_| {
                installed = true;
                fs::write(folder.join(wanted), "").context(String::new)
            })
            .unwrap();
            installed
        };
        assert_eq!([install("a==1"), install("a==1"), install("a==2")], [true, false, true]);
        assert!(!folder.join("a==1").exists() && folder.join("a==2").exists());
    }

    #[test]
    fn failed_installation_is_retried() {
        let parent = tempfile::tempdir().unwrap();
        let folder = parent.path().join("set");
        let broken = install_once(&folder, "a set", "list", "a", |_| Err(Failure::new("no network")));
        assert_eq!(broken.unwrap_err().to_string(), "no network");
        let mut again = false;
        install_once(&folder, "a set", "list", "a", |_| {
            again = true;
            Ok(())
        })
        .unwrap();
        assert!(again);
    }
}
