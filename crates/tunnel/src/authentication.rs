//! Logs in to the bastion: EC2 Instance Connect, then one key after the other as [`candidates`](crate::candidates) orders them, then what
//! the server asks for beside a key. Records what was tried and why it failed.

use std::fmt::Display;
use std::path::PathBuf;

use common::failure::{Exit, Failure, Result};
use russh::MethodKind;
use russh::client::{AuthResult, Handle};
use russh::keys::agent::{AgentIdentity, client::AgentClient};
use russh::keys::{Error, HashAlg, PrivateKeyWithHashAlg};
use tokio::net::UnixStream;

use crate::bastion::{Bastion, Discovery};
use crate::candidates::{Candidate, KeyHolder, in_order};
use crate::instance_connect::InstanceConnect;
use crate::key_file::{KeyFile, read_certificate};
use crate::second_factor::SecondFactor;
use crate::session::ClientHandler;
use crate::signer::{AgentSigner, FileSigner};

/// The default key files in `~/.ssh`, in the order of ssh.
const DEFAULT_KEY_FILES: [&str; 5] = ["id_rsa", "id_ecdsa", "id_ecdsa_sk", "id_ed25519", "id_ed25519_sk"];

/// Where the agent listens.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum AgentSocket {
    /// At the socket of `SSH_AUTH_SOCK`.
    #[default]
    Environment,
    /// At this socket.
    Path(PathBuf),
    /// No agent is used.
    None,
}

/// The keys to log in with.
#[derive(Debug, Clone, Default)]
pub struct Identity {
    /// Files of private keys, or of the public halves of keys that the agent holds. They are offered first.
    pub files: Vec<PathBuf>,
    /// Further files, if they exist. Without any files: the default ones of `~/.ssh`.
    pub optional_files: Vec<PathBuf>,
    /// Certificates of these keys, beside those that stand next to them.
    pub certificates: Vec<PathBuf>,
    /// Whether keys of the agent that are in no file are left out.
    pub only_files: bool,
    /// Where the agent listens.
    pub agent: AgentSocket,
}

/// Every key that the user may log in with.
pub(crate) struct Authentication {
    files: Vec<KeyFile>,
    /// Default files that cannot be used.
    unusable: Vec<(PathBuf, String)>,
    /// Whether the user named the files.
    named: bool,
    only_files: bool,
    agent: AgentSocket,
    instance_connect: InstanceConnect,
    second_factor: SecondFactor,
}

/// The keys that failed, and why.
#[derive(Debug, Default)]
struct Attempts {
    failed: Vec<String>,
    /// The number of keys that the server refused.
    refused: usize,
    /// The server does not accept keys at all, but these methods.
    only: Option<String>,
}

/// How to go on after a key was offered.
enum Offered {
    LoggedIn,
    /// With the next key.
    Next,
    /// The server has closed the connection.
    HungUp,
}

impl Attempts {
    fn failed(&mut self, key: impl Display, why: impl Display) {
        self.failed.push(format!("{key}: {why}"));
    }
}

impl Authentication {
    /// Reads every file. Fails if one that the user named cannot be used.
    pub(crate) fn new(identity: &Identity, prompt: bool) -> Result<Self> {
        let mut unusable = Vec::new();
        let mut files = Vec::new();
        for path in &identity.files {
            files.push(KeyFile::named(path, prompt)?);
        }
        let named = !files.is_empty() || !identity.optional_files.is_empty();
        let home = etcetera::home_dir().ok().filter(|_| !named).map(|home| home.join(".ssh"));
        let defaults = home.iter().flat_map(|ssh| DEFAULT_KEY_FILES.map(|name| ssh.join(name)));
        for path in identity.optional_files.iter().cloned().chain(defaults) {
            match KeyFile::existing(&path, prompt) {
                None => {}
                Some(Ok(file)) => files.push(file),
                Some(Err(why)) => unusable.push((path, why)),
            }
        }
        for path in &identity.certificates {
            let certificate = read_certificate(path).ok_or_else(|| {
                Failure::usage(format!("`{}` is not an SSH certificate", path.display()))
                    .hint("a certificate is a file such as ~/.ssh/id_ed25519-cert.pub; look at it with ssh-keygen -L -f")
            })?;
            for file in &mut files {
                file.add_certificate(&certificate);
            }
        }
        Ok(Self {
            files,
            unusable,
            named,
            only_files: identity.only_files,
            agent: identity.agent.clone(),
            instance_connect: InstanceConnect::new()?,
            second_factor: SecondFactor::new(prompt),
        })
    }

