//! What a server asks for after it has accepted a key: one-time codes and passwords (RFC 4256, RFC 4252).

use std::collections::HashMap;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};

use common::failure::{Exit, Failure, Result};
use russh::client::{AuthResult, Handle, KeyboardInteractiveAuthResponse as Response};
use russh::{MethodKind, MethodSet};

use crate::bastion::Bastion;
use crate::session::ClientHandler;
use crate::terminal::{self, Echo, NoAnswer};

/// As `NumberOfPasswordPrompts` of ssh.
const MAX_ATTEMPTS: usize = 3;

/// Limits a server that asks without end.
const MAX_ROUNDS: usize = 20;

/// Asks on the terminal, and remembers passwords for further sessions. One-time codes are asked for again.
pub(crate) struct SecondFactor {
    prompt: bool,
    needed: AtomicBool,
    /// The answers to questions for a password.
    passwords: Mutex<HashMap<String, String>>,
}

/// What came of one method.
enum Outcome {
    LoggedIn,
    /// Refused, or accepted and not enough.
    More(MethodSet),
}

impl SecondFactor {
    pub(crate) fn new(prompt: bool) -> Self {
        Self { prompt, needed: AtomicBool::new(false), passwords: Mutex::default() }
    }

    /// Returns whether a login has needed it: then a session is not opened in advance.
    pub(crate) fn is_needed(&self) -> bool {
        self.needed.load(Relaxed)
    }

    /// Completes a login after the key `accepted` with the methods that remain.
    pub(crate) async fn log_in(
        &self,
        handle: &mut Handle<ClientHandler>,
        bastion: &Bastion,
        accepted: &str,
        mut remaining: MethodSet,
    ) -> Result<()> {
        self.needed.store(true, Relaxed);
        for _ in 0..MAX_ATTEMPTS {
            let outcome = if remaining.contains(&MethodKind::KeyboardInteractive) {
                self.interactive(handle, bastion, accepted).await?
            } else if remaining.contains(&MethodKind::Password) {
                self.password(handle, bastion, accepted).await?
            } else {
                break;
            };
            match outcome {
                Outcome::LoggedIn => return Ok(()),
                Outcome::More(methods) => remaining = methods,
            }
            self.forget();
        }
        let methods: Vec<&str> = remaining.iter().map(<&str>::from).collect();
        let asks = if methods.is_empty() {
            String::new()
        } else {
            format!("; it still asks for {}", methods.join(" or "))
        };
        Err(Failure::new(format!("{bastion} accepted {accepted}, and not the second factor{asks}"))
            .hint("check the code or password and the clock of the device that shows it, and try again")
            .exit_code(Exit::Credentials))
    }

    async fn interactive(
        &self,
        handle: &mut Handle<ClientHandler>,
        bastion: &Bastion,
        accepted: &str,
    ) -> Result<Outcome> {
        let lost = |error| Failure::new(format!("cannot log in to {bastion}")).source(error);
        let mut response =
            handle.authenticate_keyboard_interactive_start(&bastion.user, None).await.map_err(lost)?;
        for _ in 0..MAX_ROUNDS {
            match response {
                Response::Success => return Ok(Outcome::LoggedIn),
                Response::Failure { remaining_methods, .. } => return Ok(Outcome::More(remaining_methods)),
                Response::InfoRequest { name, instructions, prompts } => {
                    let mut answers = Vec::new();
                    let introduction = [name, instructions].map(|text| text.trim().to_owned()).join("\n");
                    let mut introduction = introduction.trim();
                    for prompt in prompts {
                        let echo = if prompt.echo { Echo::On } else { Echo::Off };
                        let question = format!("{introduction}\n{}", prompt.prompt);
                        introduction = "";
                        answers.push(self.answer(bastion, accepted, question.trim_start(), echo).await?);
                    }
                    response =
                        handle.authenticate_keyboard_interactive_respond(answers).await.map_err(lost)?;
                }
            }
        }
        Ok(Outcome::More(MethodSet::empty()))
    }

    async fn password(
        &self,
        handle: &mut Handle<ClientHandler>,
        bastion: &Bastion,
        accepted: &str,
    ) -> Result<Outcome> {
        let question = format!("password of {bastion}: ");
        let password = self.answer(bastion, accepted, &question, Echo::Off).await?;
        let result = handle.authenticate_password(&bastion.user, password).await;
        match result.map_err(|error| Failure::new(format!("cannot log in to {bastion}")).source(error))? {
            AuthResult::Success => Ok(Outcome::LoggedIn),
            AuthResult::Failure { remaining_methods, .. } => Ok(Outcome::More(remaining_methods)),
        }
    }

    async fn answer(&self, bastion: &Bastion, accepted: &str, question: &str, echo: Echo) -> Result<String> {
        let is_password = echo == Echo::Off && question.to_lowercase().contains("password");
        if let Some(known) = is_password.then(|| self.remembered(question)).flatten() {
            return Ok(known);
        }
        let no_terminal = |why: &str| {
            Failure::new(format!("{bastion} accepted {accepted} and asks for more than a key, and {why}"))
                .hint("open the tunnel with `covidctl tunnel` on a terminal")
                .exit_code(Exit::Credentials)
        };
        if !self.prompt {
            return Err(no_terminal("this command does not ask"));
        }
        let answer = terminal::ask(question, echo).await.map_err(|why| match why {
            NoAnswer::NoTerminal => no_terminal("there is no terminal to ask on"),
            NoAnswer::Failed(error) => no_terminal(&error),
        })?;
        if is_password && let Ok(mut passwords) = self.passwords.lock() {
            passwords.insert(question.to_owned(), answer.clone());
        }
        Ok(answer)
    }

    fn remembered(&self, question: &str) -> Option<String> {
        self.passwords.lock().ok()?.get(question).cloned()
    }

    fn forget(&self) {
        if let Ok(mut passwords) = self.passwords.lock() {
            passwords.clear();
        }
    }
}
