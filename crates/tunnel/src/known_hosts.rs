//! Pinned host keys, and which key to expect from a bastion: the one that the user names, the pinned one, or one that OpenSSH knows.
//!
//! The file has one pin per line, `identity algorithm key`. The identity is the bastion's instance id if known, so that a replaced
//! bastion is a new machine rather than a changed key. A file that cannot be parsed is an error, not an empty file.

use std::borrow::Cow;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use std::time::{SystemTime, UNIX_EPOCH};

use common::failure::{Context as _, Failure, Result};
use russh::Preferred;
use russh::keys::ssh_key::certificate::CertType;
use russh::keys::{Algorithm, Certificate, HashAlg, PublicKey};
use serde::Serialize;

use crate::bastion::Bastion;
use crate::console_keys::fingerprint;
use crate::openssh_known_hosts::{KnownKeys, default_files, is_like, look_up};

/// The file of pinned host keys, the files of OpenSSH, and the user's `--host-key`.
#[derive(Debug, Clone)]
pub(crate) struct KnownHosts {
    file: PathBuf,
    openssh: Vec<PathBuf>,
    /// `SHA256:…`
    named: Option<String>,
}

/// The host key to expect from one bastion.
#[derive(Debug, Clone)]
pub(crate) struct ExpectedHostKey {
    identity: String,
    host: String,
    /// The fingerprint that the user named; it overrides everything else.
    named: Option<String>,
    pinned: Option<PublicKey>,
    /// What OpenSSH knows; empty if there is a pin.
    pub(crate) known: KnownKeys,
    /// A key that was vouched for after an earlier handshake.
    vouched: Option<(PublicKey, KeyProvenance)>,
    /// Whether the provider may vouch for another key than the known ones: an address can pass to another instance.
    is_instance: bool,
}

/// Why a host key is trusted that was not pinned.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum KeyProvenance {
    /// The user named its fingerprint.
    User,
    /// The instance printed it on its console, which only the account's users can read.
    Console,
    /// The user confirmed it on the terminal.
    Confirmed,
    /// It is the first key seen, and the user asked for that with `--trust first-use`.
    FirstUse,
}

/// A presented host key compared with the expected one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum HostKeyStatus {
    /// It is the pinned key, or OpenSSH knows it.
    Known,
    /// It is trusted, and must be pinned.
    New(KeyProvenance),
    /// Neither a pin nor OpenSSH decides.
    Unknown,
    /// It is another key than `wanted`, a clause with one or more fingerprints.
    Mismatch { wanted: String },
}

impl KnownHosts {
    pub(crate) fn new(file: &Path, more: &[PathBuf], named: Option<&str>) -> Self {
        let openssh = more.iter().cloned().chain(default_files()).collect();
        Self { file: file.to_path_buf(), openssh, named: named.map(str::to_owned) }
    }

    /// Looks the bastion's pin up, and what OpenSSH knows if there is none.
    pub(crate) fn expected(&self, bastion: &Bastion) -> Result<ExpectedHostKey> {
        let identity = bastion.identity();
        let pinned = self.pinned(&identity)?;
        let known = if pinned.is_none() && self.named.is_none() {
            look_up(&self.openssh, &bastion.host, bastion.port)
        } else {
            KnownKeys::default()
        };
        Ok(ExpectedHostKey {
            identity,
            host: bastion.host.to_lowercase(),
            named: self.named.clone(),
            pinned,
            known,
            vouched: None,
            is_instance: bastion.instance.is_some(),
        })
    }

    /// Returns the key that is pinned for an identity.
    pub(crate) fn pinned(&self, identity: &str) -> Result<Option<PublicKey>> {
        Ok(self.pins()?.into_iter().find(|(name, _)| name == identity).map(|(_, key)| key))
    }

    /// Pins a key, in place of an earlier one.
    pub(crate) fn pin(&self, identity: &str, key: &PublicKey) -> Result<()> {
        let what = || format!("cannot pin the host key in `{}`", self.file.display());
        std::fs::create_dir_all(self.file.parent().unwrap_or(Path::new("."))).context(what)?;
        // Two tunnels that start together must not lose each other's pins.
        let _lock = common::atomic_file::lock(&self.file).context(what)?;
        let mut pins = self.pins()?;
        pins.retain(|(name, _)| name != identity);
        pins.push((identity.to_owned(), key.clone()));
        // Without the comments.
        let line = |(name, key): (String, PublicKey)| {
            let key = PublicKey::from(key.key_data().clone()).to_openssh()?;
            Ok::<_, russh::keys::ssh_key::Error>(format!("{name} {}\n", key.trim_end()))
        };
        let text = pins.into_iter().map(line).collect::<Result<String, _>>().context(what)?;
        common::atomic_file::write(&self.file, text.as_bytes()).context(what)
    }

