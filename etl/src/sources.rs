//! The files of one load: which there are, what tells them from others, and what became of each in the end.
//!
//! A dataset that is needed and not there ends the run; an optional one is left out, which is said here and stands in `run_dataset`.

use std::sync::Arc;
use std::sync::atomic::AtomicU64;

use sha2::{Digest as _, Sha256};
use sqlx::postgres::PgConnection;
use uuid::Uuid;

use crate::background::in_background;
use crate::clean::years::Years;
use crate::dataset::Dataset;
use crate::extract::{self, Source};
use crate::gate::published_load_of;
use crate::load::georef::Georef;
use crate::parse::date::Day;
use crate::runs::{self, Inclusion};
use crate::store::Store;
use crate::tally::{Counts, Tally};
use common::failure::{Failure, Result};

/// The files that were found.
pub struct Sources {
    provinces: Source,
    departments: Source,
    /// The line list.
    pub cases: Source,
    optional: Vec<Optional>,
    identified: bool,
}

/// An optional dataset, from the moment in which it is looked for.
struct Optional {
    dataset: Dataset,
    source: Option<Source>,
    /// Why it is left out although there is something.
    trouble: Option<String>,
    /// Why the publish gate keeps its rows out of the release.
    refused: Option<String>,
    counts: Counts,
}

