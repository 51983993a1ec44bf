//! Reports in storage: a folder for each, and the pointer `reports/latest.json` to the latest.
//!
//! Without a pointer, which only earlier versions lack, the newest report is the latest.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use chrono::{DateTime, Utc};
use common::atomic_file;
use common::failure::{Context as _, Failure, Result};
use etcetera::BaseStrategy as _;
use etl::report::{LATEST_JSON, Pointer, REWRITE_HINT};
use etl::store::{OrRefused as _, REPORTS, Store};
use futures_util::TryStreamExt as _;
use object_store::path::Path as Key;
use object_store::{ObjectMeta, ObjectStore as _};
use serde::Serialize;

/// The argument that stands for the latest report. Earlier versions kept a copy in a folder of this name.
pub const LATEST: &str = "latest";

const TEXT: &str = "report.txt";

#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Report {
    /// Name of its folder: time and run.
    pub name: String,
    pub stored_at: DateTime<Utc>,
    pub files: usize,
    /// Bytes of all files.
    pub size: u64,
    /// Whether `reports/latest.json` names it.
    pub latest: bool,
}

/// Lists reports, newest first. None is marked as latest if the pointer cannot be read; [`latest`] returns the error.
pub async fn list(store: &Store) -> Result<Vec<Report>> {
    let root = Key::from(REPORTS);
    // One listing for all: a request per report takes a minute for a year of daily reports.
    let listed: object_store::Result<Vec<ObjectMeta>> = store.objects().list(Some(&root)).try_collect().await;
    let mut folders: BTreeMap<String, Vec<ObjectMeta>> = BTreeMap::new();
    for file in listed.or_refused(|| format!("cannot list `{}`", store.url_of(&root)))? {
        let folder = file.location.parts().nth(1).map(|folder| folder.as_ref().to_owned());
        folders.entry(folder.unwrap_or_default()).or_default().push(file);
    }
    // The names begin with the time.
    let mut reports: Vec<Report> =
        folders.into_iter().rev().filter_map(|(name, files)| report(name, &files)).collect();
    let latest = match Pointer::read(store).await {
        Ok(Some(pointer)) => Some(pointer.folder),
        Ok(None) => reports.first().map(|report| report.name.clone()),
        Err(_) => None,
    };
    for report in &mut reports {
        report.latest = latest.as_ref() == Some(&report.name);
    }
    Ok(reports)
}

/// Returns the latest report, without listing the others if there is a pointer; `None` if there is none.
pub async fn latest(store: &Store) -> Result<Option<Report>> {
    let found = match Pointer::read(store).await? {
        Some(Pointer { folder, .. }) => {
            let files = files(store, &folder).await?;
            let pointer = store.url_of(&Key::from_iter([REPORTS, LATEST_JSON]));
            let gone = || {
                Failure::new(format!("`{pointer}` names the report `{folder}`, which is not there"))
                    .hint(REWRITE_HINT)
            };
            Some(report(folder.clone(), &files).ok_or_else(gone)?)
        }
        None => list(store).await?.into_iter().next(),
    };
    Ok(found.map(|report| Report { latest: true, ..report }))
}

/// Returns a folder as a report, or `None` while it is incomplete (it has no text).
fn report(name: String, files: &[ObjectMeta]) -> Option<Report> {
    let text = files.iter().find(|file| file.location.filename() == Some(TEXT)).filter(|_| name != LATEST)?;
    let size = files.iter().map(|file| file.size).sum();
    Some(Report { name, stored_at: text.last_modified, files: files.len(), size, latest: false })
}

/// Returns the full name of the report that begins with `typed`, or of the latest.
pub async fn find(store: &Store, typed: &str) -> Result<String> {
    if typed == LATEST {
        let none = || Failure::new("there is no report yet").hint("covidctl run report");
        return Ok(latest(store).await?.ok_or_else(none)?.name);
    }
    let names = list(store).await?.into_iter().map(|report| report.name);
    let mut fitting = names.filter(|name| name.starts_with(typed));
    match (fitting.next(), fitting.next()) {
        (Some(name), None) => Ok(name),
        (None, _) => Err(Failure::new(format!("there is no report `{typed}`")).hint("covidctl reports list")),
        _ => Err(Failure::new(format!("several reports begin with `{typed}`")).hint("covidctl reports list")),
    }
}

pub async fn text(store: &Store, name: &str) -> Result<String> {
    let read = store.get(&Key::from_iter([REPORTS, name, TEXT])).await;
    let content = read.map_err(|failure| failure.hint("covidctl reports list"))?;
    Ok(String::from_utf8_lossy(&content).into_owned())
}

pub async fn document(store: &Store, name: &str) -> Result<serde_json::Value> {
    let key = Key::from_iter([REPORTS, name, "report.json"]);
    let content = store.get(&key).await.map_err(no_such_file)?;
    serde_json::from_slice(&content).context(|| format!("cannot read `{}`", store.url_of(&key)))
}

