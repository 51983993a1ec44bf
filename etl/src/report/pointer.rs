//! The pointer `reports/latest.json`: the name of the latest report's folder, and the run that wrote it.
//!
//! It is written last, after every file of that folder, and only by a report of the release that is published then. A reader
//! that follows it always finds a whole report.

use object_store::ObjectStoreExt as _;
use object_store::path::Path as Key;
use serde::{Deserialize, Serialize};
use sqlx::{Connection as _, PgConnection};
use uuid::Uuid;

use crate::database::DbContext as _;
use crate::store::{REPORTS, Store, refused};
use common::failure::{Context as _, Failure, Result};

/// The name of the file, under [`REPORTS`].
pub const LATEST_JSON: &str = "latest.json";

/// The advisory lock under which a report asks for the published load and writes the pointer; "report" in ASCII.
pub const POINTER_LOCK: i64 = 0x7265_706f_7274;

/// Limits the wait for [`POINTER_LOCK`]: a store is asked for at most 30 seconds to take the pointer of the report that holds it.
const SET_LOCK_TIMEOUT: &str = "SET LOCAL lock_timeout = '60s'";

/// What to do about a pointer that cannot be followed.
pub const REWRITE_HINT: &str =
    "covidctl run report    (writes a new one; `covidctl reports list` shows what is there)";

/// Where the latest report is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Pointer {
    /// The name of its folder, under [`REPORTS`].
    pub folder: String,
    /// The id of the report's own run.
    pub run_id: Uuid,
}

impl Pointer {
    /// Reads the pointer of a store; `None` if it has none. A pointer that is not JSON, or whose folder is not a plain name, is
    /// a failure.
    pub async fn read(store: &Store) -> Result<Option<Self>> {
        let place = || store.url_of(&Self::key());
        let read = async { store.objects().get(&Self::key()).await?.bytes().await };
        let content = match read.await {
            Ok(content) => content,
            Err(object_store::Error::NotFound { .. }) => return Ok(None),
            Err(error) => return Err(refused(format!("cannot read `{}`", place()), error)),
        };
        let pointer: Self = serde_json::from_slice(&content)
            .context(|| format!("cannot read `{}`", place()))
            .map_err(|failure| failure.hint(REWRITE_HINT))?;
        if !is_folder_name(&pointer.folder) {
            let what = format!("`{}` names no folder under `{REPORTS}/`: `{}`", place(), pointer.folder);
            return Err(Failure::new(what).hint(REWRITE_HINT));
        }
        Ok(Some(pointer))
    }

    /// Writes the pointer if `release` is still the published load; returns whether it was written.
    ///
    /// Between the question and the write, another load can be published and another report can finish. An advisory lock
    /// makes the two steps one for all reports of a database: the report that asks last also writes last, so the pointer ends at a
    /// report of the load that was published when its writer asked. A load that is published after that question is followed by its own
    /// report, which waits for the lock. Conditional writes (`If-Match`) would not do: folders lack them, and they compare
    /// pointers, not releases.
    ///
    /// Two gaps remain, in which the pointer names a whole report of an older release until the next report: the connection
    /// is lost, and with it the lock, while the store still takes the pointer; or the report is asked of a replica, which knows
    /// only the publishes that it has replayed and shares no locks with its master.
    pub(super) async fn write_if_published(
        &self,
        release: Option<Uuid>,
        database: &mut PgConnection,
        store: &Store,
    ) -> Result<bool> {
        let cannot = "cannot ask which load is published";
        // Whatever the database's default: the question after the lock must not be answered from a snapshot taken before it.
        let begin = "BEGIN ISOLATION LEVEL READ COMMITTED READ ONLY";
        let mut turn = database.begin_with(begin).await.db_context(cannot)?;
        sqlx::query(SET_LOCK_TIMEOUT).execute(&mut *turn).await.db_context(cannot)?;
        sqlx::query("SELECT pg_advisory_xact_lock($1)")
            .bind(POINTER_LOCK)
            .execute(&mut *turn)
            .await
            .db_context("cannot take the lock of the latest report")?;
        let is_published = published_load(&mut turn).await.db_context(cannot)? == release;
        if is_published {
            let content = serde_json::to_vec(self).context(|| format!("cannot encode `{LATEST_JSON}`"))?;
            store.put(&Self::key(), content).await?;
        }
        // The transaction holds a lock and no changes. If the connection is lost here, the pointer is written all the same.
        if let Err(error) = turn.rollback().await {
            tracing::debug!(%error, "the lock of the latest report was not released cleanly");
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

/// Returns whether `name` is one plain path segment, as reports have it: no `..`, no slash, nothing to escape.
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
    async fn read_pointer_as_contract_has_it_returns_folder_and_run() {
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
