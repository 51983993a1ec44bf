//! Whose host key is believed: the one that is pinned, or the one that the user named, or the first one seen.
//!
//! Pins stand in a file of our own, one `identity algorithm key` a line. The identity is the bastion's instance id where it is
//! known, so that a replaced bastion is a new machine and not a changed key. A key that is not the pinned one is refused, and
//! nothing here ever accepts just any key. A file that cannot be understood is an error, not an empty file.

use std::borrow::Cow;
use std::io::Write as _;
use std::path::{Path, PathBuf};

use common::failure::{Context as _, Failure, Result};
use russh::Preferred;
use russh::keys::{Algorithm, HashAlg, PublicKey};
use serde::Serialize;

/// The pins, and what the user said about this bastion's key.
#[derive(Debug, Clone)]
pub(super) struct Trust {
    file: PathBuf,
    /// `SHA256:…`, given by the user.
    named: Option<String>,
}

/// What is expected of one bastion.
#[derive(Debug, Clone)]
pub(super) struct Expectation {
    identity: String,
    pinned: Option<PublicKey>,
    named: Option<String>,
    /// The keys that the machine itself has printed on its console.
    printed: Vec<PublicKey>,
}

/// Why a key is believed that is not pinned yet.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Voucher {
    /// The user has named it.
    User,
    /// The machine printed it on its console, which only its owner can read.
    Console,
    /// Nobody: it is the first one seen.
    FirstUse,
}

/// What a host key turned out to be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Verdict {
    /// It is the pinned one.
    Known,
    /// Nothing is pinned, or the user named this key: to be pinned.
    New(Voucher),
    /// It is another one than `expected`.
    Wrong { expected: String },
}

impl Trust {
    pub(super) fn new(file: &Path, named: Option<&str>) -> Self {
        Self { file: file.to_path_buf(), named: named.map(str::to_owned) }
    }

    /// Looks the pin up.
    pub(super) fn expect(&self, identity: &str) -> Result<Expectation> {
        let pinned = self.pins()?.into_iter().find(|(name, _)| name == identity).map(|(_, key)| key);
        Ok(Expectation {
            identity: identity.to_owned(),
            pinned,
            named: self.named.clone(),
            printed: Vec::new(),
        })
    }

    /// Pins a key, in the place of another one.
    pub(super) fn pin(&self, identity: &str, key: &PublicKey) -> Result<()> {
        let what = || format!("cannot pin the host key in `{}`", self.file.display());
        let mut pins = self.pins()?;
        pins.retain(|(name, _)| name != identity);
        pins.push((identity.to_owned(), key.clone()));
        let folder = self.file.parent().unwrap_or(Path::new("."));
        std::fs::create_dir_all(folder).context(what)?;
        let mut file = tempfile::NamedTempFile::new_in(folder).context(what)?;
        for (name, key) in pins {
            writeln!(file, "{name} {}", plain(&key).context(what)?).context(what)?;
        }
        common::atomic_file::persist(file, &self.file).context(what)
    }

    fn pins(&self) -> Result<Vec<(String, PublicKey)>> {
        let text = match std::fs::read_to_string(&self.file) {
            Ok(text) => text,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => String::new(),
            Err(error) => {
                return Err(Failure::new(format!(
                    "cannot read the pinned host keys `{}`",
                    self.file.display()
                ))
                .source(error));
            }
        };
        let mut pins = Vec::new();
        for (number, line) in text.lines().enumerate() {
            let pin = line
                .split_once(' ')
                .and_then(|(name, key)| Some((name.to_owned(), PublicKey::from_openssh(key).ok()?)));
            pins.push(pin.ok_or_else(|| {
                let file = self.file.display();
                Failure::new(format!("line {} of the pinned host keys `{file}` is not a pin", number + 1))
                    .hint("restore the file, or move it away to trust every bastion anew")
            })?);
        }
        Ok(pins)
    }
}

impl Expectation {
    /// Whether somebody should be asked what the key is.
    pub(super) const fn is_open(&self) -> bool {
        self.pinned.is_none() && self.named.is_none()
    }

    /// Expects one of the keys that the machine has printed. Lines that are no keys are left out.
    #[must_use]
    pub(super) fn with_printed(mut self, keys: &[String]) -> Self {
        self.printed = keys.iter().filter_map(|key| PublicKey::from_openssh(key).ok()).collect();
        self
    }

    /// Judges the key that a bastion presents.
    pub(super) fn judge(&self, key: &PublicKey) -> Verdict {
        let fingerprint = fingerprint(key);
        match (&self.pinned, &self.named) {
            (Some(pinned), None) if pinned.key_data() == key.key_data() => Verdict::Known,
            (Some(pinned), None) => Verdict::Wrong { expected: self::fingerprint(pinned) },
            (pinned, Some(named)) if *named == fingerprint => match pinned {
                Some(pinned) if pinned.key_data() == key.key_data() => Verdict::Known,
                _ => Verdict::New(Voucher::User),
            },
            (_, Some(named)) => Verdict::Wrong { expected: named.clone() },
            (None, None) if self.printed.is_empty() => Verdict::New(Voucher::FirstUse),
            (None, None) if self.printed.iter().any(|printed| printed.key_data() == key.key_data()) => {
                Verdict::New(Voucher::Console)
            }
            (None, None) => Verdict::Wrong {
                expected: self.printed.iter().map(self::fingerprint).collect::<Vec<_>>().join(" or "),
            },
        }
    }

