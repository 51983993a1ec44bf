//! Roles of a new database, their passwords, and Metabase's database.
//!
//! Every function is idempotent. Names come from secrets and are quoted; passwords are sent as SCRAM verifiers, so that no statement,
//! which the server may log, contains one.

use common::failure::{Context as _, Failure, Result};
use postgres_protocol::password::scram_sha_256;
use sqlx::AssertSqlSafe;
use sqlx::postgres::PgConnection;

use super::code;

/// Returns to the session's own role after migrations.
pub async fn reset_role(session: &mut PgConnection) -> Result<()> {
    run(session, "RESET ROLE", "cannot reset the role").await
}

/// Sets the password of a role and creates it if it does not exist; returns whether it was created.
pub async fn ensure_login(session: &mut PgConnection, role: &str, password: &str) -> Result<bool> {
    let administrator: String = scalar(session, "SELECT session_user::text").await?;
    if role == administrator {
        return Err(Failure::new(format!("another role's secret contains the administrator `{role}`"))
            .hint("each role needs its own secret; see docs/reference/parameters.md"));
    }
    let is_new = !exists(session, "SELECT EXISTS (SELECT FROM pg_roles WHERE rolname = $1)", role).await?;
    let name = quoted(role);
    if is_new {
        run(session, &format!("CREATE ROLE {name} LOGIN"), &format!("cannot create role `{role}`")).await?;
    }
    let verifier = scram_sha_256(password.as_bytes());
    let what = format!("cannot set the password of `{role}`");
    run(session, &format!("ALTER ROLE {name} LOGIN PASSWORD '{verifier}'"), &what).await?;
    Ok(is_new)
}

/// Creates a database with this owner if it does not exist; returns whether it was created.
pub async fn ensure_database(session: &mut PgConnection, database: &str, owner: &str) -> Result<bool> {
    if exists(session, "SELECT EXISTS (SELECT FROM pg_database WHERE datname = $1)", database).await? {
        return Ok(false);
    }
    let what = format!("cannot create the database `{database}` for `{owner}`");
    let (database, owner) = (quoted(database), quoted(owner));
    // Only members of the owner role may create its database, unless they are superusers.
    run(session, &format!("GRANT {owner} TO SESSION_USER"), &what).await?;
    match sqlx::raw_sql(AssertSqlSafe(format!("CREATE DATABASE {database} OWNER {owner}")))
        .execute(session)
        .await
    {
        // Another client created it in the meantime.
        Err(error) if code(&error).is_some_and(|code| matches!(code.as_ref(), "42P04" | "23505")) => {
            Ok(false)
        }
        created => created.map(|_| true).context(|| what),
    }
}

async fn exists(session: &mut PgConnection, question: &'static str, name: &str) -> Result<bool> {
    let answer = sqlx::query_scalar(question).bind(name).fetch_one(session).await;
    answer.context(|| format!("cannot look up `{name}` in the database"))
}

async fn scalar(session: &mut PgConnection, question: &'static str) -> Result<String> {
    sqlx::query_scalar(question)
        .fetch_one(session)
        .await
        .context(|| "cannot read the session's role".to_owned())
}

async fn run(session: &mut PgConnection, statement: &str, what: &str) -> Result<()> {
    let done = sqlx::raw_sql(AssertSqlSafe(statement.to_owned())).execute(session).await;
    done.map(drop).context(|| what.to_owned()).map_err(|failure| {
        failure.hint("the parameter `database/secret` must name the secret of the RDS master user")
    })
}

/// Quotes an identifier.
fn quoted(name: &str) -> String {
    format!("\"{}\"", name.replace('"', "\"\""))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quoted_escapes_quotes() {
        assert_eq!(quoted("metabase"), "\"metabase\"");
        assert_eq!(quoted("a\"; DROP ROLE b"), "\"a\"\"; DROP ROLE b\"");
    }
}
