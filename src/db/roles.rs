//! Databases, roles and their passwords.
//!
//! Every function is idempotent. Names come from secrets and are quoted; passwords are sent as SCRAM verifiers, so that no statement,
//! which the server may log, contains one.

use common::failure::{Context as _, Failure, Result};
use postgres_protocol::password::scram_sha_256;
use sqlx::AssertSqlSafe;
use sqlx::postgres::PgConnection;

use super::{answered, code};

/// Returns to the session's own role after migrations.
pub async fn reset_role(session: &mut PgConnection) -> Result<()> {
    run(session, "RESET ROLE", "cannot reset the role").await
}

/// Sets the password of a role and creates it if it does not exist; returns whether it was created.
pub async fn ensure_login(session: &mut PgConnection, role: &str, password: &str) -> Result<bool> {
    let administrator =
        answered(sqlx::query_scalar("SELECT session_user::text").fetch_one(&mut *session)).await;
    let administrator: String = administrator.context(|| "cannot read the session's role")?;
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

/// Creates a database if it does not exist; returns whether it was created. Without `owner`, it belongs to the session's role.
pub async fn ensure_database(session: &mut PgConnection, name: &str, owner: Option<&str>) -> Result<bool> {
    if exists(session, "SELECT EXISTS (SELECT FROM pg_database WHERE datname = $1)", name).await? {
        return Ok(false);
    }
    let what = format!("cannot create the database `{name}`");
    let mut create = format!("CREATE DATABASE {}", quoted(name));
    if let Some(owner) = owner.map(quoted) {
        // Only members of the owner role may create its database, unless they are superusers.
        run(session, &format!("GRANT {owner} TO SESSION_USER"), &what).await?;
        create = format!("{create} OWNER {owner}");
    }
    match answered(sqlx::raw_sql(AssertSqlSafe(create)).execute(session)).await {
        // Another client created it in the meantime.
        Err(error) if code(&error).is_some_and(|code| matches!(code.as_ref(), "42P04" | "23505")) => {
            Ok(false)
        }
        created => created.map(|_| true).context(|| what),
    }
}

async fn exists(session: &mut PgConnection, question: &'static str, name: &str) -> Result<bool> {
    let answer = answered(sqlx::query_scalar(question).bind(name).fetch_one(session)).await;
    answer.context(|| format!("cannot look up `{name}` in the database"))
}

async fn run(session: &mut PgConnection, statement: &str, what: &str) -> Result<()> {
    let done = answered(sqlx::raw_sql(AssertSqlSafe(statement.to_owned())).execute(session)).await;
    let hint = "the parameter `database/secret` must name the secret of the RDS master user";
    done.map(drop).context(|| what).map_err(|failure| failure.hint(hint))
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
