//! Public key authentication: EC2 Instance Connect, then the SSH agent, then key files. Records why each key failed.
//!
//! If the user names a key, only that key is used, from the agent if the agent has it. Otherwise the agent's keys and the default files
//! are tried. sshd closes the connection after six failures (`MaxAuthTries`), so that not every key is offered.

use std::fmt::Display;
use std::fs::File;
use std::io::{BufRead as _, BufReader, Write as _};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

use common::failure::{Context as _, Exit, Failure, Result};
use nix::sys::termios::{LocalFlags, SetArg, Termios, tcgetattr, tcsetattr};
use russh::client::{AuthResult, Handle};
use russh::keys::agent::{AgentIdentity, client::AgentClient};
use russh::keys::{
    Algorithm, Error, HashAlg, PrivateKey, PrivateKeyWithHashAlg, PublicKey, decode_secret_key,
};
use tokio::sync::{Mutex, OnceCell};

use crate::bastion::{Bastion, Discovery};
use crate::session::ClientHandler;

/// The default key files in `~/.ssh`.
const DEFAULT_KEY_FILES: [&str; 3] = ["id_ed25519", "id_ecdsa", "id_rsa"];

/// Keys of the agent to offer; the rest of sshd's six attempts is for key files.
const MAX_AGENT_KEYS: usize = 4;

const MAX_PASSPHRASE_ATTEMPTS: usize = 3;

/// The bastion accepts an authorized key for 60 s; the rest is for the handshake.
const AUTHORIZATION_REUSE: Duration = Duration::from_secs(40);

/// Every key that the user may log in with.
pub(crate) struct Authentication {
    files: Vec<KeyFile>,
    /// Whether the user named the only key to use.
    named: bool,
    /// The public half of the named key, if known; the agent may hold it unlocked.
    only: Option<PublicKey>,
    instance_connect: InstanceConnect,
}

/// The keys that failed, and why.
#[derive(Debug, Default)]
struct Attempts(Vec<String>);

impl Attempts {
    fn failed(&mut self, key: impl Display, why: impl Display) {
        self.0.push(format!("{key}: {why}"));
    }

    /// Returns whether the key was accepted; records why it was not.
    fn accepted<E: Display>(&mut self, key: impl Display, result: Result<AuthResult, E>) -> bool {
        match result {
            Ok(AuthResult::Success) => return true,
            Ok(AuthResult::Failure { partial_success: true, .. }) => {
                self.failed(key, "accepted, but the bastion requires more than a key");
            }
            Ok(_) => self.failed(key, "the bastion does not accept this key"),
            Err(error) => self.failed(key, error),
        }
        false
    }
}

impl Authentication {
    /// Fails if a key is named that cannot be read.
    pub(crate) fn new(named: Option<&Path>, prompt: bool) -> Result<Self> {
        let key_file = |path| KeyFile { path, prompt, key: OnceCell::new() };
        let files: Vec<_> = if let Some(path) = named {
            vec![key_file(path.to_path_buf())]
        } else {
            let home = etcetera::home_dir().ok().map(|home| home.join(".ssh"));
            let defaults = home.iter().flat_map(|ssh| DEFAULT_KEY_FILES.map(|name| ssh.join(name)));
            defaults.filter(|path| path.is_file()).map(key_file).collect()
        };
        let named_file = files.first().filter(|_| named.is_some());
        if let Some(file) = named_file {
            std::fs::read(&file.path).map_err(|error| {
                Failure::usage(format!("cannot read the key `{}`", file.path.display()))
                    .source(error)
                    .hint("-i takes the file of a private key, such as ~/.ssh/id_ed25519")
            })?;
        }
        let only = named_file.and_then(KeyFile::public_key);
        Ok(Self { files, named: named.is_some(), only, instance_connect: InstanceConnect::new()? })
    }

    /// Tries one key after the other.
    pub(crate) async fn log_in(
        &self,
        handle: &mut Handle<ClientHandler>,
        bastion: &Bastion,
        discovery: &dyn Discovery,
    ) -> Result<()> {
        let mut attempts = Attempts::default();
        if !self.named && self.try_instance_connect(handle, bastion, discovery, &mut attempts).await {
            return Ok(());
        }
        let rsa_hash = rsa_hash(handle).await;
        // A named key without a known public half cannot be selected in the agent.
        if (!self.named || self.only.is_some())
            && self.try_agent(handle, &bastion.user, rsa_hash, &mut attempts).await
        {
            return Ok(());
        }
        for file in &self.files {
            let name = file.path.display();
            match file.load().await {
                Ok(key) => {
                    let key = PrivateKeyWithHashAlg::new(key, rsa_hash);
                    let result = handle.authenticate_publickey(&bastion.user, key).await;
                    if attempts.accepted(name, result) {
                        return Ok(());
                    }
                }
                Err(why) => attempts.failed(name, why),
            }
        }
        if self.files.is_empty() {
            attempts.failed("key files", "~/.ssh has no default key file");
        }
        let tried = attempts.0.join("; ");
        Err(Failure::new(format!("the bastion {bastion} rejected every key; tried {tried}"))
            .hint(format!(
                "name the key with -i, and check that `{}` is the right user and has it in authorized_keys",
                bastion.user
            ))
            .exit_code(Exit::Credentials))
    }