/// Returns the HTML page of a report as a local file, which is a copy unless storage is local.
pub async fn page(store: &Store, name: &str) -> Result<PathBuf> {
    let key = Key::from_iter([REPORTS, name, "report.html"]);
    let content = store.get(&key).await.map_err(no_such_file)?;
    if let Some(path) = store.path_of(&key) {
        return Ok(path);
    }
    // In a folder of this user alone. The browser may read it at any time, so the next copy replaces it.
    let cache = etcetera::choose_base_strategy().context(|| "cannot find the cache directory")?.cache_dir();
    let (folder, path) = (cache.join("covidctl"), cache.join("covidctl/report.html"));
    std::fs::create_dir_all(&folder).context(|| format!("cannot create `{}`", folder.display()))?;
    atomic_file::write(&path, &content).context(|| format!("cannot write `{}`", path.display()))?;
    Ok(path)
}

fn no_such_file(failure: Failure) -> Failure {
    failure.hint("covidctl run report    (reports of older releases have only text and CSV)")
}

pub async fn files(store: &Store, name: &str) -> Result<Vec<ObjectMeta>> {
    let folder = Key::from_iter([REPORTS, name]);
    let listed = store.objects().list(Some(&folder)).try_collect().await;
    listed.or_refused(|| format!("cannot list `{}`", store.url_of(&folder)))
}

/// Copies the files of a report to a directory; returns their number.
pub async fn copy(store: &Store, name: &str, folder: &Path) -> Result<usize> {
    let found = files(store, name).await?;
    if found.is_empty() {
        return Err(Failure::new(format!("there is no report `{name}`")).hint("covidctl run report"));
    }
    std::fs::create_dir_all(folder).context(|| format!("cannot create directory `{}`", folder.display()))?;
    for file in &found {
        // The file name alone: a key in storage must not choose another directory.
        let path = folder.join(file.location.filename().unwrap_or("file"));
        let content = store.get(&file.location).await?;
        std::fs::write(&path, content).context(|| format!("cannot write `{}`", path.display()))?;
    }
    Ok(found.len())
}

#[cfg(test)]
mod tests {
    use super::*;

    const RUN: &str = "7d444840-9dc0-41d1-b245-5ffdce74fad2";

    /// Two reports, an incomplete one, the copy of an earlier version, and this pointer.
    async fn store(pointer: Option<&str>) -> Store {
        let store = Store::in_memory();
        for key in [
            "20250101_000000_a/report.txt",
            "20250201_000000_b/report.txt",
            "20250201_000000_b/1.csv",
            "20250301_000000_half/1.csv",
            "latest/report.txt",
        ] {
            store.put(&Key::from(format!("reports/{key}")), key.to_owned()).await.unwrap();
        }
        if let Some(pointer) = pointer {
            store.put(&Key::from("reports/latest.json"), pointer.to_owned()).await.unwrap();
        }
        store
    }

    fn pointer_to(folder: &str) -> String {
        serde_json::json!({ "folder": folder, "run_id": RUN }).to_string()
    }

    #[tokio::test]
    async fn list_returns_complete_reports_newest_first() {
        let reports = list(&store(Some(&pointer_to("20250101_000000_a"))).await).await.unwrap();
        let facts: Vec<_> =
            reports.iter().map(|report| (report.name.as_str(), report.files, report.latest)).collect();
        assert_eq!(facts, [("20250201_000000_b", 2, false), ("20250101_000000_a", 1, true)]);
    }

    #[tokio::test]
    async fn find_accepts_unique_beginning_of_name() {
        let store = store(None).await;
        assert_eq!(find(&store, "202502").await.unwrap(), "20250201_000000_b");
        assert!(find(&store, "2025").await.unwrap_err().to_string().contains("several"));
        assert!(find(&store, "2024").await.is_err());
    }

    #[tokio::test]
    async fn find_latest_follows_pointer() {
        let store = store(Some(&pointer_to("20250101_000000_a"))).await;
        assert_eq!(find(&store, LATEST).await.unwrap(), "20250101_000000_a");
        assert!(latest(&store).await.unwrap().unwrap().latest);
    }

    #[tokio::test]
    async fn find_latest_without_pointer_is_newest_whole_report() {
        let store = store(None).await;
        assert_eq!(find(&store, LATEST).await.unwrap(), "20250201_000000_b");
        assert!(list(&store).await.unwrap()[0].latest);
    }

    #[tokio::test]
    async fn find_latest_in_empty_store_fails_with_hint() {
        let failure = find(&Store::in_memory(), LATEST).await.unwrap_err();
        assert_eq!(failure.hint_text(), Some("covidctl run report"));
    }

    #[tokio::test]
    async fn find_latest_with_broken_pointer_fails_with_hint_and_list_still_works() {
        let gone = "names the report `20240101_000000_gone`, which is not there";
        for (pointer, words) in [
            (pointer_to("20240101_000000_gone"), gone),
            (pointer_to("20250301_000000_half"), "which is not there"),
            (pointer_to("latest"), "which is not there"),
            (pointer_to("../runs"), "names no folder under `reports/`"),
            (pointer_to("a/b"), "names no folder under `reports/`"),
            ("{".to_owned(), "cannot read `memory:///reports/latest.json`"),
        ] {
            let store = store(Some(&pointer)).await;
            let failure = find(&store, LATEST).await.unwrap_err();
            assert!(failure.to_string().contains(words), "{pointer}: {failure}");
            assert!(failure.hint_text().unwrap().starts_with("covidctl run report"), "{pointer}");
            let reports = list(&store).await.unwrap();
            assert_eq!(reports.len(), 2, "{pointer}");
            assert!(reports.iter().all(|report| !report.latest), "{pointer}");
        }
    }
}
