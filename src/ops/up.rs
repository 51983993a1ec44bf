//! Starts the services of a target, migrates its database, and sets up a new one.

use std::sync::Arc;

use common::failure::{Exit, Failure, Result};
use common::text::count;
use sqlx::postgres::PgConnection;

use super::follow::Following;
use crate::db::{self, roles};
use logs::LogLine;
use target::{DatabaseAccess, Job, JobKind, Progress, Services, Target};

/// Creates or starts the services and applies pending migrations.
pub async fn up(
    services: &dyn Services,
    target: &Target,
    progress: Arc<dyn Progress>,
    show: &mut (dyn FnMut(&LogLine) + Send),
) -> Result<()> {
    services.up(Arc::clone(&progress)).await?;
    migrate(target, progress.as_ref(), show).await
}

/// Applies pending migrations as a job of the target.
pub async fn migrate(
    target: &Target,
    progress: &dyn Progress,
    show: &mut (dyn FnMut(&LogLine) + Send),
) -> Result<()> {
    progress.step("applying pending migrations");
    // Concurrent migrations wait for each other in the database.
    let job = Job { allow_concurrent: true, ..Job::new(JobKind::Migrate) };
    Following::start(target, &job).await?.to_end(target, show).await
}

/// Applies pending migrations from this machine; returns a message.
pub async fn apply_migrations(session: &mut PgConnection) -> Result<String> {
    let applied = tokio::time::timeout(db::MIGRATION_TIMEOUT, etl::migrate::migrate(session)).await;
    let timed_out = || Failure::new("the migrations have not ended within an hour").exit_code(Exit::Timeout);
    Ok(match applied.unwrap_or_else(|_| Err(timed_out()))? {
        0 => "the schema is up to date".to_owned(),
        applied => format!("applied {}", count(applied, "migration")),
    })
}

/// Sets up a new database as its administrator: schema, roles with their passwords, and Metabase's database.
///
/// Every step is idempotent. Passwords come from secrets and are sent as SCRAM verifiers only.
pub async fn init_database(target: &Target, progress: &dyn Progress) -> Result<()> {
    let Some(logins) = target.databases.logins().await? else {
        return Err(Failure::usage("this target has no logins to set up").hint(
            "`covidctl up` creates the local database; for the one on AWS: covidctl --target aws db init",
        ));
    };
    let database = target.databases.database(DatabaseAccess::ADMINISTER).await?;
    let mut session = db::connect(&database).await?;
    progress.step(&apply_migrations(&mut session).await?);
    // Migrations run as the owner; roles are created by the administrator.
    roles::reset_role(&mut session).await?;
    for login in &logins {
        let is_new = roles::ensure_login(&mut session, &login.username, &login.password).await?;
        let done = if is_new { "created role" } else { "set the password of role" };
        progress.step(&format!("{done} `{}`", login.username));
    }
    let [.., metabase] = &logins;
    // Metabase's database has the name of its role.
    if roles::ensure_database(&mut session, &metabase.username, Some(&metabase.username)).await? {
        progress.step(&format!("created database `{}`", metabase.username));
    }
    Ok(())
}
