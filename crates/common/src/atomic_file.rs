//! Local files that are replaced whole and durably: a temporary file in the same folder is synced, renamed, and the folder is synced. A killed
//! writer leaves a file whose name begins with a dot.

use std::fs::File;
use std::io::{Result, Write as _};
use std::path::Path;

use tempfile::NamedTempFile;

/// Writes a file that only its owner can read and write.
pub fn write(path: &Path, content: &[u8]) -> Result<()> {
    let mut file = NamedTempFile::new_in(folder_of(path))?;
    file.write_all(content)?;
    persist(file, path)
}

/// Gives a temporary file its name; `path` must be in the same file system.
pub fn persist(file: NamedTempFile, path: &Path) -> Result<()> {
    file.as_file().sync_all()?;
    file.persist(path)?;
    sync_folder(folder_of(path))
}

/// Waits until the entries of a folder, such as the new name of a renamed file, are on disk.
pub fn sync_folder(folder: &Path) -> Result<()> {
    File::open(folder)?.sync_all()
}

/// Waits for the lock of a file that several processes read, change and write; it ends when the value is dropped. The lock is a file of its own,
/// because [`write()`] replaces the other.
pub fn lock(path: &Path) -> Result<File> {
    let mut name = path.as_os_str().to_owned();
    name.push(".lock");
    let file = File::options().create(true).append(true).open(name)?;
    file.lock()?;
    Ok(file)
}

fn folder_of(path: &Path) -> &Path {
    path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."))
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt as _;

    use super::*;

    #[test]
    fn write_existing_file_replaces_it_whole_and_leaves_nothing_else() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("state.json");
        std::fs::write(&path, "a longer content").unwrap();
        write(&path, b"new").unwrap();
        assert_eq!(std::fs::read_to_string(&path).unwrap(), "new");
        assert_eq!(std::fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 1);
    }

    #[test]
    fn write_to_missing_folder_fails() {
        let folder = tempfile::tempdir().unwrap();
        let error = write(&folder.path().join("missing/state.json"), b"new").unwrap_err();
        assert_eq!(error.kind(), std::io::ErrorKind::NotFound);
    }

    #[test]
    fn write_over_folder_fails_and_leaves_no_temporary_file() {
        let folder = tempfile::tempdir().unwrap();
        std::fs::create_dir(folder.path().join("taken")).unwrap();
        assert!(write(&folder.path().join("taken"), b"new").is_err());
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 1);
    }

    #[test]
    fn folder_of_bare_name_is_current_folder() {
        assert_eq!(folder_of(Path::new("state.json")), Path::new("."));
        assert_eq!(folder_of(Path::new("/state.json")), Path::new("/"));
    }
}
