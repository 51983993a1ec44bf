//! The datasets in storage: the files at its top level.

use chrono::{DateTime, Utc};
use common::failure::Result;
use etl::store::{OrRefused as _, Store};
use serde::Serialize;

#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Dataset {
    /// File name of the ministry.
    pub name: String,
    /// Bytes.
    pub size: u64,
    pub stored_at: DateTime<Utc>,
}

/// Lists the datasets by name, without the hidden files that a killed writer leaves.
pub async fn list(store: &Store) -> Result<Vec<Dataset>> {
    let listed = store.objects().list_with_delimiter(None).await;
    let mut datasets: Vec<Dataset> = listed
        .or_refused(|| format!("cannot list `{store}`"))?
        .objects
        .into_iter()
        .filter(|object| !object.location.as_ref().starts_with('.'))
        .map(|object| Dataset {
            name: object.location.to_string(),
            size: object.size,
            stored_at: object.last_modified,
        })
        .collect();
    datasets.sort_by(|a, b| a.name.cmp(&b.name));
    Ok(datasets)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn list_folder_with_leftovers_of_killed_writers_returns_datasets_alone() {
        let folder = tempfile::tempdir().unwrap();
        // A sample that was killed, a download that was killed, a dataset.
        for name in [".sample-x1Y2z3", "Covid19Casos.zip#1", "provincias.csv"] {
            std::fs::write(folder.path().join(name), "x").unwrap();
        }
        let store = Store::open(&format!("file://{}", folder.path().display())).unwrap();
        let names: Vec<_> = list(&store).await.unwrap().into_iter().map(|dataset| dataset.name).collect();
        assert_eq!(names, ["provincias.csv"]);
    }
}
