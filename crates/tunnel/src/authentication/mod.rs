//! Who we are: a key of the moment where somebody introduces us, what the ssh agent has, then key files. Each one that fails is remembered, to say so where none succeeds.
//!
//! With a key that the user named, only that key is used, from the agent where it has it. Without one, the agent's keys and
//! the usual files. sshd ends the session after six refusals, so not everything is offered.

mod agent;
mod introduction;
mod key_file;
mod passphrase;

use std::path::{Path, PathBuf};
use std::sync::Arc;

use common::failure::{Exit, Failure, Result};
use russh::client::{AuthResult, Handle};
use russh::keys::{HashAlg, PublicKey};

use self::introduction::Introduction;
use self::key_file::KeyFile;
use super::bastion::{Bastion, Discovery};
use super::session::Guard;

/// What ssh takes from the home folder, too.
const USUAL: [&str; 3] = ["id_ed25519", "id_ecdsa", "id_rsa"];

/// Every way that we have to prove who we are.
pub(super) struct Authentication {
    files: Vec<KeyFile>,
    /// The named key's public half, where it is known: the agent may have it unlocked.
    only: Option<PublicKey>,
    named: bool,
    introduction: Introduction,
}

/// What was tried, and why it failed.
#[derive(Debug, Default)]
pub(super) struct Tried(Vec<String>);

impl Tried {
    fn note(&mut self, what: impl std::fmt::Display, why: impl std::fmt::Display) {
        self.0.push(format!("{what}: {why}"));
    }
}

impl Authentication {
    pub(super) fn new(named: Option<&Path>, may_ask: bool) -> Result<Self> {
        if let Some(path) = named {
            let file = KeyFile::new(path.to_path_buf(), may_ask);
            file.check()?;
            let only = file.public_half();
            return Ok(Self { files: vec![file], only, named: true, introduction: Introduction::new()? });
        }
        let home = etcetera::home_dir().ok();
        let usual = home.into_iter().flat_map(|home| USUAL.map(|name| home.join(".ssh").join(name)));
        let files =
            usual.filter(|path: &PathBuf| path.is_file()).map(|path| KeyFile::new(path, may_ask)).collect();
        Ok(Self { files, only: None, named: false, introduction: Introduction::new()? })
    }

    /// Tries one after the other.
    pub(super) async fn log_in(
        &self,
        handle: &mut Handle<Guard>,
        bastion: &Bastion,
        discovery: &dyn Discovery,
    ) -> Result<()> {
        let mut tried = Tried::default();
        if !self.named && self.introduction.log_in(handle, bastion, discovery, &mut tried).await {
            return Ok(());
        }
        let rsa = rsa_hash(handle).await;
        // The agent is not asked for a key that it cannot be asked for by name.
        if (!self.named || self.only.is_some())
            && agent::log_in(handle, &bastion.user, self.only.as_ref(), rsa, &mut tried).await
        {
            return Ok(());
        }
        for file in &self.files {
            let key = match file.load().await {
                Ok(key) => key,
                Err(why) => {
                    tried.note(file, why);
                    continue;
                }
            };
            let key = russh::keys::PrivateKeyWithHashAlg::new(Arc::clone(&key), rsa);
            match handle.authenticate_publickey(&bastion.user, key).await {
                Ok(AuthResult::Success) => return Ok(()),
                Ok(refused) => tried.note(file, refusal(&refused)),
                Err(error) => tried.note(file, error),
            }
        }
        if self.files.is_empty() {
            tried.note("key files", "none of the usual ones is in ~/.ssh");
        }
        Err(Failure::new(format!("the bastion {bastion} refused to log us in; tried {}", tried.0.join("; ")))
            .hint(format!(
                "name the right key with -i, and check that `{}` is the right user and has it in authorized_keys",
                bastion.user
            ))
            .exit_code(Exit::Credentials))
    }
}

/// Why one key did not do.
fn refusal(result: &AuthResult) -> &'static str {
    match result {
        AuthResult::Failure { partial_success: true, .. } => {
            "accepted, but the bastion wants more than a key"
        }
        _ => "the bastion does not accept this key",
    }
}

/// How an RSA key signs: never with SHA-1, also where the server does not say what it knows.
async fn rsa_hash(handle: &Handle<Guard>) -> Option<HashAlg> {
    let known = handle.best_supported_rsa_hash().await;
    known.ok().flatten().flatten().or(Some(HashAlg::Sha512))
}
