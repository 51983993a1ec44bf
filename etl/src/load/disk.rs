//! Checks before a load that the database's disk has room for another release.
//!
//! PostgreSQL does not report free space. If its data folder is on this machine and visible, the file system does; elsewhere (RDS) the
//! alarm on free storage warns.

use std::path::Path;

use nix::sys::statvfs::statvfs;
use sqlx::postgres::PgConnection;

use crate::database::DbContext as _;
use common::failure::{Failure, Result};

/// Refuses a load whose release would not fit beside those that are kept. `source_size` is the size of the line list's file in bytes; the
/// ratio of release and file is expected to be that of the published release.
pub async fn require_room(session: &mut PgConnection, source_size: u64) -> Result<()> {
    let (folder, local, published, published_source): (Option<String>, bool, Option<i64>, Option<i64>) =
        sqlx::query_as(
            "SELECT (SELECT setting FROM pg_settings WHERE name = 'data_directory'),
                    coalesce(inet_server_addr() <<= '127.0.0.0/8' OR inet_server_addr() = '::1', true),
                    (SELECT pg_total_relation_size(to_regclass('public.release_case_' || release_id)) FROM published_release),
                    (SELECT source_size FROM pipeline_run WHERE run_id = published_load())",
        )
        .fetch_one(session)
        .await
        .db_context("cannot ask how large the published release is")?;
    let Some(folder) = folder.filter(|folder| local && Path::new(folder).join("PG_VERSION").exists()) else {
        return Ok(());
    };
    let (Some(published), Some(published_source)) = (published, published_source) else {
        return Ok(());
    };
    let expected = u128::from(published.unsigned_abs()) * u128::from(source_size)
        / u128::from(published_source.unsigned_abs().max(1));
    let Ok(disk) = statvfs(folder.as_str()) else { return Ok(()) };
    let free = u128::from(disk.blocks_available()) * u128::from(disk.fragment_size());
    if free >= expected {
        return Ok(());
    }
    let [free, expected] = [free, expected].map(|bytes| bytes / 1_000_000);
    let what = format!(
        "the disk of the database has {free} MB free, the new release needs about {expected} MB beside those that are kept"
    );
    Err(Failure::new(what).hint("free some space, or keep fewer releases: `--keep-releases 0`"))
}