    fn pins(&self) -> Result<Vec<(String, PublicKey)>> {
        let file = self.file.display();
        let text = match std::fs::read_to_string(&self.file) {
            Err(error) if error.kind() == ErrorKind::NotFound => String::new(),
            text => text.context(|| format!("cannot read the pinned host keys `{file}`"))?,
        };
        parse(&text).map_err(|line| {
            Failure::new(format!("line {line} of the pinned host keys `{file}` is not a pin"))
                .hint("restore the file, or move it away to trust every bastion on first use again")
        })
    }
}

/// Parses the file's text. The error is the number of the first line that is not a pin.
fn parse(text: &str) -> Result<Vec<(String, PublicKey)>, usize> {
    let pin = |line: &str| {
        let (name, key) = line.split_once(' ')?;
        Some((name.to_owned(), PublicKey::from_openssh(key).ok()?))
    };
    text.lines().zip(1..).map(|(line, number)| pin(line).ok_or(number)).collect()
}

/// Returns the number of pins in the text of a file of pinned host keys. The error is the number of the first line that is not a pin.
pub fn count_pins(text: &str) -> Result<usize, usize> {
    parse(text).map(|pins| pins.len())
}

impl ExpectedHostKey {
    /// Expects this key, which was vouched for.
    #[must_use]
    pub(crate) fn vouched(mut self, key: PublicKey, provenance: KeyProvenance) -> Self {
        self.vouched = Some((key, provenance));
        self
    }

    /// Compares the key that a bastion presents.
    pub(crate) fn check(&self, key: &PublicKey) -> HostKeyStatus {
        let is_presented = |known: &PublicKey| known.key_data() == key.key_data();
        let mismatch = |wanted: String| HostKeyStatus::Mismatch { wanted };
        if let Some(named) = &self.named {
            return match &self.pinned {
                _ if *named != fingerprint(key) => mismatch(format!("--host-key is {named}")),
                Some(pinned) if is_presented(pinned) => HostKeyStatus::Known,
                _ => HostKeyStatus::New(KeyProvenance::User),
            };
        }
        if let Some(pinned) = &self.pinned {
            let pin = || mismatch(format!("the pinned key is {}", fingerprint(pinned)));
            return if is_presented(pinned) { HostKeyStatus::Known } else { pin() };
        }
        if self.known.revoked.iter().any(is_presented) {
            return mismatch("known_hosts marks its key as @revoked".to_owned());
        }
        match &self.vouched {
            Some((vouched, provenance)) if is_presented(vouched) => HostKeyStatus::New(*provenance),
            Some((vouched, _)) => mismatch(format!("its last key was {}", fingerprint(vouched))),
            None if self.known.keys.iter().chain(&self.known.keys_without_port).any(is_presented) => {
                HostKeyStatus::Known
            }
            None if self.known.keys.is_empty() || self.is_instance => HostKeyStatus::Unknown,
            None => mismatch(self.known_clause()),
        }
    }

    /// Checks the certificate that a bastion presents. One that no trusted authority vouches for counts as the key that it contains.
    pub(crate) fn check_certificate(&self, certificate: &Certificate) -> HostKeyStatus {
        let key = PublicKey::from(certificate.public_key().clone());
        let is_revoked = |revoked: &PublicKey| {
            revoked.key_data() == certificate.signature_key() || revoked.key_data() == key.key_data()
        };
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_secs();
        let authorities = self.known.authorities.iter().map(|key| key.fingerprint(HashAlg::Sha256));
        let authorities: Vec<_> = authorities.collect();
        let is_valid = certificate.cert_type() == CertType::Host
            && certificate.valid_principals().iter().any(|name| is_like(&name.to_lowercase(), &self.host))
            && certificate.validate_at(now, &authorities).is_ok()
            && !self.known.revoked.iter().any(is_revoked);
        if is_valid { HostKeyStatus::Known } else { self.check(&key) }
    }

    /// Returns a clause with the keys that OpenSSH knows.
    pub(crate) fn known_clause(&self) -> String {
        let keys: Vec<_> = self.known.keys.iter().map(fingerprint).collect();
        format!("known_hosts has {}", keys.join(" or "))
    }

