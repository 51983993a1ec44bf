//! A private key file: read once, checked before anything connects, and decrypted when it is needed.

use std::ffi::OsString;
use std::fs::File;
use std::io::Read as _;
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use common::failure::{Failure, Result};
use nix::unistd::getuid;
use russh::keys::{Certificate, PrivateKey, PublicKey};
use tokio::sync::OnceCell;

use crate::private_key::{KeyContent, LockedKey, UnusableKey, parse};
use crate::terminal::{self, Echo, NoAnswer};

const MAX_PASSPHRASE_ATTEMPTS: usize = 3;

/// Far more than the largest key.
const MAX_SIZE: u64 = 1 << 20;

/// The permissions of others, which ssh refuses, too.
const OF_OTHERS: u32 = 0o077;

pub(crate) struct KeyFile {
    pub(crate) path: PathBuf,
    content: KeyContent,
    pub(crate) public: Option<PublicKey>,
    /// The certificate of the key, `KEY-cert.pub`.
    pub(crate) certificate: Option<Certificate>,
    /// Whether to ask for its passphrase.
    prompt: bool,
    /// The decrypted key or the error, which is kept, too: the passphrase is asked for once.
    unlocked: OnceCell<Result<Arc<PrivateKey>, String>>,
}

impl KeyFile {
    /// Reads a file that the user named: a private key, or the public half of one that the agent holds.
    pub(crate) fn named(path: &Path, prompt: bool) -> Result<Self> {
        let name = path.display();
        let bytes = read(path).map_err(|error| {
            Failure::usage(format!("cannot read the key `{name}`"))
                .source(error)
                .hint("-i takes the file of a private key, such as ~/.ssh/id_ed25519")
        })?;
        let file = Self::parse(path, &bytes, prompt).map_err(|unusable| {
            Failure::usage(format!("cannot use the key `{name}`: {}", unusable.why)).hint(unusable.hint)
        })?;
        // The private half beside a public one that was named.
        let private = path.to_str().and_then(|path| path.strip_suffix(".pub")).map(Path::new);
        let private = private.filter(|_| matches!(file.content, KeyContent::Public(_)));
        let private = private.and_then(|path| Self::parse(path, &read(path).ok()?, prompt).ok());
        Ok(private.filter(|private| private.public.is_none() || private.is_of(&file)).unwrap_or(file))
    }

    /// Reads one of the default files, if it exists. The error is why it cannot be used.
    pub(crate) fn existing(path: &Path, prompt: bool) -> Option<Result<Self, String>> {
        let bytes = match read(path) {
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return None,
            Err(error) => return Some(Err(error.to_string())),
            Ok(bytes) => bytes,
        };
        Some(Self::parse(path, &bytes, prompt).map_err(|UnusableKey { why, hint }| format!("{why} ({hint})")))
    }

    fn parse(path: &Path, bytes: &[u8], prompt: bool) -> Result<Self, UnusableKey> {
        let content = parse(bytes, &path.display().to_string())?;
        if !matches!(content, KeyContent::Public(_)) {
            check_mode(path)?;
        }
        let own = match &content {
            KeyContent::Private(key) => Some(key.public_key().clone()),
            KeyContent::Locked(locked) => locked.public.clone(),
            KeyContent::Public(key) => Some(key.clone()),
        };
        let beside =
            || PublicKey::from_openssh(std::fs::read_to_string(with_suffix(path, ".pub")).ok()?.trim()).ok();
        let public = own.or_else(beside);
        let certificate = certificate(path).filter(|certificate| {
            public.as_ref().is_none_or(|public| public.key_data() == certificate.public_key())
        });
        Ok(Self { path: path.to_path_buf(), content, public, certificate, prompt, unlocked: OnceCell::new() })
    }

    /// Adds a certificate that the user named, if it is one of this key.
    pub(crate) fn add_certificate(&mut self, certificate: &Certificate) {
        if self.public.as_ref().is_some_and(|public| public.key_data() == certificate.public_key()) {
            self.certificate = Some(certificate.clone());
        }
    }

    /// Returns whether both are halves of one key.
    fn is_of(&self, other: &Self) -> bool {
        let data = |file: &Self| file.public.as_ref().map(|key| key.key_data().clone());
        data(self) == data(other)
    }

    /// Returns whether the file holds no private key: the agent has to sign.
    pub(crate) const fn is_public(&self) -> bool {
        matches!(self.content, KeyContent::Public(_))
    }

    /// Returns the private key. Asks for its passphrase if it has one.
    pub(crate) async fn load(&self) -> Result<Arc<PrivateKey>, String> {
        match &self.content {
            KeyContent::Private(key) => Ok(Arc::clone(key)),
            KeyContent::Locked(locked) => self.unlocked.get_or_init(|| self.unlock(locked)).await.clone(),
            KeyContent::Public(_) => {
                Err("it is a public key, and the ssh agent does not hold its private half".to_owned())
            }
        }
    }

    async fn unlock(&self, locked: &LockedKey) -> Result<Arc<PrivateKey>, String> {
        if !self.prompt {
            return Err("it has a passphrase; add it to the ssh agent".to_owned());
        }
        for _ in 0..MAX_PASSPHRASE_ATTEMPTS {
            let question = format!("passphrase of {}: ", self.path.display());
            let passphrase = terminal::ask(&question, Echo::Off).await.map_err(|why| match why {
                NoAnswer::NoTerminal => {
                    "it has a passphrase, and there is no terminal to prompt on; add it to the ssh agent"
                        .to_owned()
                }
                NoAnswer::Failed(error) => error,
            })?;
            // Deriving the key from a passphrase is slow by design.
            let locked = locked.clone();
            let key = tokio::task::spawn_blocking(move || locked.unlock(&passphrase)).await;
            if let Ok(Ok(key)) = key {
                return Ok(Arc::new(key));
            }
        }
        Err("wrong passphrase".to_owned())
    }
}

fn read(path: &Path) -> std::io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    File::open(path)?.take(MAX_SIZE).read_to_end(&mut bytes)?;
    Ok(bytes)
}

/// Refuses a private key that other users can read, as ssh does. A file of another user, such as root's, is that user's to protect.
fn check_mode(path: &Path) -> Result<(), UnusableKey> {
    let Ok(file) = std::fs::metadata(path) else { return Ok(()) };
    if file.uid() != getuid().as_raw() || file.mode() & OF_OTHERS == 0 {
        return Ok(());
    }
    Err(UnusableKey {
        why: format!("other users may read it (mode {:04o})", file.mode() & 0o7777),
        hint: format!("chmod 600 {}", path.display()),
    })
}

/// Reads a certificate file.
pub(crate) fn read_certificate(path: &Path) -> Option<Certificate> {
    Certificate::from_openssh(std::fs::read_to_string(path).ok()?.trim()).ok()
}

/// Returns the certificate beside a key file, or beside the private half of a public one.
fn certificate(path: &Path) -> Option<Certificate> {
    let private = path.to_str().and_then(|path| path.strip_suffix(".pub")).map(Path::new);
    [private, Some(path)]
        .into_iter()
        .flatten()
        .find_map(|path| read_certificate(&with_suffix(path, "-cert.pub")))
}

fn with_suffix(path: &Path, suffix: &str) -> PathBuf {
    let mut path = OsString::from(path);
    path.push(suffix);
    path.into()
}
