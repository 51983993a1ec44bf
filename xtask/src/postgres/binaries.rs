//! Finds PostgreSQL's binaries: in an explicit folder, else on PATH, else in Debian's folders, newest version first.

use std::path::{Path, PathBuf};

use crate::process;
use common::failure::{Failure, Result};

/// Debian and Ubuntu have one folder per version here.
const DEBIAN: &str = "/usr/lib/postgresql";

/// A folder with `initdb`, `pg_ctl` and `postgres`.
pub(crate) struct Binaries {
    folder: PathBuf,
}

impl Binaries {
    /// Searches only `named` if it is given.
    pub(crate) fn find(named: Option<&Path>) -> Result<Self> {
        if let Some(folder) = named {
            return Self::in_folder(folder).ok_or_else(|| {
                Failure::new(format!("`{}` has no initdb, pg_ctl and postgres", folder.display()))
                    .hint("set COVIDCTL_PG_BIN to the folder of PostgreSQL's binaries, or unset it")
            });
        }
        let on_path = process::folder_on_path("initdb");
        on_path
            .into_iter()
            .chain(versions(Path::new(DEBIAN)))
            .find_map(|folder| Self::in_folder(&folder))
            .ok_or_else(|| {
                Failure::new("PostgreSQL is not installed")
                    .hint("apt-get install postgresql, or set COVIDCTL_PG_BIN")
            })
    }

    /// Returns the folder of the binaries, with symbolic links resolved.
    pub(crate) fn folder(&self) -> &Path {
        &self.folder
    }

    /// Returns `psql` from the same folder, else from PATH.
    pub(crate) fn psql(&self) -> PathBuf {
        let beside = self.folder.join("psql");
        if beside.is_file() { beside } else { PathBuf::from("psql") }
    }

    fn in_folder(folder: &Path) -> Option<Self> {
        let resolved = folder.join("initdb").canonicalize().ok()?;
        let folder = resolved.parent()?.to_path_buf();
        let complete = ["initdb", "pg_ctl", "postgres"].iter().all(|program| folder.join(program).is_file());
        complete.then_some(Self { folder })
    }
}

/// `15/bin`, `9.6/bin`, …, newest first: by number, since 9.6 is older than 15.
fn versions(parent: &Path) -> Vec<PathBuf> {
    let Ok(entries) = std::fs::read_dir(parent) else { return Vec::new() };
    let mut versions: Vec<(Vec<u32>, PathBuf)> = entries
        .flatten()
        .filter_map(|entry| {
            let name = entry.file_name().into_string().ok()?;
            let number = name.split('.').map(|part| part.parse().ok()).collect::<Option<Vec<u32>>>()?;
            Some((number, entry.path().join("bin")))
        })
        .collect();
    versions.sort_unstable_by(|one, other| other.cmp(one));
    versions.into_iter().map(|(_, folder)| folder).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_are_newest_first() {
        let parent = tempfile::tempdir().unwrap();
        for name in ["9.6", "15", "17", "common"] {
            std::fs::create_dir(parent.path().join(name)).unwrap();
        }
        let expected = ["17/bin", "15/bin", "9.6/bin"].map(|name| parent.path().join(name));
        assert_eq!(versions(parent.path()), expected);
    }

    #[test]
    fn folder_without_postgresql_is_rejected_with_hint() {
        let empty = tempfile::tempdir().unwrap();
        let failure = Binaries::find(Some(empty.path())).err().unwrap();
        assert!(failure.hint_text().unwrap().contains("COVIDCTL_PG_BIN"));
    }
}