    /// Returns whether a login needs a person at the terminal.
    pub(crate) fn is_interactive(&self) -> bool {
        self.second_factor.is_needed()
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
        let mut agent = match connect_agent(&self.agent).await {
            Ok(connected) => Some(connected),
            Err(why) => {
                attempts.failed("ssh agent", why);
                None
            }
        };
        let identities = agent.as_ref().map_or(&[][..], |(_, identities)| identities);
        let candidates = in_order(&self.files, self.named, self.only_files, identities);
        if agent.is_some()
            && !candidates.iter().any(|candidate| matches!(candidate.holder, KeyHolder::Agent(_)))
        {
            attempts.failed(
                "ssh agent",
                if self.only_files { "it does not have these keys" } else { "it has no keys" },
            );
        }
        let number = candidates.len();
        for (tried, candidate) in (1..).zip(candidates) {
            let agent = agent.as_mut().map(|(agent, _)| agent);
            match self.offer(handle, bastion, candidate, rsa_hash, agent, &mut attempts).await? {
                Offered::LoggedIn => return Ok(()),
                Offered::Next if attempts.only.is_none() => {}
                Offered::Next => break,
                Offered::HungUp => return Err(hung_up(bastion, &attempts, number - tried)),
            }
        }
        Err(self.rejected(bastion, attempts))
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
                match handle.authenticate_publickey(&bastion.user, key).await {
                    Ok(AuthResult::Success) => return true,
                    Ok(_) => attempts.failed(name, "the bastion does not accept this key"),
                    Err(error) => attempts.failed(name, error),
                }
                self.instance_connect.forget_authorization().await;
                false
            }
            Ok(None) => false,
            Err(failure) => {
                attempts.failed(name, failure);
                false
            }
        }
    }

    /// Offers one key; the server is asked for its opinion before a passphrase is asked for.
    async fn offer(
        &self,
        handle: &mut Handle<ClientHandler>,
        bastion: &Bastion,
        candidate: Candidate<'_>,
        rsa_hash: Option<HashAlg>,
        agent: Option<&mut AgentClient<UnixStream>>,
        attempts: &mut Attempts,
    ) -> Result<Offered> {
        let (name, user) = (candidate.name(), bastion.user.as_str());
        let public = match (candidate.public, &candidate.holder) {
            (Some(public), _) => public,
            (None, KeyHolder::File(file)) => match file.load().await {
                Ok(key) => key.public_key().clone(),
                Err(why) => {
                    attempts.failed(name, why);
                    return Ok(Offered::Next);
                }
            },
            (None, KeyHolder::Agent(identity)) => identity.public_key().into_owned(),
        };
        let hash = rsa_hash.filter(|_| public.algorithm().is_rsa());
        let result = match (candidate.holder, candidate.certificate, agent) {
            (KeyHolder::Agent(identity), Some(certificate), Some(agent)) => {
                let mut signer = AgentSigner { agent, identity: *identity };
                handle.authenticate_certificate_with(user, certificate, hash, &mut signer).await
            }
            (KeyHolder::Agent(identity), None, Some(agent)) => {
                let mut signer = AgentSigner { agent, identity: *identity };
                handle.authenticate_publickey_with(user, public, hash, &mut signer).await
            }
            (KeyHolder::File(file), Some(certificate), _) => {
                handle.authenticate_certificate_with(user, certificate, hash, &mut FileSigner(file)).await
            }
            (KeyHolder::File(file), None, _) => {
                handle.authenticate_publickey_with(user, public, hash, &mut FileSigner(file)).await
            }
            (KeyHolder::Agent(_), _, None) => return Ok(Offered::Next),
        };
        match result {
            Ok(AuthResult::Success) => return Ok(Offered::LoggedIn),
            Ok(AuthResult::Failure { partial_success: true, remaining_methods }) => {
                let is_key = remaining_methods.contains(&MethodKind::PublicKey);
                let asks = |method| remaining_methods.contains(&method);
                if asks(MethodKind::KeyboardInteractive) || asks(MethodKind::Password) {
                    self.second_factor.log_in(handle, bastion, &name, remaining_methods).await?;
                    return Ok(Offered::LoggedIn);
                }
                let more = if is_key {
                    "accepted, and the bastion wants another key"
                } else {
                    "accepted, and not enough"
                };
                attempts.failed(name, more);
            }
            Ok(AuthResult::Failure { remaining_methods, .. }) => {
                attempts.failed(name, "the bastion does not accept this key");
                attempts.refused += 1;
                // sshd names the methods with every refusal.
                if remaining_methods.is_empty() || handle.is_closed() {
                    return Ok(Offered::HungUp);
                }
                if !remaining_methods.contains(&MethodKind::PublicKey) {
                    let methods: Vec<&str> = remaining_methods.iter().map(<&str>::from).collect();
                    attempts.only = Some(methods.join(", "));
                }
            }
            Err(error) => attempts.failed(name, error),
        }
        Ok(Offered::Next)
    }

    /// Returns the error if no key was accepted.
    fn rejected(&self, bastion: &Bastion, mut attempts: Attempts) -> Failure {
        for (path, why) in &self.unusable {
            attempts.failed(path.display(), why);
        }
        if self.files.is_empty() && self.unusable.is_empty() {
            attempts.failed("key files", "~/.ssh has no default key file");
        }
        let tried = attempts.failed.join("; ");
        if let Some(methods) = attempts.only {
            return Failure::new(format!("the bastion {bastion} accepts no keys, only {methods}; tried {tried}"))
                .hint("covidctl logs in with keys: have `PubkeyAuthentication` enabled for this user in the bastion's sshd_config")
                .exit_code(Exit::Credentials);
        }
        let user = &bastion.user;
        let (what, hint) = if attempts.refused == 0 {
            let add = self
                .files
                .first()
                .map_or("ssh-add KEY".to_owned(), |file| format!("ssh-add {}", file.path.display()));
            (
                format!("no key could be used to log in to the bastion {bastion}"),
                format!("name a private key with -i, or {add}"),
            )
        } else {
            let hint = format!(
                "name the key with -i, and check that `{user}` is the right user and has it in authorized_keys"
            );
            (format!("the bastion {bastion} rejected every key"), hint)
        };
        Failure::new(format!("{what}; tried {tried}")).hint(hint).exit_code(Exit::Credentials)
    }
}

