//! The sample that stands in for the ministry's files, and how it is told apart from them.
//!
//! Datasets that somebody put into the store are never overwritten. A sample is made in a folder beside the store and moved
//! there when it is whole; what was moved is remembered by name and size.

use std::path::PathBuf;

use common::atomic_file::sync_folder;
use common::failure::{Context as _, Failure, Result};

use super::Local;
use super::files::{Sample, create_folder};

/// What `demo` does about datasets.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Plan {
    /// Takes what somebody put there.
    UseTheirs,
    /// Takes the sample that is there, of so many rows.
    UseSample(u64),
    /// Makes a sample of so many rows.
    Make(u64),
}

/// The rows of a sample when nobody asked for a number.
const ROWS: u64 = 300_000;

impl Local {
    /// Decides, from what stands in the store (names and sizes) and the rows that were asked for.
    pub fn plan_sample(&self, datasets: &[(String, u64)], rows: Option<u64>) -> Result<Plan> {
        plan(self.folders.memory()?.sample.as_ref(), datasets, rows).map_err(|failure| {
            let place = self.folders.store();
            failure.hint(format!("leave out --rows, name another --data-dir, or empty `{}`", place.display()))
        })
    }

    /// An empty folder for a new sample.
    pub fn new_sample_folder(&self) -> Result<PathBuf> {
        let folder = self.folders.partial_sample();
        if folder.exists() {
            std::fs::remove_dir_all(&folder).context(|| format!("cannot delete `{}`", folder.display()))?;
        }
        create_folder(&folder, 0o755)?;
        Ok(folder)
    }

    /// Moves the sample from its folder into the store.
    pub fn adopt_sample(&self, rows: u64) -> Result<()> {
        let (folder, store) = (self.folders.partial_sample(), self.folders.store());
        let files = listed(&folder).context(|| format!("cannot list `{}`", folder.display()))?;
        let mut memory = self.folders.memory()?;
        let earlier = memory.sample.take().map(|sample| sample.files).unwrap_or_default();
        // Whoever interrupts us finds files of both samples; all of them are ours, and no number of rows fits them.
        memory.sample = Some(Sample { rows: 0, files: [earlier, files.clone()].concat() });
        self.folders.remember(&memory)?;
        for (name, _) in &files {
            std::fs::rename(folder.join(name), store.join(name))
                .context(|| format!("cannot move `{name}`"))?;
        }
        sync_folder(&store).context(|| format!("cannot sync `{}`", store.display()))?;
        memory.sample = Some(Sample { rows, files });
        self.folders.remember(&memory)?;
        std::fs::remove_dir(&folder).context(|| format!("cannot delete `{}`", folder.display()))
    }
}

fn plan(sample: Option<&Sample>, datasets: &[(String, u64)], rows: Option<u64>) -> Result<Plan> {
    let is_ours = |dataset| sample.is_some_and(|sample| sample.files.contains(dataset));
    if !datasets.iter().all(is_ours) {
        return match rows {
            None => Ok(Plan::UseTheirs),
            Some(_) => Err(Failure::usage(
                "the store holds datasets that are not a sample; --rows would replace them",
            )),
        };
    }
    match sample {
        Some(sample) if sample.files.len() == datasets.len() && sample.rows > 0 => {
            let wanted = rows.unwrap_or(sample.rows);
            Ok(if wanted == sample.rows { Plan::UseSample(wanted) } else { Plan::Make(wanted) })
        }
        _ => Ok(Plan::Make(rows.unwrap_or(ROWS))),
    }
}

fn listed(folder: &std::path::Path) -> std::io::Result<Vec<(String, u64)>> {
    let mut files = Vec::new();
    for entry in std::fs::read_dir(folder)? {
        let entry = entry?;
        files.push((entry.file_name().to_string_lossy().into_owned(), entry.metadata()?.len()));
    }
    files.sort();
    Ok(files)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn dataset(name: &str, size: u64) -> (String, u64) {
        (name.to_owned(), size)
    }

    fn sample(rows: u64) -> Sample {
        Sample { rows, files: vec![("a.csv".to_owned(), 1), ("b.zip".to_owned(), 2)] }
    }

    #[test]
    fn a_sample_is_made_where_there_is_none_or_another_number_is_wanted() {
        let both = [dataset("a.csv", 1), dataset("b.zip", 2)];
        assert_eq!(plan(None, &[], None).unwrap(), Plan::Make(300_000));
        assert_eq!(plan(None, &[], Some(5)).unwrap(), Plan::Make(5));
        assert_eq!(plan(Some(&sample(5)), &both, None).unwrap(), Plan::UseSample(5));
        assert_eq!(plan(Some(&sample(5)), &both, Some(5)).unwrap(), Plan::UseSample(5));
        assert_eq!(plan(Some(&sample(5)), &both, Some(6)).unwrap(), Plan::Make(6));
        assert_eq!(plan(Some(&sample(5)), &both[..1], Some(5)).unwrap(), Plan::Make(5));
        // One that was interrupted while it was moved.
        assert_eq!(plan(Some(&sample(0)), &both, None).unwrap(), Plan::Make(300_000));
    }

    #[test]
    fn what_somebody_put_there_is_never_replaced() {
        for theirs in [vec![dataset("a.csv", 1), dataset("b.zip", 3)], vec![dataset("other.zip", 2)]] {
            assert_eq!(plan(Some(&sample(5)), &theirs, None).unwrap(), Plan::UseTheirs);
            assert_eq!(plan(Some(&sample(5)), &theirs, Some(5)).err().unwrap().exit().code(), 2);
            assert_eq!(plan(None, &theirs, None).unwrap(), Plan::UseTheirs);
        }
    }
}
