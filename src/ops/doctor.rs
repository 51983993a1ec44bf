//! Examines a target: first the place itself, then what is the same everywhere: the database and what is in it.

use chrono::{DateTime, Utc};
use common::failure::Result;
use sqlx::postgres::PgConnection;

use crate::db;
use crate::db::releases::{self, ReleaseState};
use crate::ops;
use common::text;
use target::{Check, CheckSink, Database, DatabaseAccess, DoctorContext, Target};

/// Nothing was published for so many days: somebody should look. The alarm on AWS has the same number.
const STALE_AFTER_DAYS: i64 = 3;

/// Looks at everything, and tells each check as soon as it is known.
pub async fn examine(target: &Target, wanted: &DoctorContext, found: &CheckSink<'_>) {
    if !target.components.diagnose(wanted, found).await {
        return;
    }
    found(datasets(target).await.unwrap_or_else(|failure| Check::of("datasets", &failure)));
    let database = match target.databases.database(DatabaseAccess::READ).await {
        Ok(database) => database,
        Err(failure) => return found(Check::of(way_to(target), &failure)),
    };
    if database.is_tunnelled() {
        found(Check::ok("tunnel", format!("open to {}:{}", database.host, database.port)));
    }
    let mut session = match db::connect(&database).await {
        Ok(session) => session,
        Err(failure) => return found(Check::of("database", &failure)),
    };
    found(Check::ok("database", format!("`{}` lets `{}` in", database.name, database.user)));
    if database.is_tunnelled() {
        found(tls(&database, &mut session).await);
    }
    let migrations = migrations(&mut session).await;
    found(migrations.unwrap_or_else(|failure| Check::of("migrations", &failure)));
    let freshness = freshness(&mut session, Utc::now()).await;
    found(freshness.unwrap_or_else(|failure| Check::of("freshness", &failure)));
    match published(&mut session).await {
        Ok(checks) => checks.into_iter().for_each(found),
        Err(failure) => found(Check::of("last load", &failure)),
    }
}

/// What is in the way where there is no way to the database.
fn way_to(target: &Target) -> &'static str {
    if target.bastion.is_some() { "tunnel" } else { "database" }
}

async fn datasets(target: &Target) -> Result<Check> {
    let store = target.storage.datasets().await?;
    let datasets = ops::datasets::list(&store).await?;
    Ok(match datasets.len() {
        0 => Check::warning("datasets", format!("{store} is empty"), "covidctl run download"),
        count => Check::ok("datasets", format!("{count} files in {store}")),
    })
}

async fn tls(database: &Database, session: &mut PgConnection) -> Check {
    match (db::encryption(session).await, &database.ca_bundle) {
        (Err(failure), _) => Check::of("tls", &failure),
        (Ok(Some(version)), Some(_)) => {
            Check::ok("tls", format!("{version}, and the certificate was checked"))
        }
        (Ok(Some(version)), None) => Check::warning(
            "tls",
            format!("{version}, but the certificate was not checked"),
            "leave out --ssl-mode disable",
        ),
        (Ok(None), _) => Check::warning(
            "tls",
            "the connection is only encrypted as far as the bastion",
            "leave out --ssl-mode disable, and ssl-mode in the settings",
        ),
    }
}

async fn migrations(session: &mut PgConnection) -> Result<Check> {
    let state = etl::migrate::state(session).await?;
    Ok(match (state.applied, state.pending) {
        (applied, 0) => Check::ok("migrations", format!("version {applied}, nothing is pending")),
        (0, _) => Check::failed(
            "migrations",
            "the database has no tables yet",
            "covidctl db init on the target `aws`, covidctl up on the target `local`",
        ),
        (applied, pending) => Check::failed(
            "migrations",
            format!("version {applied}, {pending} pending"),
            "covidctl db migrate",
        ),
    })
}

async fn freshness(session: &mut PgConnection, now: DateTime<Utc>) -> Result<Check> {
    if etl::migrate::state(session).await?.applied == 0 {
        return Ok(Check::warning(
            "freshness",
            "nothing can be published yet",
            "bring the schema up to date first",
        ));
    }
    let Some(run) = db::runs::published(session).await? else {
        return Ok(Check::warning("freshness", "nothing was published yet", "covidctl run pipeline"));
    };
    let when = run.finished_at.unwrap_or(run.started_at);
    let of = run.dataset_updated_on.map(|date| format!(", the dataset of {date}")).unwrap_or_default();
    let detail = format!("published {}{of}", text::age(when, now));
    Ok(if (now - when).num_days() < STALE_AFTER_DAYS {
        Check::ok("freshness", detail)
    } else {
        Check::warning(
            "freshness",
            detail,
            "covidctl status shows what holds the data back; covidctl run pipeline loads what is there",
        )
    })
}

/// Looks at the last load and at what is published: a load or a dataset that the publish gate refused, a release that was rolled back.
async fn published(session: &mut PgConnection) -> Result<Vec<Check>> {
    if etl::migrate::state(session).await?.pending > 0 {
        return Ok(Vec::new());
    }
    let mut checks = Vec::new();
    if let Some(run) = db::runs::refused(session).await? {
        let why = run.error.unwrap_or_else(|| "checks of the publish gate failed".to_owned());
        checks.push(Check::failed(
            "last load",
            format!("run {}: {why}", run.run_id),
            // Whether anomalies may be accepted is part of the reason.
            format!("`covidctl runs show {}` lists every check of that run", run.run_id),
        ));
    }
    let releases = releases::list(session, u32::MAX).await?;
    let Some(published) = releases.iter().find(|release| release.state == ReleaseState::Published) else {
        return Ok(checks);
    };
    for dataset in releases::datasets(session, published).await? {
        if dataset.status == "refused" {
            let kept =
                if dataset.run_id.is_some() { "the rows published before stay" } else { "it has no rows" };
            let why = dataset.error.unwrap_or_default();
            checks.push(Check::warning(
                "last load",
                format!("the dataset `{}` was refused, {kept}: {why}", dataset.dataset),
                format!(
                    "`covidctl runs show {}` lists every check; `covidctl run etl --accept-anomalies` publishes it all the same",
                    published.run_id
                ),
            ));
        }
    }
    let newer =
        releases.iter().find(|release| release.rolled_back && release.release_id > published.release_id);
    if let Some(newer) = newer {
        checks.push(Check::warning(
            "rollback",
            format!(
                "release {} is published, release {} was rolled back: its files are not loaded again until they change",
                published.release_id, newer.release_id
            ),
            "`covidctl releases` lists both; `covidctl run etl --force` loads the files again",
        ));
    }
    if checks.is_empty() {
        let found = db::checks::summary(&db::checks::of_run(session, published.run_id).await?);
        let detail = format!("release {} is published; checks: {found}", published.release_id);
        checks.push(Check::ok("last load", detail));
    }
    Ok(checks)
}