impl Sources {
    /// Looks for every dataset.
    pub async fn find(store: &Store) -> Result<Self> {
        let mut optional = Vec::new();
        for dataset in Dataset::OPTIONAL {
            let (source, trouble) = match extract::find_optional(store, dataset).await {
                Ok(source) => (source, None),
                Err(failure) => (None, Some(failure)),
            };
            if source.is_none() && trouble.is_none() {
                let wanted = dataset.file_names().join(" or ");
                tracing::info!(
                    dataset = dataset.name(),
                    wanted,
                    "this optional dataset is not there; the rest is loaded without it"
                );
            }
            let mut found =
                Optional { dataset, source, trouble: None, refused: None, counts: Counts::default() };
            if let Some(failure) = trouble {
                found.leave_out(&failure);
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

    /// Makes the checksums of files in a folder, by which the next load recognises them: a gigabyte takes half a second.
    ///
    /// What cannot be read any more stays without: if it was loaded before it went away, it is loaded again next time.
    pub async fn identify(&mut self, store: &Store) {
        if std::mem::replace(&mut self.identified, true) {
            return;
        }
        for source in [&mut self.provinces, &mut self.departments, &mut self.cases] {
            if let Err(failure) = source.identify(store).await {
                tracing::warn!("the next run will not recognise what this one loads: {failure}");
            }
        }
        for optional in &mut self.optional {
            if let Some(source) = &mut optional.source
                && let Err(failure) = source.identify(store).await
                && optional.counts == Counts::default()
            {
                optional.leave_out(&failure);
            }
        }
    }

    /// Those that are loaded, in the order in which they are told apart from others.
    fn all(&self) -> impl Iterator<Item = &Source> {
        let optional = self.optional.iter().filter_map(|optional| optional.source.as_ref());
        [&self.provinces, &self.departments, &self.cases].into_iter().chain(optional)
    }

    /// The optional files that can be loaded.
    pub fn optional(&self) -> Vec<Source> {
        self.optional.iter().filter_map(|optional| optional.source.clone()).collect()
    }

    /// Notes what became of an optional file: the outer program goes on in both cases.
    pub fn note(&mut self, dataset: Dataset, loaded: Result<Counts>) {
        let Some(optional) = self.optional.iter_mut().find(|optional| optional.dataset == dataset) else {
            return;
        };
        match loaded {
            Ok(counts) => {
                tracing::info!(
                    dataset = dataset.name(),
                    read = counts.read,
                    filtered = counts.filtered,
                    loaded = counts.loaded,
                    rejected = counts.rejected,
                    repaired = counts.repaired,
                    "optional dataset loaded"
                );
                optional.counts = counts;
            }
            Err(failure) => optional.leave_out(&failure),
        }
    }

    /// What `pipeline_run` says of them: all of it once they are identified.
    pub fn describe(&self, dataset_date: Day, years: &Years) -> runs::Dataset {
        runs::Dataset {
            updated_on: dataset_date.into(),
            source_name: self.cases.name(),
            source_size: i64::try_from(self.cases.size).unwrap_or(i64::MAX),
            source_etag: self.cases.etag(),
            source_sha256: self.cases.sha256.clone(),
            fingerprint: self.identified.then(|| self.fingerprint()),
            years: years.to_string(),
        }
    }

    /// One digest of all files that are loaded: with another optional file, or without one, it is another dataset. Without any,
    /// it is what it was before there were optional ones.
    fn fingerprint(&self) -> String {
        let identities: Vec<String> = self.all().map(Source::identity).collect();
        extract::hexadecimal(&Sha256::digest(identities.join("\n")))
    }

    /// What became of each dataset, for `run_dataset`.
    pub fn inclusions(&self, georef: &Georef, tally: &Tally) -> Vec<Inclusion> {
        let needed = [
            (&self.provinces, georef.counts(Dataset::Provinces)),
            (&self.departments, georef.counts(Dataset::Departments)),
            (&self.cases, tally.cases()),
        ];
        let loaded = |source: &Source, counts: Counts| Inclusion {
            dataset: source.dataset,
            status: "loaded",
            source: Some((source.name(), source.size)),
            counts: Some(counts),
            error: None,
        };
        let optional = self.optional.iter().map(|optional| match &optional.source {
            Some(source) if optional.refused.is_some() => Inclusion {
                status: "refused",
                error: optional.refused.clone(),
                ..loaded(source, optional.counts)
            },
            Some(source) => loaded(source, optional.counts),
            None => Inclusion {
                dataset: optional.dataset,
                status: if optional.trouble.is_some() { "unreadable" } else { "missing" },
                source: None,
                counts: None,
                error: optional.trouble.clone(),
            },
        });
        needed.into_iter().map(|(source, counts)| loaded(source, counts)).chain(optional).collect()
    }

    /// The optional datasets that were loaded, with what became of their rows.
    pub fn optional_counts(&self) -> Vec<(Dataset, Counts)> {
        let loaded = self.optional.iter().filter(|optional| optional.source.is_some());
        loaded.map(|optional| (optional.dataset, optional.counts)).collect()
    }

    /// Keeps the rows of an optional dataset out of the release, which then shows those that are published.
    pub fn refuse(&mut self, dataset: Dataset, reason: &str) {
        tracing::warn!(
            dataset = dataset.name(),
            alarm = true,
            "this optional dataset is refused, what is published of it stays: {reason}"
        );
        for optional in self.optional.iter_mut().filter(|optional| optional.dataset == dataset) {
            optional.refused = Some(reason.to_owned());
        }
    }

    /// Which run's rows the release shows for each optional dataset: this run's; the published ones if its own are unreadable or
    /// refused; none if its file is gone.
    pub async fn optional_loads(
        &self,
        session: &mut PgConnection,
        run_id: Uuid,
    ) -> Result<Vec<(Dataset, Uuid)>> {
        let mut loads = Vec::new();
        for optional in &self.optional {
            let load = if optional.trouble.is_some() || optional.refused.is_some() {
                published_load_of(session, optional.dataset).await?
            } else {
                optional.source.as_ref().map(|_| run_id)
            };
            loads.extend(load.map(|load| (optional.dataset, load)));
        }
        Ok(loads)
    }

    /// The optional datasets of which nothing is loaded.
    pub fn left_out(&self) -> Vec<Dataset> {
        self.optional.iter().filter(|optional| optional.source.is_none()).map(|left| left.dataset).collect()
    }

    /// Reads the two small files.
    pub async fn read_georef(&self, store: &Store) -> Result<Georef> {
        let (store, provinces, departments) =
            (store.clone(), self.provinces.clone(), self.departments.clone());
        in_background(move |runtime| {
            let (mut georef, position) = (Georef::default(), Arc::new(AtomicU64::new(0)));
            extract::with_text(&store, &provinces, runtime, &position, |text| {
                georef.read_provinces(text, &provinces.url)
            })?;
            extract::with_text(&store, &departments, runtime, &position, |text| {
                georef.read_departments(text, &departments.url)
            })?;
            Ok(georef)
        })
        .await
    }
}

impl Optional {
    fn leave_out(&mut self, failure: &Failure) {
        tracing::warn!(
            dataset = self.dataset.name(),
            hint = failure.hint_text(),
            alarm = true,
            "this optional dataset cannot be loaded, what is published of it stays: {failure}"
        );
        self.source = None;
        self.trouble = Some(failure.to_string());
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
    async fn a_file_that_was_replaced_before_it_was_hashed_is_not_taken_for_the_one_that_was_loaded() {
        let folder = tempfile::tempdir().unwrap();
        for name in ["provincias.csv", "departamentos.csv", "Covid19Casos.csv"] {
            std::fs::write(folder.path().join(name), "old").unwrap();
        }
        let (store, mut loaded) = found(folder.path()).await;
        // As a download does: a new file takes the old one's name.
        std::fs::write(folder.path().join("new"), "new").unwrap();
        std::fs::rename(folder.path().join("new"), folder.path().join("Covid19Casos.csv")).unwrap();
        loaded.identify(&store).await;
        assert!(loaded.provinces.sha256.is_some(), "the others are hashed all the same");
        assert_eq!(loaded.cases.sha256, None);

        let (store, mut next) = found(folder.path()).await;
        next.identify(&store).await;
        assert!(next.cases.sha256.is_some());
        assert_ne!(loaded.fingerprint(), next.fingerprint());
    }
}
