//! The checks of `covidctl doctor`: first those of the target, then those of the database and its data.

use chrono::{DateTime, Utc};
use common::failure::Result;
use sqlx::postgres::PgConnection;

use crate::db;
use crate::db::releases::{self, ReleaseState};
use crate::ops;
use common::text;
use target::{Check, CheckSink, Database, DatabaseAccess, DatabaseServer, DoctorContext, Target};

/// Days without a publication after which freshness is a warning. The alarm on AWS has the same threshold.
const STALE_AFTER_DAYS: i64 = 3;

/// Reports each check to `sink` as soon as it is known.
pub async fn diagnose(target: &Target, context: &DoctorContext, sink: &CheckSink<'_>) {
    if !target.components.diagnose(context, sink).await {
        return;
    }
    let report = |name, check: Result<Check>| sink(check.unwrap_or_else(|failure| Check::of(name, &failure)));
    if !target.location().capabilities.releases {
        for name in target.databases.names() {
            let access = DatabaseAccess { server: DatabaseServer::named(&name), ..DatabaseAccess::READ };
            log_in(target, access, &name, sink).await;
        }
        return;
    }
    report("datasets", datasets(target).await);
    let Some(mut session) = log_in(target, DatabaseAccess::READ, "database", sink).await else { return };
    report("migrations", migrations(&mut session.connection).await);
    report("freshness", freshness(&mut session.connection, Utc::now()).await);
    match published(&mut session.connection).await {
        Ok(checks) => checks.into_iter().for_each(sink),
        Err(failure) => sink(Check::of("last load", &failure)),
    }
}

/// A session and what it needs to stay open.
struct Session {
    connection: PgConnection,
    _database: Database,
}

/// Opens a database and logs in, with a check each for the tunnel, the login, named `name`, and the encryption.
async fn log_in(
    target: &Target,
    access: DatabaseAccess,
    name: &str,
    sink: &CheckSink<'_>,
) -> Option<Session> {
    let way = if target.bastion.is_some() { "tunnel" } else { name };
    let database = match target.databases.database(access).await {
        Ok(database) => database,
        Err(failure) => {
            sink(Check::of(way.to_owned(), &failure));
            return None;
        }
    };
    if database.is_tunnelled() {
        sink(Check::ok("tunnel", format!("open to {}:{}", database.host, database.port)));
    }
    if database.password.is_none() {
        let detail = format!("the password of `{}` is not known here; psql asks for it", database.user);
        sink(Check::warning(
            name.to_owned(),
            detail,
            "describe it as `password` of the database to check the login",
        ));
        return None;
    }
    let mut connection = match db::connect(&database).await {
        Ok(connection) => connection,
        Err(failure) => {
            sink(Check::of(name.to_owned(), &failure));
            return None;
        }
    };
    sink(Check::ok(name.to_owned(), format!("logged in to `{}` as `{}`", database.name, database.user)));
    if database.is_tunnelled() {
        sink(tls(&database, &mut connection).await);
    }
    Some(Session { connection, _database: database })
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
        (Ok(Some(version)), Some(_)) => Check::ok("tls", format!("{version}, certificate verified")),
        (Ok(Some(version)), None) => {
            Check::warning("tls", format!("{version}, certificate not verified"), "remove --ssl-mode disable")
        }
        (Ok(None), _) => Check::warning(
            "tls",
            "the connection is encrypted only as far as the bastion",
            "remove --ssl-mode disable, and ssl-mode from the configuration file",
        ),
    }
}

async fn migrations(session: &mut PgConnection) -> Result<Check> {
    let state = etl::migrate::schema_state(session).await?;
    Ok(match (state.applied, state.pending) {
        (applied, 0) => Check::ok("migrations", format!("version {applied}, no pending migrations")),
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
    if etl::migrate::schema_state(session).await?.applied == 0 {
        return Ok(Check::warning(
            "freshness",
            "nothing can be published before the schema is up to date",
            "covidctl db migrate",
        ));
    }
    let Some(run) = db::runs::published(session).await? else {
        return Ok(Check::warning("freshness", "nothing is published", "covidctl run pipeline"));
    };
    let when = run.finished_at.unwrap_or(run.started_at);
    let dataset = run.dataset_updated_on.map(|date| format!(", dataset of {date}")).unwrap_or_default();
    let detail = format!("published {}{dataset}", text::age(when, now));
    Ok(if (now - when).num_days() < STALE_AFTER_DAYS {
        Check::ok("freshness", detail)
    } else {
        Check::warning(
            "freshness",
            detail,
            "`covidctl status` shows where the pipeline stopped; `covidctl run pipeline` loads the newest data",
        )
    })
}

/// Checks the last load and the published release: refused loads, refused datasets, rollbacks.
async fn published(session: &mut PgConnection) -> Result<Vec<Check>> {
    if etl::migrate::schema_state(session).await?.pending > 0 {
        return Ok(Vec::new());
    }
    let mut checks = Vec::new();
    if let Some(run) = db::runs::refused(session).await? {
        let why = run.error.unwrap_or_else(|| "checks of the publish gate failed".to_owned());
        checks.push(Check::failed(
            "last load",
            format!("run {}: {why}", run.run_id),
            format!("`covidctl runs show {}` lists every check of that run", run.run_id),
        ));
    }
    let releases = releases::list(session, u32::MAX).await?;
    let Some(published) = releases.iter().find(|release| release.state == ReleaseState::Published) else {
        return Ok(checks);
    };
    for dataset in releases::datasets(session, published).await? {
        if dataset.status == "refused" {
            let has_rows = dataset.run_id.is_some();
            let kept = if has_rows { "the rows published before are kept" } else { "it has no rows" };
            let why = dataset.error.unwrap_or_default();
            checks.push(Check::warning(
                "last load",
                format!("the dataset `{}` was refused, {kept}: {why}", dataset.dataset),
                format!(
                    "`covidctl runs show {}` lists every check; `covidctl run etl --accept-anomalies` publishes it anyway",
                    published.run_id
                ),
            ));
        }
    }
    let mut newer = releases.iter().filter(|release| release.release_id > published.release_id);
    if let Some(newer) = newer.find(|release| release.rolled_back) {
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
        let summary = db::checks::summary(&db::checks::of_run(session, published.run_id).await?);
        let detail = format!("release {} is published; checks: {summary}", published.release_id);
        checks.push(Check::ok("last load", detail));
    }
    Ok(checks)
}
