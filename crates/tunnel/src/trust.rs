//! Which host keys are trusted, and who decides: pins, then OpenSSH's known hosts, then the instance's console, then the user.

use std::sync::Arc;

use common::failure::{Failure, Result};
use russh::keys::PublicKey;

use crate::Options;
use crate::bastion::{Bastion, Discovery};
use crate::console;
use crate::console_keys::{ConsoleKeys, fingerprint};
use crate::event::{Event, EventSink};
use crate::known_hosts::{ExpectedHostKey, KeyProvenance, KnownHosts};
use crate::ssh_config::SshRoute;
use crate::terminal::{self, Echo};

/// What is trusted beside the host keys that are pinned or that OpenSSH knows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Trust {
    /// Keys on the instance's console, and those that the user confirms on the terminal.
    #[default]
    Console,
    /// No others.
    Pinned,
    /// The first key that a new tunnel sees, if the console shows none. A reconnect never trusts an unknown key.
    FirstUse,
}

/// Decides on host keys.
pub(crate) struct HostKeyPolicy {
    known_hosts: KnownHosts,
    trust: Trust,
    /// Whether to ask on the terminal.
    prompt: bool,
    events: EventSink,
}

impl HostKeyPolicy {
    pub(crate) fn new(options: &Options, events: EventSink) -> Self {
        let named = options.host_key.as_deref();
        let known_hosts = KnownHosts::new(&options.known_hosts, &options.known_hosts_files, named);
        Self { known_hosts, trust: options.trust, prompt: options.prompt, events }
    }

    /// For a host to jump through, which `--host-key` does not name.
    pub(crate) fn of_jump(options: &Options, jump: &SshRoute, events: EventSink) -> Self {
        let known_hosts = KnownHosts::new(&options.known_hosts, &jump.known_hosts_files, None);
        Self { known_hosts, trust: options.trust, prompt: options.prompt, events }
    }

    pub(crate) fn expected(&self, bastion: &Bastion) -> Result<ExpectedHostKey> {
        self.known_hosts.expected(bastion)
    }

    /// Returns why a key is trusted that is neither pinned nor known. `is_first` is false for a tunnel that reconnects.
    pub(crate) async fn vouch(
        &self,
        discovery: &dyn Discovery,
        bastion: &Bastion,
        expected: &ExpectedHostKey,
        key: &PublicKey,
        is_first: bool,
    ) -> Result<KeyProvenance> {
        let has_console = bastion.instance.is_some() && self.trust != Trust::Pinned;
        let console = if has_console {
            console::host_keys(discovery, bastion, &self.events).await
        } else {
            ConsoleKeys::default()
        };
        if console.contains(key) {
            return Ok(KeyProvenance::Console);
        }
        if !console.is_empty() {
            let wanted = format!("its console shows {}", console.all_fingerprints().join(" or "));
            return Err(expected.mismatch(&wanted, key));
        }
        if !expected.known.keys.is_empty() {
            return Err(expected.mismatch(&expected.known_clause(), key));
        }
        let asked = if has_console {
            "it is neither pinned nor in known_hosts, and the instance's console does not show it"
        } else {
            "it is neither pinned nor in known_hosts"
        };
        match self.trust {
            Trust::FirstUse if is_first => return Ok(KeyProvenance::FirstUse),
            Trust::Console if is_first && self.prompt && confirms(bastion, key, asked).await => {
                return Ok(KeyProvenance::Confirmed);
            }
            _ => {}
        }
        Err(unknown(bastion, key, asked))
    }

    /// Pins a key that the bastion has proved to have.
    pub(crate) fn pin(&self, bastion: &Bastion, key: &PublicKey, provenance: KeyProvenance) -> Result<()> {
        let identity = bastion.identity();
        // A concurrent handshake may have pinned it already.
        if self.known_hosts.pinned(&identity)?.is_some_and(|pinned| pinned.key_data() == key.key_data()) {
            return Ok(());
        }
        self.known_hosts.pin(&identity, key)?;
        let event = Event::HostKeyPinned { identity, fingerprint: fingerprint(key), provenance };
        Arc::clone(&self.events)(event);
        Ok(())
    }
}

/// Asks on the terminal. As with ssh, the answer is yes or the fingerprint.
async fn confirms(bastion: &Bastion, key: &PublicKey, asked: &str) -> bool {
    let (name, fingerprint) = (bastion.identity(), fingerprint(key));
    let question = format!(
        "the host key of {name} is not known: {asked}\n{} {fingerprint}\ntrust it and pin it? [y/N, or its fingerprint] ",
        key.algorithm()
    );
    let answer = terminal::ask(&question, Echo::On).await.unwrap_or_default();
    let answer = answer.trim();
    ["y", "yes"].contains(&answer.to_lowercase().as_str()) || answer == fingerprint
}

/// Returns the error for a key that is not trusted, with the command that pins it.
fn unknown(bastion: &Bastion, key: &PublicKey, asked: &str) -> Failure {
    let (name, fingerprint) = (bastion.identity(), fingerprint(key));
    let route = match bastion.instance {
        Some(_) => "tunnel exec".to_owned(),
        None => format!("tunnel exec --bastion {bastion} -L 0:localhost:22"),
    };
    Failure::new(format!("the host key of {name} is not known: {fingerprint}; {asked}")).hint(format!(
        "if the bastion's operator confirms it, pin it: covidctl {route} --host-key {fingerprint} -- true; \
         `covidctl tunnel --trust first-use` trusts the first key"
    ))
}
