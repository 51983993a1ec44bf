//! The files of a load, their checksums, and the result of each.
//!
//! A missing required dataset ends the run; an optional one is left out with a log message and recorded in `run_dataset`.

use std::io::Read;

use sha2::{Digest as _, Sha256};
use sqlx::postgres::PgConnection;
use uuid::Uuid;

use crate::clean::years::Period;
use crate::dataset::Dataset;
use crate::extract::{self, Source};
use crate::gate::published_load_of;
use crate::load::georef::Georef;
use crate::runs::{self, Inclusion};
use crate::store::Store;
use crate::tally::{RowCounts, Tally};
use common::failure::{Failure, Result};

/// The files of a load.
pub struct Sources {
    provinces: Source,
    departments: Source,
    /// The line list.
    pub cases: Source,
    pub optional: Vec<OptionalSource>,
    identified: bool,
}

/// The file of an optional dataset, if there is one that can be read.
pub struct OptionalSource {
    pub dataset: Dataset,
    pub source: Option<Source>,
    /// Why the file cannot be read, or why the publish gate keeps its rows out of the release.
    error: Option<String>,
    counts: RowCounts,
}

impl Sources {
    /// Finds the file of every dataset.
    pub async fn find(store: &Store) -> Result<Self> {
        let mut optional = Vec::new();
        for dataset in Dataset::OPTIONAL {
            let mut found =
                OptionalSource { dataset, source: None, error: None, counts: RowCounts::default() };
            match extract::find_optional(store, dataset).await {
                Ok(Some(source)) => found.source = Some(source),
                Ok(None) => {
                    let (dataset, wanted) = (dataset.name(), dataset.file_names().join(" or "));
                    tracing::info!(dataset, wanted, "optional dataset not found; loading without it");
                }
                Err(failure) => found.leave_out(&failure),
            }
            optional.push(found);
        }
        Ok(Self {
            provinces: extract::find(store, Dataset::Provinces).await?,
            departments: extract::find(store, Dataset::Departments).await?,
            cases: extract::find(store, Dataset::Cases).await?,
            optional,
            identified: false,
        })
    }

    /// Computes the checksums by which the next load recognizes the files: a gigabyte takes half a second.
    ///
    /// A file that cannot be read any more gets none, so that the next run loads it again.
    pub async fn identify(&mut self, store: &Store) {
        if std::mem::replace(&mut self.identified, true) {
            return;
        }
        for source in [&mut self.provinces, &mut self.departments, &mut self.cases] {
            if let Err(failure) = source.identify(store).await {
                tracing::warn!("the next run cannot recognize these files: {failure}");
            }
        }
        for optional in &mut self.optional {
            if let Some(source) = &mut optional.source
                && let Err(failure) = source.identify(store).await
                && optional.counts == RowCounts::default()
            {
                optional.leave_out(&failure);
            }
        }
    }

    /// Returns the files that are loaded, in the order of the fingerprint.
    fn all(&self) -> impl Iterator<Item = &Source> {
        let optional = self.optional.iter().filter_map(|optional| optional.source.as_ref());
        [&self.provinces, &self.departments, &self.cases].into_iter().chain(optional)
    }

    /// Returns the record for `pipeline_run`, with checksums once the files are identified.
    pub fn describe(&self, period: &Period) -> runs::DatasetRecord {
        runs::DatasetRecord {
            updated_on: period.dataset_date.into(),
            source_name: self.cases.key.to_string(),
            source_size: i64::try_from(self.cases.size).unwrap_or(i64::MAX),
            source_etag: self.cases.etag(),
            source_sha256: self.cases.sha256.clone(),
            fingerprint: self.identified.then(|| self.fingerprint()),
            years: period.years.name.clone(),
        }
    }

    /// Returns a digest of all loaded files: with or without an optional file it is another dataset.
    fn fingerprint(&self) -> String {
        let identities: Vec<String> = self.all().map(Source::identity).collect();
        extract::hexadecimal(&Sha256::digest(identities.join("\n")))
    }

    /// Returns the result of each dataset, for `run_dataset`.
    pub fn inclusions(&self, georef: &Georef, tally: &Tally) -> Vec<Inclusion> {
        let required = [
            (&self.provinces, georef.counts(Dataset::Provinces)),
            (&self.departments, georef.counts(Dataset::Departments)),
            (&self.cases, tally.cases()),
        ];
        let required = required.map(|(source, counts)| (source.dataset, Some(source), counts, None));
        let optional = self.optional.iter().map(|optional| {
            (optional.dataset, optional.source.as_ref(), optional.counts, optional.error.clone())
        });
        let inclusion =
            |(dataset, source, counts, error): (_, Option<&Source>, _, Option<String>)| Inclusion {
                dataset,
                status: match (source, &error) {
                    (Some(_), None) => "loaded",
                    (Some(_), Some(_)) => "refused",
                    (None, Some(_)) => "unreadable",
                    (None, None) => "missing",
                },
                source: source.map(|source| (source.key.to_string(), source.size)),
                counts: source.map(|_| counts),
                error,
            };
        required.into_iter().chain(optional).map(inclusion).collect()
    }