    async fn try_instance_connect(
        &self,
        handle: &mut Handle<ClientHandler>,
        bastion: &Bastion,
        discovery: &dyn Discovery,
        attempts: &mut Attempts,
    ) -> bool {
        let name = "EC2 Instance Connect";
        match self.instance_connect.authorized_key(bastion, discovery).await {
            Ok(Some(key)) => {
                let key = PrivateKeyWithHashAlg::new(key, None);
                let accepted =
                    attempts.accepted(name, handle.authenticate_publickey(&bastion.user, key).await);
                if !accepted {
                    self.instance_connect.forget_authorization().await;
                }
                accepted
            }
            Ok(None) => false,
            Err(failure) => {
                attempts.failed(name, failure);
                false
            }
        }
    }

    /// Offers the agent's keys, or only the named one.
    async fn try_agent(
        &self,
        handle: &mut Handle<ClientHandler>,
        user: &str,
        rsa_hash: Option<HashAlg>,
        attempts: &mut Attempts,
    ) -> bool {
        let name = "ssh agent";
        let connected = async {
            let mut agent = AgentClient::connect_env().await?;
            let identities = agent.request_identities().await?;
            Ok((agent, identities))
        };
        let (mut agent, identities) = match connected.await {
            Ok(connected) => connected,
            Err(Error::EnvVar(_)) => {
                attempts.failed(name, "not running (SSH_AUTH_SOCK is not set)");
                return false;
            }
            Err(error) => {
                attempts.failed(name, error);
                return false;
            }
        };
        let keys = identities.into_iter().filter_map(|identity| match identity {
            AgentIdentity::PublicKey { key, .. } => Some(key),
            AgentIdentity::Certificate { .. } => None,
        });
        let wanted =
            |key: &PublicKey| self.only.as_ref().is_none_or(|only| only.key_data() == key.key_data());
        let keys: Vec<_> = keys.filter(wanted).collect();
        if keys.is_empty() {
            attempts.failed(name, if self.named { "it does not have this key" } else { "it has no keys" });
        }
        for key in keys.iter().take(MAX_AGENT_KEYS) {
            let name = format!("ssh agent's {}", key.fingerprint(HashAlg::Sha256));
            let hash = rsa_hash.filter(|_| key.algorithm().is_rsa());
            let result = handle.authenticate_publickey_with(user, key.clone(), hash, &mut agent).await;
            if attempts.accepted(name, result) {
                return true;
            }
        }
        if keys.len() > MAX_AGENT_KEYS {
            let rest = keys.len() - MAX_AGENT_KEYS;
            attempts
                .failed(format!("ssh agent's other {rest} keys"), "not offered: sshd limits the attempts");
        }
        false
    }
}

/// EC2 Instance Connect: an ephemeral key, which is never written to disk, and the bastion that it was last authorized on.
struct InstanceConnect {
    key: Arc<PrivateKey>,
    authorized: Mutex<Option<(String, Instant)>>,
}

impl InstanceConnect {
    fn new() -> Result<Self> {
        let key = PrivateKey::random(&mut rand::rng(), Algorithm::Ed25519);
        let key = key.context(|| "cannot generate an SSH key".to_owned())?;
        Ok(Self { key: Arc::new(key), authorized: Mutex::default() })
    }

    /// Authorizes the key, if the provider can, and returns it. Sessions that are opened at the same time share one authorization.
    async fn authorized_key(
        &self,
        bastion: &Bastion,
        discovery: &dyn Discovery,
    ) -> Result<Option<Arc<PrivateKey>>> {
        let mut authorized = self.authorized.lock().await;
        let identity = bastion.identity();
        let is_fresh = authorized
            .as_ref()
            .is_some_and(|(bastion, since)| *bastion == identity && since.elapsed() < AUTHORIZATION_REUSE);
        if !is_fresh {
            let public = self.key.public_key().to_openssh();
            let public = public.context(|| "cannot encode an SSH key".to_owned())?;
            if !discovery.send_public_key(bastion, &public).await? {
                return Ok(None);
            }
            *authorized = Some((identity, Instant::now()));
        }
        Ok(Some(Arc::clone(&self.key)))
    }

