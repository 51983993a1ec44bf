//! A private key in a file: read once, unlocked once, then kept for every later session.

use std::fmt;
use std::path::PathBuf;
use std::sync::Arc;

use common::failure::{Failure, Result};
use russh::keys::{Error, PrivateKey, PublicKey, decode_secret_key};
use tokio::sync::OnceCell;

use super::passphrase;

/// A passphrase may be mistyped.
const TRIES: usize = 3;

/// A file that holds a private key.
pub(super) struct KeyFile {
    path: PathBuf,
    /// Whether somebody may be asked for its passphrase.
    may_ask: bool,
    /// The key, or why there is none: nobody is asked for a passphrase twice.
    key: OnceCell<Result<Arc<PrivateKey>, String>>,
}

impl fmt::Display for KeyFile {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.path.display().fmt(f)
    }
}

impl KeyFile {
    pub(super) fn new(path: PathBuf, may_ask: bool) -> Self {
        Self { path, may_ask, key: OnceCell::new() }
    }

    /// Refuses a file that cannot be read, before anything else happens.
    pub(super) fn check(&self) -> Result<()> {
        std::fs::read(&self.path).map(drop).map_err(|error| {
            Failure::usage(format!("cannot read the key `{self}`"))
                .source(error)
                .hint("-i wants the file of a private key, such as ~/.ssh/id_ed25519")
        })
    }

    /// From the file beside it, or else from the key itself.
    pub(super) fn public_half(&self) -> Option<PublicKey> {
        let mut name = self.path.clone().into_os_string();
        name.push(".pub");
        let beside = std::fs::read_to_string(name).ok();
        beside.and_then(|text| PublicKey::from_openssh(text.trim()).ok())
    }

    /// The key; asks for its passphrase, on a terminal, where it has one.
    pub(super) async fn load(&self) -> Result<Arc<PrivateKey>, String> {
        self.key.get_or_init(|| self.read()).await.clone()
    }

    async fn read(&self) -> Result<Arc<PrivateKey>, String> {
        let text = tokio::fs::read_to_string(&self.path).await.map_err(|error| error.to_string())?;
        match decode(text.clone(), None).await {
            Err(Error::KeyIsEncrypted) => {}
            key => {
                return key
                    .map(Arc::new)
                    .map_err(|error| format!("not a private key that can be used ({error})"));
            }
        }
        if !self.may_ask {
            return Err("it has a passphrase; add it to the ssh agent".to_owned());
        }
        for _ in 0..TRIES {
            let passphrase = passphrase::ask(&format!("passphrase of {self}: ")).await?;
            if let Ok(key) = decode(text.clone(), Some(passphrase)).await {
                return Ok(Arc::new(key));
            }
        }
        Err("the passphrase was wrong".to_owned())
    }
}

/// Deriving the key from a passphrase takes long, on purpose: not on a thread that serves others.
async fn decode(text: String, passphrase: Option<String>) -> Result<PrivateKey, Error> {
    tokio::task::spawn_blocking(move || decode_secret_key(&text, passphrase.as_deref()))
        .await
        .unwrap_or(Err(Error::CouldNotReadKey))
}
