//! Releases: published, kept for a rollback, or dropped.

use chrono::{DateTime, NaiveDate, Utc};
use common::failure::{Failure, Result};
use serde::Serialize;
use sqlx::Row as _;
use sqlx::postgres::{PgConnection, PgRow};
use uuid::Uuid;

use super::{answered, cannot_read, cluster, rows};

/// A release. Fields are named like the columns of `release` and `pipeline_run`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Release {
    /// Its number; ascends in the order in which loads began.
    pub release_id: i32,
    pub state: ReleaseState,
    /// The load that built it.
    pub run_id: Uuid,
    /// Ordinal of its latest publication; none if it was never published.
    pub publication: Option<i64>,
    pub dataset_updated_on: Option<NaiveDate>,
    /// `all`, or its years.
    pub years: Option<String>,
    /// Rows of `covid_case`.
    pub rows_loaded: Option<i64>,
    /// End of its load.
    pub loaded_at: Option<DateTime<Utc>>,
    /// Whether a rollback replaced it; it is then loaded again only if its files change.
    pub rolled_back: bool,
    pub replaced_at: Option<DateTime<Utc>>,
    pub dropped_at: Option<DateTime<Utc>>,
    /// Version of the cleaning rules that built it.
    pub rules_version: i32,
    /// Bytes of its cases, provinces and departments with their indexes.
    pub size_bytes: Option<i64>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum ReleaseState {
    /// Readers see it.
    Published,
    /// It was replaced, and a rollback can publish it again.
    Kept,
    /// A rollback replaced it; its files are not loaded again until they change.
    RolledBack,
    /// Its rows are gone.
    Dropped,
    /// Its load has not published it.
    Unpublished,
}

impl ReleaseState {
    /// Returns the state as text.
    pub const fn words(self) -> &'static str {
        match self {
            Self::Published => "published",
            Self::Kept => "kept",
            Self::RolledBack => "rolled back",
            Self::Dropped => "dropped",
            Self::Unpublished => "unpublished",
        }
    }

    /// Returns whether a rollback can publish it.
    pub const fn is_available(self) -> bool {
        matches!(self, Self::Kept | Self::RolledBack)
    }
}

/// A dataset of a release and the load that its rows come from.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ReleaseDataset {
    /// `cases`, `tests`, …
    pub dataset: String,
    /// `loaded`, `missing`, `unreadable` or `refused`.
    pub status: String,
    /// The load whose rows the release shows; none if it has no rows of the dataset.
    pub run_id: Option<Uuid>,
    pub rows_loaded: Option<i64>,
    /// Why it was refused or skipped.
    pub error: Option<String>,
}

/// Lists releases that were published or still exist, newest first; without spares and without dropped releases of failed loads.
pub async fn list(connection: &mut PgConnection, limit: u32) -> Result<Vec<Release>> {
    const SQL: &str = "
        SELECT release_id, run_id, publication, dataset_updated_on, years, rows_loaded, finished_at, replaced_at, dropped_at, rules_version,
               release_id IS NOT DISTINCT FROM (SELECT release_id FROM published_release) AS is_published, rolled_back,
               (SELECT sum(pg_total_relation_size(to_regclass(format('public.%s_%s', parent, release_id))))::bigint
                FROM unnest(ARRAY['release_case', 'release_department', 'release_province']) AS parent
                WHERE dropped_at IS NULL) AS size_bytes
        FROM release LEFT JOIN pipeline_run USING (run_id)
        WHERE run_id IS NOT NULL AND (publication IS NOT NULL OR dropped_at IS NULL)
        ORDER BY release_id DESC LIMIT $1";
    let mut releases =
        rows(connection, "the releases", sqlx::query(SQL).bind(i64::from(limit)), release).await?;
    let distributed = cluster::table_sizes(connection).await?;
    for release in &mut releases {
        let cases = distributed.get(&format!("release_case_{}", release.release_id));
        release.size_bytes = release.size_bytes.map(|size| size + cases.copied().unwrap_or_default());
    }
    Ok(releases)
}

fn release(row: &PgRow) -> sqlx::Result<Release> {
    let publication: Option<i64> = row.try_get("publication")?;
    let dropped_at: Option<DateTime<Utc>> = row.try_get("dropped_at")?;
    let rolled_back = row.try_get("rolled_back")?;
    let state = if row.try_get("is_published")? {
        ReleaseState::Published
    } else if dropped_at.is_some() {
        ReleaseState::Dropped
    } else if publication.is_none() {
        ReleaseState::Unpublished
    } else if rolled_back {
        ReleaseState::RolledBack
    } else {
        ReleaseState::Kept
    };
    Ok(Release {
        release_id: row.try_get("release_id")?,
        state,
        run_id: row.try_get("run_id")?,
        publication,
        dataset_updated_on: row.try_get("dataset_updated_on")?,
        years: row.try_get("years")?,
        rows_loaded: row.try_get("rows_loaded")?,
        loaded_at: row.try_get("finished_at")?,
        rolled_back,
        replaced_at: row.try_get("replaced_at")?,
        dropped_at,
        rules_version: row.try_get("rules_version")?,
        size_bytes: row.try_get("size_bytes")?,
    })
}