    /// Returns the loaded optional datasets with their row counts.
    pub fn optional_counts(&self) -> Vec<(Dataset, RowCounts)> {
        let loaded = self.optional.iter().filter(|optional| optional.source.is_some());
        loaded.map(|optional| (optional.dataset, optional.counts)).collect()
    }

    /// Returns the run whose rows the release shows for each optional dataset: this run; the published one if the file is unreadable or
    /// refused; none if the file is missing.
    pub async fn optional_loads(
        &self,
        session: &mut PgConnection,
        run_id: Uuid,
    ) -> Result<Vec<(Dataset, Uuid)>> {
        let mut loads = Vec::new();
        for optional in &self.optional {
            let load = if optional.error.is_some() {
                published_load_of(session, optional.dataset).await?
            } else {
                optional.source.as_ref().map(|_| run_id)
            };
            loads.extend(load.map(|load| (optional.dataset, load)));
        }
        Ok(loads)
    }

    /// Returns the optional datasets that are not loaded.
    pub fn left_out(&self) -> Vec<Dataset> {
        self.optional.iter().filter(|optional| optional.source.is_none()).map(|left| left.dataset).collect()
    }

    /// Reads provinces and departments.
    pub async fn read_georef(&self, store: &Store) -> Result<Georef> {
        let name = self.provinces.url.clone();
        let mut georef = Georef::default();
        let read = move |text: &mut dyn Read| georef.read_provinces(text, &name).map(|()| georef);
        let mut georef = extract::read_text(store, &self.provinces, read).await?;
        let name = self.departments.url.clone();
        let read = move |text: &mut dyn Read| georef.read_departments(text, &name).map(|()| georef);
        extract::read_text(store, &self.departments, read).await
    }
}

impl OptionalSource {
    /// Records the result; the run continues if the file cannot be read.
    pub fn note(&mut self, loaded: Result<RowCounts>) {
        match loaded {
            Ok(counts) => {
                tracing::info!(
                    dataset = self.dataset.name(),
                    read = counts.read,
                    filtered = counts.filtered,
                    loaded = counts.loaded,
                    rejected = counts.rejected,
                    repaired = counts.repaired,
                    "optional dataset loaded"
                );
                self.counts = counts;
            }
            Err(failure) => self.leave_out(&failure),
        }
    }

    /// Keeps the rows out of the release, which then shows the published ones.
    pub fn refuse(&mut self, reason: String) {
        tracing::warn!(
            dataset = self.dataset.name(),
            alarm = true,
            "optional dataset refused; its published rows are kept: {reason}"
        );
        self.error = Some(reason);
    }

    fn leave_out(&mut self, failure: &Failure) {
        tracing::warn!(
            dataset = self.dataset.name(),
            hint = failure.hint_text(),
            alarm = true,
            "optional dataset cannot be loaded; its published rows are kept: {failure}"
        );
        self.source = None;
        self.error = Some(failure.to_string());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    async fn found(folder: &std::path::Path) -> (Store, Sources) {
        let store = Store::open(&format!("file://{}", folder.display())).unwrap();
        let sources = Sources::find(&store).await.unwrap();
        (store, sources)
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn identify_gives_no_checksum_to_file_replaced_during_load() {
        let folder = tempfile::tempdir().unwrap();
        for name in ["provincias.csv", "departamentos.csv", "Covid19Casos.csv"] {
            std::fs::write(folder.path().join(name), "old").unwrap();
        }
        let (store, mut loaded) = found(folder.path()).await;
        // A download replaces the file by a new one.
        std::fs::write(folder.path().join("new"), "new").unwrap();
        std::fs::rename(folder.path().join("new"), folder.path().join("Covid19Casos.csv")).unwrap();
        loaded.identify(&store).await;
        assert!(loaded.provinces.sha256.is_some(), "the others are hashed");
        assert_eq!(loaded.cases.sha256, None);

        let (store, mut next) = found(folder.path()).await;
        next.identify(&store).await;
        assert!(next.cases.sha256.is_some());
        assert_ne!(loaded.fingerprint(), next.fingerprint());
    }
}
