//! Tools from PyPI and npm, each set in a folder of its own below cargo's target folder, with pinned versions.
//!
//! A set is installed once; a copy of the list in its folder says that it is complete, and another list makes it anew. Nothing is
//! installed for the user, and nothing outside that folder changes.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::{process, say};
use common::failure::{Context as _, Result};

/// The folder of a set of tools. It may be deleted at any time.
pub(crate) fn folder(set: &str) -> Result<PathBuf> {
    Ok(process::target()?.join("tools").join(set))
}

/// A Python environment with these requirements, in the words of pip: its interpreter.
pub(crate) fn python(folder: &Path, what: &str, requirements: &str) -> Result<PathBuf> {
    let python = folder.join("bin/python");
    complete(folder, what, "requirements.txt", requirements, |list| {
        process::output_of(Command::new("python3").args(["-m", "venv", "--clear"]).arg(folder))?;
        fs::write(list, requirements).context(|| format!("cannot write `{}`", list.display()))?;
        process::output_of(
            Command::new(&python)
                .args(["-m", "pip", "install", "--quiet", "--disable-pip-version-check"])
                .args(["--only-binary=:all:", "--requirement"])
                .arg(list),
        )
        .map(drop)
    })?;
    Ok(python)
}

/// A folder with this package of npm, such as `name@1.2.3`: the folder of its programs.
pub(crate) fn node(folder: &Path, what: &str, package: &str) -> Result<PathBuf> {
    complete(folder, what, "packages.txt", package, |_| {
        process::output_of(
            Command::new("npm")
                .args(["install", "--silent", "--no-audit", "--no-fund", "--ignore-scripts", "--prefix"])
                .arg(folder)
                .arg(package),
        )
        .map(drop)
    })?;
    Ok(folder.join("node_modules/.bin"))
}

/// Installs, unless the marker says that exactly this was installed. The list that `install` gets is a file of its own: the marker is
/// written last.
fn complete(
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
    say::note(&format!("installing {what}, once"));
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
    fn a_set_is_installed_once_and_anew_when_the_list_changes() {
        let place = tempfile::tempdir().unwrap();
        let folder = place.path().join("set");
        let install = |wanted: &str| {
            let mut installed = false;
            complete(&folder, "a set", "list", wanted, |_| {
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
    fn what_could_not_be_installed_is_tried_again() {
        let place = tempfile::tempdir().unwrap();
        let folder = place.path().join("set");
        let broken = complete(&folder, "a set", "list", "a", |_| Err(Failure::new("no network")));
        assert_eq!(broken.unwrap_err().to_string(), "no network");
        let mut again = false;
        complete(&folder, "a set", "list", "a", |_| {
            again = true;
            Ok(())
        })
        .unwrap();
        assert!(again);
    }
}
