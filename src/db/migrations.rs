//! Applied migrations.

use chrono::{DateTime, Utc};
use common::failure::Result;
use serde::Serialize;
use sqlx::postgres::{PgConnection, PgRow};
use sqlx::{Error, Row as _};

use super::cannot_read;

#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct AppliedMigration {
    pub version: i64,
    pub description: String,
    pub applied_at: DateTime<Utc>,
    pub success: bool,
}

const SQL: &str = "SELECT version, description, installed_on, success FROM _sqlx_migrations ORDER BY version";

/// Lists applied migrations in order; none if the schema does not exist.
pub async fn applied(connection: &mut PgConnection) -> Result<Vec<AppliedMigration>> {
    if etl::migrate::schema_state(connection).await?.applied == 0 {
        return Ok(Vec::new());
    }
    let rows = sqlx::query(SQL).try_map(|row: PgRow| {
        Ok::<_, Error>(AppliedMigration {
            version: row.try_get(0)?,
            description: row.try_get(1)?,
            applied_at: row.try_get(2)?,
            success: row.try_get(3)?,
        })
    });
    rows.fetch_all(connection).await.map_err(|error| cannot_read("the migrations", error))
}
