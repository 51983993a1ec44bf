//! Pinned host keys, and which key to expect from a bastion: the pinned one, the one that the user names, those printed on the
//! instance's console, or, on first use, any.
//!
//! The file has one pin per line, `identity algorithm key`. The identity is the bastion's instance id if known, so that a replaced
//! bastion is a new machine rather than a changed key. A file that cannot be parsed is an error, not an empty file.

use std::borrow::Cow;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use common::failure::{Context as _, Failure, Result};
use russh::Preferred;
use russh::keys::{Algorithm, HashAlg, PublicKey};
use serde::Serialize;

/// The file of pinned host keys and the user's `--host-key`.
#[derive(Debug, Clone)]
pub(crate) struct KnownHosts {
    file: PathBuf,
    /// `SHA256:…`
    named: Option<String>,
}

/// The host key to expect from one bastion.
#[derive(Debug, Clone)]
pub(crate) struct ExpectedHostKey {
    identity: String,
    pinned: Option<PublicKey>,
    /// The fingerprint that the user named; it overrides the pin.
    named: Option<String>,
    /// The keys on the instance's console.
    console: Vec<PublicKey>,
}

/// Why a host key is trusted that was not pinned.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum KeyProvenance {
    /// The user named its fingerprint.
    User,
    /// The instance printed it on its console, which only the account's users can read.
    Console,
    /// It is the first key seen.
    FirstUse,
}

/// A presented host key compared with the expected one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum HostKeyStatus {
    /// It is the pinned key.
    Pinned,
    /// It is trusted, and must be pinned.
    New(KeyProvenance),
    /// It is another key than `wanted`, a clause with one or more fingerprints.
    Mismatch { wanted: String },
}

impl KnownHosts {
    pub(crate) fn new(file: &Path, named: Option<&str>) -> Self {
        Self { file: file.to_path_buf(), named: named.map(str::to_owned) }
    }