    /// The sentence for a key that is not the expected one.
    pub(super) fn refusal(&self, expected: &str, key: &PublicKey) -> Failure {
        let presented = fingerprint(key);
        let from = match (&self.named, &self.pinned) {
            (Some(_), _) => "you expect",
            (None, Some(_)) => "pinned is",
            (None, None) => "its console says",
        };
        Failure::new(format!(
            "the host key of {} is not the right one: {from} {expected}, presented was {presented}",
            self.identity
        ))
        .hint(format!(
            "somebody may be listening in; ask whoever runs the bastion, and only if this is its new fingerprint add \
             --host-key {presented}"
        ))
    }

    /// The pinned key's algorithm comes first, because a bastion with several keys shows the one that we prefer.
    pub(super) fn preferred_keys(&self) -> Cow<'static, [Algorithm]> {
        let modern = |algorithm: &&Algorithm| !matches!(algorithm, Algorithm::Rsa { hash: None });
        let mut keys: Vec<Algorithm> = Preferred::DEFAULT.key.iter().filter(modern).cloned().collect();
        let known = if self.named.is_some() {
            &[]
        } else {
            self.pinned.as_ref().map_or(&*self.printed, std::slice::from_ref)
        };
        if !known.is_empty() {
            let same = |key: &Algorithm, known: &PublicKey| match (key, known.algorithm()) {
                (Algorithm::Rsa { .. }, Algorithm::Rsa { .. }) => true,
                (key, known) => *key == known,
            };
            // Stable: among equals the order stays.
            keys.sort_by_key(|key| !known.iter().any(|known| same(key, known)));
        }
        Cow::Owned(keys)
    }
}

/// `SHA256:…`, as every SSH program writes it.
pub(super) fn fingerprint(key: &PublicKey) -> String {
    key.fingerprint(HashAlg::Sha256).to_string()
}

/// `algorithm key`, without the comment.
fn plain(key: &PublicKey) -> Result<String, russh::keys::ssh_key::Error> {
    PublicKey::from(key.key_data().clone()).to_openssh().map(|text| text.trim_end().to_owned())
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
    fn the_first_key_is_pinned_and_another_one_refused() {
        let folder = tempfile::tempdir().unwrap();
        let trust = Trust::new(&folder.path().join("new/host_keys"), None);
        assert_eq!(trust.expect("i-1").unwrap().judge(&key(ED25519)), Verdict::New(Voucher::FirstUse));
        trust.pin("i-1", &key(ED25519)).unwrap();
        trust.pin("i-2", &key(OTHER)).unwrap();
        let expectation = trust.expect("i-1").unwrap();
        assert_eq!(expectation.judge(&key(&format!("{ED25519} a comment"))), Verdict::Known);
        let expected = fingerprint(&key(ED25519));
        assert_eq!(expectation.judge(&key(OTHER)), Verdict::Wrong { expected: expected.clone() });
        let refusal = expectation.refusal(&expected, &key(OTHER));
        for words in ["i-1", expected.as_str(), &fingerprint(&key(OTHER))] {
            assert!(refusal.to_string().contains(words), "{refusal}");
        }
    }

    #[test]
    fn a_key_that_the_user_names_replaces_the_pin_and_nothing_else_does() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("host_keys");
        Trust::new(&file, None).pin("a:22", &key(ED25519)).unwrap();
        let trust = Trust::new(&file, Some(&fingerprint(&key(OTHER))));
        let expectation = trust.expect("a:22").unwrap();
        assert_eq!(expectation.judge(&key(OTHER)), Verdict::New(Voucher::User));
        assert!(matches!(expectation.judge(&key(ED25519)), Verdict::Wrong { .. }));
        trust.pin("a:22", &key(OTHER)).unwrap();
        assert_eq!(Trust::new(&file, None).expect("a:22").unwrap().judge(&key(OTHER)), Verdict::Known);
    }

    #[test]
    fn a_key_that_the_console_printed_is_believed_and_no_other() {
        let folder = tempfile::tempdir().unwrap();
        let trust = Trust::new(&folder.path().join("host_keys"), None);
        let printed = [OTHER.to_owned(), ECDSA.to_owned(), "nonsense".to_owned()];
        let expectation = trust.expect("i-1").unwrap().with_printed(&printed);
        assert!(expectation.is_open());
        assert_eq!(expectation.judge(&key(ECDSA)), Verdict::New(Voucher::Console));
        let Verdict::Wrong { expected } = expectation.judge(&key(ED25519)) else { panic!("it was believed") };
        let refusal = expectation.refusal(&expected, &key(ED25519)).to_string();
        for words in
            ["console", &fingerprint(&key(OTHER)), &fingerprint(&key(ECDSA)), &fingerprint(&key(ED25519))]
        {
            assert!(refusal.contains(words), "{refusal}");
        }
        // A pin is worth more than what a console may still show of an earlier start.
        trust.pin("i-1", &key(ED25519)).unwrap();
        assert!(!trust.expect("i-1").unwrap().is_open());
    }

    #[test]
    fn the_pinned_algorithm_is_asked_for_first() {
        let folder = tempfile::tempdir().unwrap();
        let trust = Trust::new(&folder.path().join("host_keys"), None);
        assert_eq!(trust.expect("x").unwrap().preferred_keys()[0], Algorithm::Ed25519);
        trust.pin("x", &key(ECDSA)).unwrap();
        let preferred = trust.expect("x").unwrap().preferred_keys();
        assert_eq!(preferred[0], key(ECDSA).algorithm());
        assert!(!preferred.contains(&Algorithm::Rsa { hash: None }), "SHA-1 is broken");
    }

    #[test]
    fn a_damaged_file_is_not_an_empty_one() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("host_keys");
        std::fs::write(&file, format!("a:22 {ED25519}\nb:22 nonsense\n")).unwrap();
        let failure = Trust::new(&file, None).expect("a:22").unwrap_err();
        assert!(failure.to_string().starts_with("line 2 of the pinned host keys"), "{failure}");
    }
}
