//! The synthetic sample that stands in for the ministry's files.
//!
//! Datasets of the user are never overwritten. A sample is written to a folder beside the store and moved there once it is complete; the
//! names and sizes of its files are recorded, by which they are recognized.

use std::path::Path;

use common::atomic_file::sync_folder;
use common::failure::{Context as _, Failure, Result};

use super::Local;
use super::layout::{Layout, Sample, create_folder, ignore_not_found};

/// What `demo` does about datasets.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SamplePlan {
    UseDatasets,
    /// Use the existing sample with this number of rows.
    UseSample(u64),
    /// Make a sample with this number of rows.
    Make(u64),
}

const DEFAULT_ROWS: u64 = 300_000;

impl Local {
    /// Decides what to do, from the datasets in the store (names and sizes) and the requested number of rows.
    pub fn plan_sample(&self, datasets: &[(String, u64)], rows: Option<u64>) -> Result<SamplePlan> {
        plan(self.layout.load_state()?.sample.as_ref(), datasets, rows).map_err(|failure| {
            let store = self.layout.store.display();
            failure.hint(format!("omit --rows, use another --data-dir, or empty `{store}`"))
        })
    }

    /// Creates an empty folder for a new sample.
    pub fn new_sample_folder(&self) -> Result<&Path> {
        let folder = &self.layout.partial_sample;
        ignore_not_found("delete", folder, std::fs::remove_dir_all(folder))?;
        create_folder(folder, 0o755)?;
        Ok(folder)
    }

    /// Moves the sample from its folder into the store.
    pub fn adopt_sample(&self, rows: u64) -> Result<()> {
        let Layout { partial_sample: folder, store, .. } = &self.layout;
        let files = list(folder).context(|| format!("cannot list `{}`", folder.display()))?;
        // After an interruption the store has files of both samples; all are recorded, and zero rows match no request.
        self.layout.update_state(|state| {
            let previous = state.sample.take().map(|sample| sample.files).unwrap_or_default();
            state.sample = Some(Sample { rows: 0, files: [previous, files.clone()].concat() });
        })?;
        for (name, _) in &files {
            std::fs::rename(folder.join(name), store.join(name))
                .context(|| format!("cannot move `{name}`"))?;
        }
        sync_folder(store).context(|| format!("cannot sync `{}`", store.display()))?;
        self.layout.update_state(|state| state.sample = Some(Sample { rows, files }))?;
        std::fs::remove_dir(folder).context(|| format!("cannot delete `{}`", folder.display()))
    }
}

fn plan(sample: Option<&Sample>, datasets: &[(String, u64)], rows: Option<u64>) -> Result<SamplePlan> {
    let is_sample = |dataset| sample.is_some_and(|sample| sample.files.contains(dataset));
    if !datasets.iter().all(is_sample) {
        return match rows {
            None => Ok(SamplePlan::UseDatasets),
            Some(_) => Err(Failure::usage(
                "the store contains datasets that are not a sample; --rows would replace them",
            )),
        };
    }
    match sample {
        Some(sample) if sample.files.len() == datasets.len() && sample.rows > 0 => {
            let wanted = rows.unwrap_or(sample.rows);
            Ok(if wanted == sample.rows { SamplePlan::UseSample(wanted) } else { SamplePlan::Make(wanted) })
        }
        _ => Ok(SamplePlan::Make(rows.unwrap_or(DEFAULT_ROWS))),
    }
}

fn list(folder: &Path) -> std::io::Result<Vec<(String, u64)>> {
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
    fn plan_makes_sample_if_none_or_other_number_of_rows() {
        let both = [dataset("a.csv", 1), dataset("b.zip", 2)];
        assert_eq!(plan(None, &[], None).unwrap(), SamplePlan::Make(300_000));
        assert_eq!(plan(None, &[], Some(5)).unwrap(), SamplePlan::Make(5));
        assert_eq!(plan(Some(&sample(5)), &both, None).unwrap(), SamplePlan::UseSample(5));
        assert_eq!(plan(Some(&sample(5)), &both, Some(5)).unwrap(), SamplePlan::UseSample(5));
        assert_eq!(plan(Some(&sample(5)), &both, Some(6)).unwrap(), SamplePlan::Make(6));
        assert_eq!(plan(Some(&sample(5)), &both[..1], Some(5)).unwrap(), SamplePlan::Make(5));
        // Interrupted in adopt.
        assert_eq!(plan(Some(&sample(0)), &both, None).unwrap(), SamplePlan::Make(300_000));
    }

    #[test]
    fn plan_never_replaces_datasets_of_user() {
        for datasets in [vec![dataset("a.csv", 1), dataset("b.zip", 3)], vec![dataset("other.zip", 2)]] {
            assert_eq!(plan(Some(&sample(5)), &datasets, None).unwrap(), SamplePlan::UseDatasets);
            assert_eq!(plan(Some(&sample(5)), &datasets, Some(5)).err().unwrap().exit().code(), 2);
            assert_eq!(plan(None, &datasets, None).unwrap(), SamplePlan::UseDatasets);
        }
    }
}
