//! The ssh agent: signs for us, and never shows us a key.

use russh::client::{AuthResult, Handle};
use russh::keys::agent::AgentIdentity;
use russh::keys::agent::client::AgentClient;
use russh::keys::{HashAlg, PublicKey};

use super::{Tried, refusal};
use crate::session::Guard;

/// sshd allows six attempts; the key files need some of them.
const OFFERS: usize = 4;

/// Offers the agent's keys, or only the one that is wanted. Says whether one was accepted.
pub(super) async fn log_in(
    handle: &mut Handle<Guard>,
    user: &str,
    only: Option<&PublicKey>,
    rsa: Option<HashAlg>,
    tried: &mut Tried,
) -> bool {
    let mut agent = match AgentClient::connect_env().await {
        Ok(agent) => agent,
        Err(russh::keys::Error::EnvVar(_)) => {
            tried.note("ssh agent", "none is running (SSH_AUTH_SOCK is not set)");
            return false;
        }
        Err(error) => {
            tried.note("ssh agent", error);
            return false;
        }
    };
    let keys = match agent.request_identities().await {
        Ok(identities) => wanted(identities, only),
        Err(error) => {
            tried.note("ssh agent", error);
            return false;
        }
    };
    if keys.is_empty() {
        tried.note("ssh agent", if only.is_some() { "it does not have this key" } else { "it has no keys" });
    }
    for key in keys.iter().take(OFFERS) {
        let name = format!("ssh agent's {}", key.fingerprint(HashAlg::Sha256));
        let hash = if key.algorithm().is_rsa() { rsa } else { None };
        match handle.authenticate_publickey_with(user, key.clone(), hash, &mut agent).await {
            Ok(AuthResult::Success) => return true,
            Ok(refused) => tried.note(name, refusal(&refused)),
            Err(error) => tried.note(name, error),
        }
    }
    if keys.len() > OFFERS {
        tried.note(
            format!("ssh agent's other {} keys", keys.len() - OFFERS),
            "not offered, sshd ends it before",
        );
    }
    false
}

fn wanted(identities: Vec<AgentIdentity>, only: Option<&PublicKey>) -> Vec<PublicKey> {
    let plain = identities.into_iter().filter_map(|identity| match identity {
        AgentIdentity::PublicKey { key, .. } => Some(key),
        AgentIdentity::Certificate { .. } => None,
    });
    plain.filter(|key| only.is_none_or(|only| only.key_data() == key.key_data())).collect()
}