    /// Looks the bastion's pin up.
    pub(crate) fn expected(&self, identity: &str) -> Result<ExpectedHostKey> {
        let pinned = self.pins()?.into_iter().find(|(name, _)| name == identity).map(|(_, key)| key);
        Ok(ExpectedHostKey {
            identity: identity.to_owned(),
            pinned,
            named: self.named.clone(),
            console: Vec::new(),
        })
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
    /// Returns whether there is neither a pin nor a fingerprint named by the user.
    pub(crate) const fn is_unknown(&self) -> bool {
        self.pinned.is_none() && self.named.is_none()
    }

    /// Expects one of the keys on the instance's console. Lines that are not keys are ignored.
    #[must_use]
    pub(crate) fn with_console_keys(mut self, keys: &[String]) -> Self {
        self.console = keys.iter().filter_map(|key| PublicKey::from_openssh(key).ok()).collect();
        self
    }

    /// Compares the key that a bastion presents.
    pub(crate) fn check(&self, key: &PublicKey) -> HostKeyStatus {
        let is_presented = |known: &PublicKey| known.key_data() == key.key_data();
        let wanted = match (&self.named, &self.pinned) {
            (Some(named), _) if *named != fingerprint(key) => format!("--host-key is {named}"),
            (_, Some(pinned)) if is_presented(pinned) => return HostKeyStatus::Pinned,
            (Some(_), _) => return HostKeyStatus::New(KeyProvenance::User),
            (None, Some(pinned)) => format!("the pinned key is {}", fingerprint(pinned)),
            (None, None) if self.console.is_empty() => return HostKeyStatus::New(KeyProvenance::FirstUse),
            (None, None) if self.console.iter().any(is_presented) => {
                return HostKeyStatus::New(KeyProvenance::Console);
            }
            (None, None) => {
                let keys: Vec<_> = self.console.iter().map(fingerprint).collect();
                format!("its console shows {}", keys.join(" or "))
            }
        };
        HostKeyStatus::Mismatch { wanted }
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

    /// Returns the host key algorithms with those of the expected keys first: a bastion with several keys presents the first that it
    /// has. SHA-1 is left out.
    pub(crate) fn preferred_algorithms(&self) -> Cow<'static, [Algorithm]> {
        let is_secure = |algorithm: &&Algorithm| !matches!(algorithm, Algorithm::Rsa { hash: None });
        let mut algorithms: Vec<Algorithm> =
            Preferred::DEFAULT.key.iter().filter(is_secure).cloned().collect();
        let known = match (&self.named, &self.pinned) {
            (Some(_), _) => &[],
            (None, Some(pinned)) => std::slice::from_ref(pinned),
            (None, None) => &*self.console,
        };
        let is_rsa = |algorithm: &Algorithm| matches!(algorithm, Algorithm::Rsa { .. });
        let is_known = |algorithm: &Algorithm| {
            known
                .iter()
                .map(PublicKey::algorithm)
                .any(|key| *algorithm == key || is_rsa(algorithm) && is_rsa(&key))
        };
        algorithms.sort_by_key(|algorithm| !is_known(algorithm));
        Cow::Owned(algorithms)
    }
}

/// Returns the fingerprint as every SSH program prints it: `SHA256:…`.
pub(crate) fn fingerprint(key: &PublicKey) -> String {
    key.fingerprint(HashAlg::Sha256).to_string()
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

    #[test]
    fn first_key_is_trusted_and_other_key_mismatches_after_pinning() {
        let folder = tempfile::tempdir().unwrap();
        let known_hosts = KnownHosts::new(&folder.path().join("new/host_keys"), None);
        assert_eq!(
            known_hosts.expected("i-1").unwrap().check(&key(ED25519)),
            HostKeyStatus::New(KeyProvenance::FirstUse)
        );
        known_hosts.pin("i-1", &key(ED25519)).unwrap();
        known_hosts.pin("i-2", &key(OTHER)).unwrap();
        let expected = known_hosts.expected("i-1").unwrap();
        assert_eq!(expected.check(&key(&format!("{ED25519} a comment"))), HostKeyStatus::Pinned);
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
                        KnownHosts::new(file, None).pin(&identity, &key(ED25519)).unwrap();
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
        KnownHosts::new(&file, None).pin("a:22", &key(ED25519)).unwrap();
        let known_hosts = KnownHosts::new(&file, Some(&fingerprint(&key(OTHER))));
        let expected = known_hosts.expected("a:22").unwrap();
        assert_eq!(expected.check(&key(OTHER)), HostKeyStatus::New(KeyProvenance::User));
        assert!(matches!(expected.check(&key(ED25519)), HostKeyStatus::Mismatch { .. }));
        known_hosts.pin("a:22", &key(OTHER)).unwrap();
        assert_eq!(
            KnownHosts::new(&file, None).expected("a:22").unwrap().check(&key(OTHER)),
            HostKeyStatus::Pinned
        );
    }

    #[test]
    fn console_key_is_trusted_and_other_keys_mismatch() {
        let folder = tempfile::tempdir().unwrap();
        let known_hosts = KnownHosts::new(&folder.path().join("host_keys"), None);
        let console = [OTHER.to_owned(), ECDSA.to_owned(), "nonsense".to_owned()];
        let expected = known_hosts.expected("i-1").unwrap().with_console_keys(&console);
        assert!(expected.is_unknown());
        assert_eq!(expected.check(&key(ECDSA)), HostKeyStatus::New(KeyProvenance::Console));
        let HostKeyStatus::Mismatch { wanted } = expected.check(&key(ED25519)) else {
            panic!("the key was trusted")
        };
        let mismatch = expected.mismatch(&wanted, &key(ED25519)).to_string();
        for words in
            ["console", &fingerprint(&key(OTHER)), &fingerprint(&key(ECDSA)), &fingerprint(&key(ED25519))]
        {
            assert!(mismatch.contains(words), "{mismatch}");
        }
        // A pin takes precedence: the console may still show the keys of an earlier boot.
        known_hosts.pin("i-1", &key(ED25519)).unwrap();
        assert!(!known_hosts.expected("i-1").unwrap().is_unknown());
    }

    #[test]
    fn preferred_algorithms_start_with_pinned_one_and_exclude_sha1() {
        let folder = tempfile::tempdir().unwrap();
        let known_hosts = KnownHosts::new(&folder.path().join("host_keys"), None);
        assert_eq!(known_hosts.expected("x").unwrap().preferred_algorithms()[0], Algorithm::Ed25519);
        known_hosts.pin("x", &key(ECDSA)).unwrap();
        let preferred = known_hosts.expected("x").unwrap().preferred_algorithms();
        assert_eq!(preferred[0], key(ECDSA).algorithm());
        assert!(!preferred.contains(&Algorithm::Rsa { hash: None }), "SHA-1 is broken");
    }

    #[test]
    fn damaged_file_is_an_error_with_line_number() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("host_keys");
        std::fs::write(&file, format!("a:22 {ED25519}\nb:22 nonsense\n")).unwrap();
        let failure = KnownHosts::new(&file, None).expected("a:22").unwrap_err();
        assert!(failure.to_string().starts_with("line 2 of the pinned host keys"), "{failure}");
    }
}