    /// Makes the next login authorize the key again.
    async fn forget_authorization(&self) {
        *self.authorized.lock().await = None;
    }
}

/// Returns the hash of RSA signatures. Never SHA-1, not even if the server does not announce what it supports.
async fn rsa_hash(handle: &Handle<ClientHandler>) -> Option<HashAlg> {
    let announced = handle.best_supported_rsa_hash().await;
    announced.ok().flatten().flatten().or(Some(HashAlg::Sha512))
}

/// A private key file, which is read and decrypted once.
struct KeyFile {
    path: PathBuf,
    /// Whether to prompt for its passphrase.
    prompt: bool,
    /// The key or the error, which is kept too: the passphrase is prompted for once.
    key: OnceCell<Result<Arc<PrivateKey>, String>>,
}

impl KeyFile {
    /// Reads the `.pub` file beside it.
    fn public_key(&self) -> Option<PublicKey> {
        let mut path = self.path.clone().into_os_string();
        path.push(".pub");
        let text = std::fs::read_to_string(path).ok()?;
        PublicKey::from_openssh(text.trim()).ok()
    }

    /// Returns the key. Prompts for its passphrase if it has one.
    async fn load(&self) -> Result<Arc<PrivateKey>, String> {
        self.key.get_or_init(|| async { self.read().await.map(Arc::new) }).await.clone()
    }

    async fn read(&self) -> Result<PrivateKey, String> {
        let text = tokio::fs::read_to_string(&self.path).await.map_err(|error| error.to_string())?;
        match decode(text.clone(), None).await {
            Err(Error::KeyIsEncrypted) if !self.prompt => {
                return Err("it has a passphrase; add it to the ssh agent".to_owned());
            }
            Err(Error::KeyIsEncrypted) => {}
            key => return key.map_err(|error| format!("not a private key that can be used ({error})")),
        }
        for _ in 0..MAX_PASSPHRASE_ATTEMPTS {
            let passphrase = prompt_passphrase(&format!("passphrase of {}: ", self.path.display())).await?;
            if let Ok(key) = decode(text.clone(), Some(passphrase)).await {
                return Ok(key);
            }
        }
        Err("wrong passphrase".to_owned())
    }
}

/// Decodes a private key on a blocking thread: deriving the key from a passphrase is slow by design.
async fn decode(text: String, passphrase: Option<String>) -> Result<PrivateKey, Error> {
    tokio::task::spawn_blocking(move || decode_secret_key(&text, passphrase.as_deref()))
        .await
        .unwrap_or(Err(Error::CouldNotReadKey))
}

/// A terminal with echo disabled. Restores the terminal when dropped, also if the prompt is cancelled by a signal.
struct NoEcho {
    terminal: File,
    before: Termios,
}

impl NoEcho {
    fn new(terminal: File) -> nix::Result<Self> {
        let before = tcgetattr(&terminal)?;
        let mut silent = before.clone();
        silent.local_flags.remove(LocalFlags::ECHO);
        tcsetattr(&terminal, SetArg::TCSAFLUSH, &silent)?;
        Ok(Self { terminal, before })
    }
}

impl Drop for NoEcho {
    fn drop(&mut self) {
        _ = tcsetattr(&self.terminal, SetArg::TCSAFLUSH, &self.before);
        // The line break that was typed was not echoed.
        drop(self.terminal.write_all(b"\n"));
    }
}

/// Prompts on `/dev/tty`. Echo is disabled before the prompt is shown, so that no typed character is visible.
async fn prompt_passphrase(prompt: &str) -> Result<String, String> {
    let no_terminal =
        || "it has a passphrase, and there is no terminal to prompt on; add it to the ssh agent".to_owned();
    let terminal = File::options().read(true).write(true).open("/dev/tty").map_err(|_| no_terminal())?;
    let reader = terminal.try_clone().map_err(|_| no_terminal())?;
    let mut no_echo = NoEcho::new(terminal).map_err(|_| no_terminal())?;
    no_echo.terminal.write_all(prompt.as_bytes()).map_err(|_| no_terminal())?;
    let (sender, line) = tokio::sync::oneshot::channel();
    // A thread of its own, which the runtime does not wait for: reading cannot be cancelled, and Ctrl-C must end the program.
    std::thread::spawn(move || {
        let mut line = String::new();
        let read = BufReader::new(reader).read_line(&mut line);
        drop(sender.send(read.map(|_| line)));
    });
    let line = line.await.map_err(|_| no_terminal())?.map_err(|error| error.to_string())?;
    Ok(line.trim_end_matches(['\r', '\n']).to_owned())
}