    /// Returns the error for a key other than the `wanted` one.
    pub(crate) fn mismatch(&self, wanted: &str, key: &PublicKey) -> Failure {
        let presented = fingerprint(key);
        Failure::new(format!(
            "host key mismatch for {}: {wanted}, the presented key is {presented}",
            self.identity
        ))
        .hint(format!(
            "the connection may be intercepted; if the bastion's operator confirms the new key, add --host-key {presented}"
        ))
    }

    /// Returns the algorithms of host certificates to ask for: none without an authority, because a certificate then only hides the key.
    pub(crate) fn certificate_algorithms(&self) -> Cow<'static, [Algorithm]> {
        let is_asked = !self.known.authorities.is_empty() && self.vouched.is_none();
        if is_asked { Self::algorithms().into() } else { Cow::Borrowed(&[]) }
    }

    /// Returns the library's algorithms without SHA-1.
    fn algorithms() -> Vec<Algorithm> {
        let is_secure = |algorithm: &&Algorithm| !matches!(algorithm, Algorithm::Rsa { hash: None });
        Preferred::DEFAULT.key.iter().filter(is_secure).cloned().collect()
    }

    /// Returns the host key algorithms with those of the expected keys first: a bastion with several keys presents the first that it
    /// has. SHA-1 is left out.
    pub(crate) fn preferred_algorithms(&self) -> Cow<'static, [Algorithm]> {
        let mut algorithms = Self::algorithms();
        let known: Vec<&PublicKey> = match (&self.named, &self.vouched) {
            (Some(_), _) => Vec::new(),
            (None, Some((vouched, _))) => vec![vouched],
            (None, None) => {
                self.pinned.iter().chain(&self.known.keys).chain(&self.known.keys_without_port).collect()
            }
        };
        let is_rsa = |algorithm: &Algorithm| matches!(algorithm, Algorithm::Rsa { .. });
        let is_known = |algorithm: &Algorithm| {
            known
                .iter()
                .map(|key| key.algorithm())
                .any(|key| *algorithm == key || is_rsa(algorithm) && is_rsa(&key))
        };
        algorithms.sort_by_key(|algorithm| !is_known(algorithm));
        Cow::Owned(algorithms)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ED25519: &str = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIJdD7y3aLq454yWBdwLWbieU1ebz9/cu7/QEXn9OIeZJ";
    const OTHER: &str = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIA6rWI3G1sz07DnfFlrouTcysQlj2P+jpNSOEWD9OJ3X";
    const ECDSA: &str = "ecdsa-sha2-nistp256 AAAAE2VjZHNhLXNoYTItbmlzdHAyNTYAAAAIbmlzdHAyNTYAAABBBHwf2HMM5TRXvo2SQJjsNkiDD5KqiiNjrGVv3UUh+mMT5RHxiRtOnlqvjhQtBq0VpmpCV/PwUdhOig4vkbqAcEc=";

    fn key(text: &str) -> PublicKey {
        PublicKey::from_openssh(text).unwrap()
    }

    fn instance(identity: &str) -> Bastion {
        let bastion: Bastion = "me@nowhere.invalid".parse().unwrap();
        Bastion { instance: Some(identity.to_owned()), ..bastion }
    }

    #[test]
    fn first_key_is_unknown_and_other_key_mismatches_after_pinning() {
        let folder = tempfile::tempdir().unwrap();
        let known_hosts = KnownHosts::new(&folder.path().join("new/host_keys"), &[], None);
        assert_eq!(
            known_hosts.expected(&instance("i-1")).unwrap().check(&key(ED25519)),
            HostKeyStatus::Unknown
        );
        known_hosts.pin("i-1", &key(ED25519)).unwrap();
        known_hosts.pin("i-2", &key(OTHER)).unwrap();
        let expected = known_hosts.expected(&instance("i-1")).unwrap();
        assert_eq!(expected.check(&key(&format!("{ED25519} a comment"))), HostKeyStatus::Known);
        let pinned = fingerprint(&key(ED25519));
        let HostKeyStatus::Mismatch { wanted } = expected.check(&key(OTHER)) else {
            panic!("the key was trusted")
        };
        let mismatch = expected.mismatch(&wanted, &key(OTHER));
        for words in ["i-1", pinned.as_str(), &fingerprint(&key(OTHER))] {
            assert!(mismatch.to_string().contains(words), "{mismatch}");
        }
    }

    #[test]
    fn pins_of_tunnels_that_start_together_are_all_kept() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("host_keys");
        std::thread::scope(|scope| {
            for tunnel in 0..8 {
                let file = &file;
                scope.spawn(move || {
                    for bastion in 0..8 {
                        let identity = format!("i-{tunnel}-{bastion}");
                        KnownHosts::new(file, &[], None).pin(&identity, &key(ED25519)).unwrap();
                    }
                });
            }
        });
        assert_eq!(count_pins(&std::fs::read_to_string(&file).unwrap()), Ok(64));
    }

    #[test]
    fn named_key_replaces_pin_and_other_keys_mismatch() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("host_keys");
        KnownHosts::new(&file, &[], None).pin("a:22", &key(ED25519)).unwrap();
        let known_hosts = KnownHosts::new(&file, &[], Some(&fingerprint(&key(OTHER))));
        let expected = known_hosts.expected(&instance("a:22")).unwrap();
        assert_eq!(expected.check(&key(OTHER)), HostKeyStatus::New(KeyProvenance::User));
        assert!(matches!(expected.check(&key(ED25519)), HostKeyStatus::Mismatch { .. }));
        known_hosts.pin("a:22", &key(OTHER)).unwrap();
        assert_eq!(
            KnownHosts::new(&file, &[], None).expected(&instance("a:22")).unwrap().check(&key(OTHER)),
            HostKeyStatus::Known
        );
    }

    #[test]
    fn key_of_openssh_is_known_and_other_keys_mismatch() {
        let folder = tempfile::tempdir().unwrap();
        let openssh = folder.path().join("known_hosts");
        std::fs::write(&openssh, format!("b.example {ED25519}\n@revoked b.example {ECDSA}\n")).unwrap();
        let known_hosts = KnownHosts::new(&folder.path().join("host_keys"), &[openssh], None);
        let bastion: Bastion = "me@b.example".parse().unwrap();
        let expected = known_hosts.expected(&bastion).unwrap();
        assert_eq!(expected.check(&key(ED25519)), HostKeyStatus::Known);
        for (other, why) in [(OTHER, "known_hosts has SHA256:"), (ECDSA, "@revoked")] {
            let HostKeyStatus::Mismatch { wanted } = expected.check(&key(other)) else {
                panic!("{other} was trusted")
            };
            assert!(wanted.contains(why), "{wanted}");
        }
        // The address of an instance may have belonged to another one, so that its console decides.
        let instance = Bastion { instance: Some("i-1".to_owned()), ..bastion.clone() };
        assert_eq!(known_hosts.expected(&instance).unwrap().check(&key(OTHER)), HostKeyStatus::Unknown);
        // A pin takes precedence.
        known_hosts.pin(&bastion.identity(), &key(OTHER)).unwrap();
        assert_eq!(known_hosts.expected(&bastion).unwrap().check(&key(OTHER)), HostKeyStatus::Known);
    }

    #[test]
    fn key_that_was_vouched_for_is_new_and_other_keys_mismatch() {
        let folder = tempfile::tempdir().unwrap();
        let known_hosts = KnownHosts::new(&folder.path().join("host_keys"), &[], None);
        let expected = known_hosts.expected(&instance("i-1")).unwrap();
        let expected = expected.vouched(key(OTHER), KeyProvenance::Console);
        assert_eq!(expected.check(&key(OTHER)), HostKeyStatus::New(KeyProvenance::Console));
        assert!(matches!(expected.check(&key(ED25519)), HostKeyStatus::Mismatch { .. }));
    }

    #[test]
    fn preferred_algorithms_start_with_pinned_one_and_exclude_sha1() {
        let folder = tempfile::tempdir().unwrap();
        let known_hosts = KnownHosts::new(&folder.path().join("host_keys"), &[], None);
        assert_eq!(
            known_hosts.expected(&instance("x")).unwrap().preferred_algorithms()[0],
            Algorithm::Ed25519
        );
        known_hosts.pin("x", &key(ECDSA)).unwrap();
        let preferred = known_hosts.expected(&instance("x")).unwrap().preferred_algorithms();
        assert_eq!(preferred[0], key(ECDSA).algorithm());
        assert!(!preferred.contains(&Algorithm::Rsa { hash: None }), "SHA-1 is broken");
    }

    #[test]
    fn damaged_file_is_an_error_with_line_number() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("host_keys");
        std::fs::write(&file, format!("a:22 {ED25519}\nb:22 nonsense\n")).unwrap();
        let failure = KnownHosts::new(&file, &[], None).expected(&instance("a:22")).unwrap_err();
        assert!(failure.to_string().starts_with("line 2 of the pinned host keys"), "{failure}");
    }
}