/// Returns the error if the server has closed the connection, with `left` keys that it has not seen.
fn hung_up(bastion: &Bastion, attempts: &Attempts, left: usize) -> Failure {
    let (refused, tried) = (attempts.refused, attempts.failed.join("; "));
    let left = if left == 0 { String::new() } else { format!("; {left} more not offered") };
    Failure::new(format!(
        "the server {bastion} hung up after {refused} refused keys (MaxAuthTries); tried in this order: {tried}{left}"
    ))
    .hint("name the right key with -i, so that it is offered first")
    .exit_code(Exit::Credentials)
}

/// Connects to the agent and returns its identities. The error is a clause.
async fn connect_agent(
    socket: &AgentSocket,
) -> Result<(AgentClient<UnixStream>, Vec<AgentIdentity>), String> {
    let connected = async {
        let mut agent = match socket {
            AgentSocket::Path(socket) => AgentClient::connect_uds(socket).await?,
            AgentSocket::Environment => AgentClient::connect_env().await?,
            AgentSocket::None => return Err(Error::AgentFailure),
        };
        let identities = agent.request_identities().await?;
        Ok((agent, identities))
    };
    connected.await.map_err(|error: Error| match error {
        Error::AgentFailure if *socket == AgentSocket::None => "not used (IdentityAgent none)".to_owned(),
        Error::EnvVar(_) => "not running (SSH_AUTH_SOCK is not set)".to_owned(),
        error => error.to_string(),
    })
}

/// Returns the hash of RSA signatures. Never SHA-1, not even if the server does not announce what it supports.
async fn rsa_hash(handle: &Handle<ClientHandler>) -> Option<HashAlg> {
    let announced = handle.best_supported_rsa_hash().await;
    announced.ok().flatten().flatten().or(Some(HashAlg::Sha512))
}