/// Returns a release by its number, or the published one.
pub async fn find(connection: &mut PgConnection, wanted: Option<i32>) -> Result<Release> {
    let mut all = list(connection, u32::MAX).await?.into_iter();
    match wanted {
        Some(wanted) => all
            .find(|release| release.release_id == wanted)
            .ok_or_else(|| Failure::new(format!("there is no release {wanted}")).hint("covidctl releases")),
        None => all.find(|release| release.state == ReleaseState::Published).ok_or_else(nothing_published),
    }
}

fn nothing_published() -> Failure {
    Failure::new("nothing is published yet").hint("covidctl run etl")
}

pub async fn datasets(connection: &mut PgConnection, release: &Release) -> Result<Vec<ReleaseDataset>> {
    const SQL: &str = "
        SELECT dataset, of_load.status, shown.run_id, shown.rows_loaded, of_load.error
        FROM run_dataset AS of_load
        LEFT JOIN LATERAL (
            SELECT run_id, rows_loaded FROM run_dataset AS other
            WHERE other.dataset = of_load.dataset AND other.run_id = CASE
                WHEN of_load.dataset IN ('tests', 'vaccinations', 'doses') THEN
                    (SELECT run_id FROM release_dataset WHERE release_id = $2 AND release_dataset.dataset = of_load.dataset)
                ELSE of_load.run_id END) AS shown ON true
        WHERE of_load.run_id = $1
        ORDER BY array_position(ARRAY['provinces', 'departments', 'cases', 'tests', 'vaccinations', 'doses'], dataset), dataset";
    let rows =
        answered(sqlx::query_as(SQL).bind(release.run_id).bind(release.release_id).fetch_all(connection))
            .await;
    let dataset = |(dataset, status, run_id, rows_loaded, error)| ReleaseDataset {
        dataset,
        status,
        run_id,
        rows_loaded,
        error,
    };
    Ok(rows.map_err(cannot_read("the datasets of the release"))?.into_iter().map(dataset).collect())
}

/// Returns the published release and the one that a rollback publishes: the requested one, or the newest before the published one that was
/// not rolled back itself.
pub fn rollback_target(releases: &[Release], wanted: Option<i32>) -> Result<(&Release, &Release)> {
    const LIST: &str = "`covidctl releases` shows those that are kept";
    let published = releases.iter().find(|release| release.state == ReleaseState::Published);
    let published = published.ok_or_else(nothing_published)?;
    let target = match wanted {
        Some(wanted) if wanted == published.release_id => {
            return Err(Failure::usage(format!("release {wanted} is published already")).hint(LIST));
        }
        Some(wanted) => releases
            .iter()
            .find(|release| release.release_id == wanted && release.state.is_available())
            .ok_or_else(|| Failure::usage(format!("release {wanted} is not kept")).hint(LIST))?,
        None => releases
            .iter()
            .find(|release| release.state == ReleaseState::Kept && release.release_id < published.release_id)
            .ok_or_else(|| {
                Failure::new(format!("no release before release {} is kept", published.release_id))
                    .hint(format!("{LIST}; KEEP_RELEASES sets how many"))
            })?,
    };
    Ok((published, target))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn release(release_id: i32, state: ReleaseState) -> Release {
        Release {
            release_id,
            state,
            run_id: Uuid::nil(),
            publication: Some(i64::from(release_id)),
            dataset_updated_on: None,
            years: None,
            rows_loaded: None,
            loaded_at: None,
            rolled_back: state == ReleaseState::RolledBack,
            replaced_at: None,
            dropped_at: None,
            rules_version: 1,
            size_bytes: None,
        }
    }

    #[test]
    fn rollback_target_defaults_to_newest_kept_release_before_published() {
        let releases = [
            release(5, ReleaseState::RolledBack),
            release(4, ReleaseState::Published),
            release(3, ReleaseState::RolledBack),
            release(2, ReleaseState::Kept),
            release(1, ReleaseState::Dropped),
        ];
        let target = |wanted| {
            rollback_target(&releases, wanted)
                .map(|(from, to)| (from.release_id, to.release_id))
                .map_err(|failure| failure.exit().code())
        };
        assert_eq!(target(None), Ok((4, 2)));
        assert_eq!(target(Some(5)), Ok((4, 5)), "forward again");
        assert_eq!(target(Some(4)), Err(2), "published already");
        assert_eq!(target(Some(1)), Err(2), "dropped");
        assert_eq!(rollback_target(&releases[..3], None).unwrap_err().exit().code(), 1, "none is kept");
        assert_eq!(rollback_target(&releases[..1], None).unwrap_err().exit().code(), 1, "none is published");
    }
}
