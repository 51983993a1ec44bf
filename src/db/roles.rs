//! The logins of a new database: their passwords, and the database that Metabase keeps its own state in.
//!
//! Every statement can be repeated. Names come from secrets and are quoted; passwords go as verifiers only.

use common::failure::{Context as _, Failure, Result};
use sqlx::AssertSqlSafe;
use sqlx::postgres::PgConnection;

use super::{code, scram};

/// Leaves a role that was taken for migrations.
pub async fn as_oneself(session: &mut PgConnection) -> Result<()> {
    run(session, "RESET ROLE", "cannot leave the owner's role").await
}

/// Gives a login its password, and creates it first where it is missing; says whether it was.
pub async fn ensure_login(session: &mut PgConnection, role: &str, password: &str) -> Result<bool> {
    let itself: String = scalar(session, "SELECT session_user::text").await?;
    if role == itself {
        return Err(Failure::new(format!(
            "the secret of another login names `{role}`, who makes the others"
        ))
        .hint("each login has a secret of its own; see docs/reference/parameters.md"));
    }
    let is_new = !exists(session, "SELECT EXISTS (SELECT FROM pg_roles WHERE rolname = $1)", role).await?;
    let name = quoted(role);
    if is_new {
        run(session, &format!("CREATE ROLE {name} LOGIN"), &format!("cannot create the login `{role}`"))
            .await?;
    }
    let verifier = scram::verifier(password)?;
    let what = format!("cannot set the password of `{role}`");
    run(session, &format!("ALTER ROLE {name} LOGIN PASSWORD '{verifier}'"), &what).await?;
    Ok(is_new)
}

/// Creates a database that belongs to a login; says whether it was missing.
pub async fn ensure_database(session: &mut PgConnection, database: &str, owner: &str) -> Result<bool> {
    if exists(session, "SELECT EXISTS (SELECT FROM pg_database WHERE datname = $1)", database).await? {
        return Ok(false);
    }
    let what = format!("cannot create the database `{database}` for `{owner}`");
    let (database, owner) = (quoted(database), quoted(owner));
    // Who is no superuser may only give a database to a role that he may become. Having created it is not enough.
    run(session, &format!("GRANT {owner} TO SESSION_USER"), &what).await?;
    match sqlx::raw_sql(AssertSqlSafe(format!("CREATE DATABASE {database} OWNER {owner}")))
        .execute(session)
        .await
    {
        // Somebody else was a little quicker.
        Err(error) if code(&error).is_some_and(|code| matches!(code.as_ref(), "42P04" | "23505")) => {
            Ok(false)
        }
        created => created.map(|_| true).context(|| what),
    }
}

async fn exists(session: &mut PgConnection, question: &'static str, name: &str) -> Result<bool> {
    let answer = sqlx::query_scalar(question).bind(name).fetch_one(session).await;
    answer.context(|| format!("cannot look for `{name}` in the database"))
}

async fn scalar(session: &mut PgConnection, question: &'static str) -> Result<String> {
    sqlx::query_scalar(question).fetch_one(session).await.context(|| "cannot ask who logged in".to_owned())
}

async fn run(session: &mut PgConnection, statement: &str, what: &str) -> Result<()> {
    let done = sqlx::raw_sql(AssertSqlSafe(statement.to_owned())).execute(session).await;
    done.map(drop).context(|| what.to_owned()).map_err(|failure| {
        failure.hint("the secret in the parameter `database/secret` must be the one of the master user")
    })
}

/// A name as a statement takes it, whatever is in it.
fn quoted(name: &str) -> String {
    format!("\"{}\"", name.replace('"', "\"\""))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_stays_one_name() {
        assert_eq!(quoted("metabase"), "\"metabase\"");
        assert_eq!(quoted("a\"; DROP ROLE b"), "\"a\"\"; DROP ROLE b\"");
    }
}
