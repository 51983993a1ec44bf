//! A file that is there, whole, exactly as long as the tunnel serves: for scripts that wait for it.

use std::io::Write as _;
use std::path::{Path, PathBuf};

use common::failure::{Context as _, Result};

use super::event::{Event, Ready};

/// Removes the file when dropped.
#[derive(Debug)]
pub(super) struct ReadyFile(PathBuf);

impl ReadyFile {
    /// Written beside its place and moved there, so that nobody reads half of it.
    pub(super) fn write(path: PathBuf, ready: &Ready) -> Result<Self> {
        let what = || format!("cannot write the ready file `{}`", path.display());
        let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty());
        let mut file = tempfile::NamedTempFile::new_in(folder.unwrap_or(Path::new("."))).context(what)?;
        let event = serde_json::to_string(&Event::Ready(ready.clone())).context(what)?;
        writeln!(file, "{event}").context(what)?;
        file.persist(&path).context(what)?;
        Ok(Self(path))
    }
}

impl Drop for ReadyFile {
    fn drop(&mut self) {
        // Somebody may have removed it already.
        drop(std::fs::remove_file(&self.0));
    }
}
