//! Passwords of databases, from where the description of the target says they are. They are never logged or shown.

use std::process::Stdio;
use std::time::Duration;

use common::failure::{Failure, Result};

use super::account::Account;
use super::api_error::ApiContext as _;
use target::description::PasswordPlace;

/// A password manager may ask for a PIN or a fingerprint.
const COMMAND_TIMEOUT: Duration = Duration::from_mins(2);

/// Reads a password.
pub(super) async fn read(account: &Account, place: &PasswordPlace) -> Result<String> {
    match place {
        PasswordPlace::Parameter(name) => account.parameter(name).await,
        PasswordPlace::Secret { secret: name, field: None } => secret(account, name).await,
        PasswordPlace::Secret { secret: name, field: Some(field) } => {
            let text = secret(account, name).await?;
            let object: serde_json::Value = serde_json::from_str(&text).unwrap_or_default();
            object.get(field).and_then(|value| value.as_str()).map(str::to_owned).ok_or_else(|| {
                Failure::new(format!("the secret `{name}` has no field `{field}`"))
                    .hint("it must be a JSON object with that field; without `field`, the whole text is the password")
            })
        }
        PasswordPlace::Command(words) => of_command(words).await,
    }
}

/// Reads the text of a secret.
pub(super) async fn secret(account: &Account, name: &str) -> Result<String> {
    let answer = account.clients.secrets().get_secret_value().secret_id(name).send().await;
    let answer =
        answer.api_context("secretsmanager:GetSecretValue", || format!("cannot read the secret `{name}`"))?;
    Ok(answer.secret_string.unwrap_or_default())
}

/// Runs a program, which may use the terminal, and returns its first line.
async fn of_command(words: &[String]) -> Result<String> {
    let Some((program, arguments)) = words.split_first() else {
        return Err(Failure::usage("the command for the password is empty"));
    };
    let failed = || Failure::new(format!("cannot get the password from `{program}`"));
    let mut command = tokio::process::Command::new(program);
    command.args(arguments).stderr(Stdio::inherit()).kill_on_drop(true);
    let output = tokio::time::timeout(COMMAND_TIMEOUT, command.output()).await;
    let output =
        output.map_err(|_| failed().source(format!("it did not end within {COMMAND_TIMEOUT:?}")))?.map_err(
            |error| failed().source(error).hint("check `password.command` in the configuration file"),
        )?;
    if !output.status.success() {
        return Err(failed().source(output.status.to_string()).hint("run it by hand to see what it needs"));
    }
    let text = String::from_utf8(output.stdout).map_err(|_| failed().source("it did not print text"))?;
    match text.lines().next().filter(|line| !line.is_empty()) {
        Some(password) => Ok(password.to_owned()),
        None => Err(failed().source("it printed nothing")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(words: &[&str]) -> Vec<String> {
        words.iter().map(|&word| word.to_owned()).collect()
    }

    #[tokio::test]
    async fn first_line_of_command_is_the_password() {
        let shell = |script| words(&["sh", "-c", script]);
        assert_eq!(of_command(&shell("printf 'hush\\nuser: x\\n'")).await.unwrap(), "hush");
        for script in ["exit 3", "true", "printf '\\377'"] {
            assert!(of_command(&shell(script)).await.is_err(), "{script}");
        }
        assert!(of_command(&words(&["/nonexistent/pass"])).await.unwrap_err().hint_text().is_some());
    }
}
