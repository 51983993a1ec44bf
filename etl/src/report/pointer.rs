//! The pointer `reports/latest.json` to the folder of the latest report.
//!
//! It is written after every file of that folder, and only by a report of the release that is published at that time. A reader
//! that follows it always finds a whole report.

use object_store::ObjectStoreExt as _;
use object_store::path::Path as Key;
use serde::{Deserialize, Serialize};
use sqlx::{Connection as _, PgConnection};
use uuid::Uuid;

use crate::database::DbContext as _;
use crate::store::{REPORTS, Store, refused};
use common::failure::{Context as _, Failure, Result};

/// The name of the pointer, under [`REPORTS`].
pub const LATEST_JSON: &str = "latest.json";

/// The advisory lock that a report holds from reading the published load until the pointer is written; "report" in ASCII.
pub const POINTER_LOCK: i64 = 0x7265_706f_7274;

/// Limits the wait for [`POINTER_LOCK`]. Its holder retries a write to the store for at most 30 seconds.
const SET_LOCK_TIMEOUT: &str = "SET LOCAL lock_timeout = '60s'";

/// The hint on a pointer that cannot be followed.
pub const REWRITE_HINT: &str =
    "covidctl run report    (writes a new one; `covidctl reports list` shows what is there)";

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Pointer {
    /// The name of the report's folder, under [`REPORTS`].
    pub folder: String,
    /// The id of the report's own run.
    pub run_id: Uuid,
}

impl Pointer {
    /// Reads the pointer of a store, if there is one. Fails if it is not JSON, or if its folder is not a plain name.
    pub async fn read(store: &Store) -> Result<Option<Self>> {
        let url = || store.url_of(&Self::key());
        let read = async { store.objects().get(&Self::key()).await?.bytes().await };
        let content = match read.await {
            Ok(content) => content,
            Err(object_store::Error::NotFound { .. }) => return Ok(None),
            Err(error) => return Err(refused(format!("cannot read `{}`", url()), error)),
        };
        let pointer: Self = serde_json::from_slice(&content)
            .context(|| format!("cannot read `{}`", url()))
            .map_err(|failure| failure.hint(REWRITE_HINT))?;
        if !is_folder_name(&pointer.folder) {
            let what = format!("`{}` names no folder under `{REPORTS}/`: `{}`", url(), pointer.folder);
            return Err(Failure::new(what).hint(REWRITE_HINT));
        }
        Ok(Some(pointer))
    }

    /// Writes the pointer if `load` is still the published load; returns whether it was written.
    ///
    /// An advisory lock makes reading the published load and writing the pointer one step for all reports of a database. So the
    /// report that reads last also writes last, and the pointer ends at a report of the load that was published then. A load that is
    /// published later is followed by its own report, which waits for the lock. Conditional writes (`If-Match`) do not solve this:
    /// folders lack them, and they compare pointers, not releases.
    ///
    /// In two cases the pointer names a whole report of an older release until the next report: if the connection, and with it the
    /// lock, is lost while the store still writes the pointer; and on a replica, which lags behind its primary and does not share its locks.
    pub(super) async fn write_if_published(
        &self,
        load: Option<Uuid>,
        database: &mut PgConnection,
        store: &Store,
    ) -> Result<bool> {
        let cannot_read = "cannot read which load is published";
        // Not the default of the database: the read after the lock must not see a snapshot from before it.
        let begin = "BEGIN ISOLATION LEVEL READ COMMITTED READ ONLY";
        let mut transaction = database.begin_with(begin).await.db_context(cannot_read)?;
        sqlx::query(SET_LOCK_TIMEOUT).execute(&mut *transaction).await.db_context(cannot_read)?;
        sqlx::query("SELECT pg_advisory_xact_lock($1)")
            .bind(POINTER_LOCK)
            .execute(&mut *transaction)
            .await
            .db_context("cannot take the lock of the latest report")?;
        let is_published = published_load(&mut transaction).await.db_context(cannot_read)? == load;
        if is_published {
            let content = serde_json::to_vec(self).context(|| format!("cannot encode `{LATEST_JSON}`"))?;
            store.put(&Self::key(), content).await?;
        }
        // The transaction changed nothing, and the pointer is already written.
        if let Err(error) = transaction.rollback().await {
            tracing::debug!(%error, "could not release the lock of the latest report");
        }
        Ok(is_published)
    }

    fn key() -> Key {
        Key::from_iter([REPORTS, LATEST_JSON])
    }
}

/// Returns the load whose rows this transaction sees, if there is one.
pub(super) async fn published_load(database: &mut PgConnection) -> sqlx::Result<Option<Uuid>> {
    sqlx::query_scalar("SELECT public.published_load()").fetch_one(database).await
}

/// Returns whether `name` is one plain path segment: no `..`, no slash, nothing to escape.
fn is_folder_name(name: &str) -> bool {
    !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"_-".contains(&byte))
}

#[cfg(test)]
mod tests {
    use super::*;

    async fn read(content: &str) -> Result<Option<Pointer>> {
        let store = Store::in_memory();
        store.put(&Pointer::key(), content.to_owned()).await.unwrap();
        Pointer::read(&store).await
    }

    #[tokio::test]
    async fn read_pointer_missing_is_none() {
        assert_eq!(Pointer::read(&Store::in_memory()).await.unwrap(), None);
    }

    #[tokio::test]
    async fn read_pointer_with_unknown_field_returns_folder_and_run() {
        let run = "7d444840-9dc0-41d1-b245-5ffdce74fad2";
        let text = format!(r#"{{"folder": "20220605_040302_{run}", "run_id": "{run}", "since": "later"}}"#);
        let pointer = read(&text).await.unwrap().unwrap();
        assert_eq!(
            (pointer.folder, pointer.run_id.to_string()),
            (format!("20220605_040302_{run}"), run.to_owned())
        );
    }

    #[tokio::test]
    async fn read_pointer_broken_fails_with_hint() {
        for content in ["", "{", "[]", r#"{"folder": "a"}"#, r#"{"folder": 1, "run_id": 1}"#] {
            let failure = read(content).await.unwrap_err();
            assert!(
                failure.to_string().starts_with("cannot read `memory:///reports/latest.json`"),
                "{failure}"
            );
            assert!(failure.hint_text().is_some(), "{content}");
        }
    }

    #[tokio::test]
    async fn read_pointer_outside_reports_fails_with_hint() {
        for folder in ["", ".", "..", "../runs", "/etc", "a/b", "..%2Fruns", "a\\b", "a b", "é", "a\n"] {
            let text = serde_json::json!({ "folder": folder, "run_id": Uuid::nil() }).to_string();
            let failure = read(&text).await.unwrap_err();
            assert!(failure.to_string().contains("names no folder under `reports/`"), "{folder}: {failure}");
            assert!(failure.hint_text().is_some(), "{folder}");
        }
    }
}
