//! The keys to offer, in order: the user's own files first, then what else the agent holds. Servers limit the number of attempts.

use russh::keys::agent::AgentIdentity;
use russh::keys::{Certificate, HashAlg, PublicKey};

use crate::key_file::KeyFile;

/// A key, or the certificate of a key, to offer to the server.
pub(crate) struct Candidate<'a> {
    /// `None` if the public half is known only after the file is decrypted.
    pub(crate) public: Option<PublicKey>,
    pub(crate) certificate: Option<Certificate>,
    pub(crate) holder: KeyHolder<'a>,
}

/// Who has the private half.
#[derive(Clone)]
pub(crate) enum KeyHolder<'a> {
    Agent(Box<AgentIdentity>),
    File(&'a KeyFile),
}

impl Candidate<'_> {
    /// Returns the name for messages.
    pub(crate) fn name(&self) -> String {
        let key = match &self.holder {
            KeyHolder::File(file) => file.path.display().to_string(),
            KeyHolder::Agent(identity) => {
                let comment = identity.comment();
                let comment = if comment.is_empty() { String::new() } else { format!(" ({comment})") };
                format!("ssh agent's {}{comment}", identity.public_key().fingerprint(HashAlg::Sha256))
            }
        };
        if self.certificate.is_some() { format!("certificate of {key}") } else { key }
    }
}

/// Returns what to offer. Files whose keys the agent holds, and those that the user named, come before the agent's other keys, which
/// `only_files` leaves out. A certificate comes before its key.
pub(crate) fn in_order<'a>(
    files: &'a [KeyFile],
    named: bool,
    only_files: bool,
    agent: &[AgentIdentity],
) -> Vec<Candidate<'a>> {
    let is_first = |file: &KeyFile| match &file.public {
        Some(public) => named || agent.iter().any(|identity| is_of(identity, public)),
        None => false,
    };
    let (first, last): (Vec<_>, Vec<_>) = files.iter().partition(|file| is_first(file));
    let is_of_file = |identity: &AgentIdentity| {
        first.iter().any(|file| file.public.as_ref().is_some_and(|public| is_of(identity, public)))
    };
    let mut others: Vec<_> = agent.iter().filter(|identity| !only_files && !is_of_file(identity)).collect();
    others.sort_by_key(|identity| !matches!(identity, AgentIdentity::Certificate { .. }));
    let of_files = |files: Vec<&'a KeyFile>| files.into_iter().flat_map(|file| of_file(file, agent));
    of_files(first).chain(others.into_iter().map(of_agent)).chain(of_files(last)).collect()
}

fn of_agent<'a>(identity: &AgentIdentity) -> Candidate<'a> {
    let certificate = match identity {
        AgentIdentity::PublicKey { .. } => None,
        AgentIdentity::Certificate { certificate, .. } => Some(certificate.clone()),
    };
    let public = Some(identity.public_key().into_owned());
    Candidate { public, certificate, holder: KeyHolder::Agent(Box::new(identity.clone())) }
}

/// Returns the file's certificates and its key; the agent signs if it can, because a file may need a passphrase.
fn of_file<'a>(file: &'a KeyFile, agent: &[AgentIdentity]) -> Vec<Candidate<'a>> {
    let of_this =
        |identity: &&AgentIdentity| file.public.as_ref().is_some_and(|public| is_of(identity, public));
    let (certificates, keys): (Vec<_>, Vec<_>) = agent
        .iter()
        .filter(of_this)
        .partition(|identity| matches!(identity, AgentIdentity::Certificate { .. }));
    let holder = || match keys.first() {
        Some(identity) => KeyHolder::Agent(Box::new((*identity).clone())),
        None => KeyHolder::File(file),
    };
    let candidate = |certificate| Candidate { public: file.public.clone(), certificate, holder: holder() };
    let mut candidates: Vec<_> = certificates.iter().map(|identity| of_agent(identity)).collect();
    if let (true, Some(certificate)) = (candidates.is_empty(), &file.certificate) {
        candidates.push(candidate(Some(certificate.clone())));
    }
    // The agent's certificate alone is of no use for a public key whose private half is nowhere else.
    if candidates.is_empty() || !keys.is_empty() || !file.is_public() {
        candidates.push(candidate(None));
    }
    candidates
}

fn is_of(identity: &AgentIdentity, key: &PublicKey) -> bool {
    identity.public_key().key_data() == key.key_data()
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use russh::keys::{Algorithm, PrivateKey, ssh_key::LineEnding};

    use super::*;

    fn key() -> PrivateKey {
        PrivateKey::random(&mut rand::rng(), Algorithm::Ed25519).unwrap()
    }

    fn file(folder: &Path, name: &str, key: &PrivateKey) -> KeyFile {
        let path = folder.join(name);
        common::atomic_file::write(&path, key.to_openssh(LineEnding::LF).unwrap().as_bytes()).unwrap();
        KeyFile::named(&path, false).unwrap()
    }

    fn identity(key: &PrivateKey, comment: &str) -> AgentIdentity {
        AgentIdentity::PublicKey { key: key.public_key().clone(), comment: comment.to_owned() }
    }

    /// Returns the last words of the candidates' names.
    fn names(files: &[KeyFile], named: bool, only_files: bool, agent: &[AgentIdentity]) -> Vec<String> {
        let candidates = in_order(files, named, only_files, agent);
        let name = |candidate: &Candidate<'_>| {
            let name = candidate.name();
            name.rsplit(['/', '(']).next().unwrap_or_default().trim_end_matches(')').to_owned()
        };
        candidates.iter().map(name).collect()
    }

    #[test]
    fn named_key_comes_first_and_agent_signs_for_files_that_it_holds() {
        let folder = tempfile::tempdir().unwrap();
        let (mine, held, stranger) = (key(), key(), key());
        let agent = [identity(&stranger, "stranger"), identity(&held, "held")];
        let files = [file(folder.path(), "mine", &mine), file(folder.path(), "file", &held)];
        assert_eq!(names(&files, true, false, &agent), ["mine", "held", "stranger"]);
        assert_eq!(names(&files, true, true, &agent), ["mine", "held"]);
        // Default files: those that the agent holds, its other keys, the other files.
        assert_eq!(names(&files, false, false, &agent), ["held", "stranger", "mine"]);
    }

    #[test]
    fn many_keys_of_agent_are_all_offered() {
        let agent: Vec<_> = (0..12).map(|number| identity(&key(), &number.to_string())).collect();
        assert_eq!(names(&[], false, false, &agent).len(), 12);
    }
}
