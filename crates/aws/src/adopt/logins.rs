//! Parameters and secrets that look like a database's login. Only names are read, and the values of plain parameters; never a password.

use common::failure::Result;
use toml::{Table, Value};

use super::Candidate;
use crate::api_error::ApiContext as _;
use crate::clients::Clients;

/// What the names of a database's parameters and secrets contain.
const OF_DATABASES: [&str; 7] = ["db", "database", "postgres", "pg", "rds", "sql", "covid"];

/// A plain or encrypted parameter.
#[derive(Debug)]
pub(super) struct Parameter {
    name: String,
    is_secret: bool,
}

pub(super) async fn parameters(clients: &Clients) -> Result<Vec<Parameter>> {
    let found = clients.parameters().described_parameters().await;
    let found =
        found.api_context("ssm:DescribeParameters", || "cannot list the SSM parameters".to_owned())?;
    let found = found.into_iter().filter(|parameter| !parameter.name.is_empty());
    Ok(found
        .map(|parameter| Parameter { is_secret: parameter.r#type == "SecureString", name: parameter.name })
        .collect())
}

/// Sets `database`, `user` and `password` of a database from parameters and secrets.
pub(super) async fn describe(
    candidate: &mut Candidate,
    clients: &Clients,
    parameters: &[Parameter],
    known: (Option<&str>, Option<&str>),
    managed_secret: Option<&str>,
) -> Result<()> {
    let (database, user) = known;
    let database = match plain(clients, parameters, &["name", "dbname"]).await? {
        Some(named) if database.is_none() => Some(named),
        _ => database.map(str::to_owned),
    };
    candidate.set("database", database.clone().unwrap_or_else(|| "postgres".to_owned()));
    if database.is_none() {
        candidate.doubt("the name of the database is not known to RDS; `postgres` always exists");
    }
    let named = plain(clients, parameters, &["user", "username"]).await?;
    match (named, user) {
        (Some(named), _) => candidate.set("user", named),
        (None, Some(user)) => {
            candidate.set("user", user);
            candidate.doubt("the user is the master user of the instance: one that may only read is better");
        }
        (None, None) => candidate.set("user", "postgres"),
    }
    let parameter = parameters.iter().find(|parameter| parameter.is_secret && is_password(&parameter.name));
    let plain_text = parameters.iter().find(|parameter| is_password(&parameter.name));
    if let Some(arn) = managed_secret {
        candidate.set("password", place(&[("secret", arn), ("field", "password")]));
    } else if let Some(parameter) = parameter.or(plain_text) {
        candidate.set("password", place(&[("parameter", &parameter.name)]));
        candidate.doubt("the password's place is a guess by its name");
    } else if let Some(secret) = secret(clients).await? {
        candidate.set("password", place(&[("secret", &secret), ("field", "password")]));
        candidate.doubt("the secret is a guess by its name, and its field `password`, too");
    } else {
        candidate.doubt("no parameter or secret looks like the password: psql asks for it");
    }
    Ok(())
}

fn place(entries: &[(&str, &str)]) -> Value {
    let entries = entries.iter().map(|(key, value)| ((*key).to_owned(), Value::from(*value)));
    Value::Table(entries.collect::<Table>())
}

/// Returns the words of a name in lower case.
fn words(name: &str) -> impl Iterator<Item = String> {
    name.split(|character: char| !character.is_ascii_alphanumeric())
        .map(str::to_lowercase)
        .filter(|word| !word.is_empty())
}

fn is_of_database(name: &str) -> bool {
    words(name).any(|word| OF_DATABASES.iter().any(|sign| word.contains(sign)))
}

fn is_password(name: &str) -> bool {
    is_of_database(name)
        && words(name).any(|word| ["pass", "password", "pwd", "dbpass", "dbpassword"].contains(&&*word))
}

/// Returns the value of the plain parameter of a database whose last word is one of these.
async fn plain(clients: &Clients, parameters: &[Parameter], last: &[&str]) -> Result<Option<String>> {
    let fits = |parameter: &&Parameter| {
        let is_named = words(&parameter.name).last().is_some_and(|word| last.contains(&&*word));
        !parameter.is_secret && is_named && is_of_database(&parameter.name)
    };
    let Some(parameter) = parameters.iter().find(fits) else { return Ok(None) };
    let found = clients.parameters().parameter(&parameter.name, false).await;
    let found = found
        .api_context("ssm:GetParameter", || format!("cannot read the parameter `{}`", parameter.name))?;
    Ok(found.value)
}

/// Returns the ARN of a secret that looks like a database's.
async fn secret(clients: &Clients) -> Result<Option<String>> {
    let pages = clients.secrets().list_secrets().into_paginator().send();
    let pages = pages.try_collect().await;
    let pages = pages.api_context("secretsmanager:ListSecrets", || "cannot list the secrets".to_owned())?;
    let mut secrets = pages.into_iter().flat_map(|page| page.secret_list.unwrap_or_default());
    let fits =
        |secret: &aws_sdk_secretsmanager::types::SecretListEntry| secret.name().is_some_and(is_of_database);
    Ok(secrets.find(fits).and_then(|secret| secret.arn))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn passwords_are_recognized_by_words() {
        for name in ["/cde/DB_PASS", "/covid/prod/database/password", "PG-PWD"] {
            assert!(is_password(name), "{name}");
        }
        for name in ["/cde/DB_USER", "/github/password", "/cde/ECS_SUBNET1"] {
            assert!(!is_password(name), "{name}");
        }
    }
}
