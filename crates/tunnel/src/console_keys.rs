//! The host keys on the console of an instance.

use russh::keys::{HashAlg, PublicKey};

/// What an instance has printed about its host keys.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ConsoleKeys {
    /// Public keys, as `algorithm key`.
    pub keys: Vec<String>,
    /// Fingerprints, as `SHA256:…`.
    pub fingerprints: Vec<String>,
    /// Whether the instance is so young that it may still print them.
    pub is_starting: bool,
}

impl ConsoleKeys {
    /// Returns whether it has printed nothing about them.
    pub const fn is_empty(&self) -> bool {
        self.keys.is_empty() && self.fingerprints.is_empty()
    }

    /// Returns whether the key is one of them.
    pub(crate) fn contains(&self, key: &PublicKey) -> bool {
        let is_key = |known: &String| {
            PublicKey::from_openssh(known).is_ok_and(|known| known.key_data() == key.key_data())
        };
        self.keys.iter().any(is_key) || self.fingerprints.contains(&fingerprint(key))
    }

    /// Returns the fingerprints of all of them.
    pub(crate) fn all_fingerprints(&self) -> Vec<String> {
        let keys = self.keys.iter().filter_map(|key| PublicKey::from_openssh(key).ok());
        let mut all: Vec<String> =
            keys.map(|key| fingerprint(&key)).chain(self.fingerprints.clone()).collect();
        all.sort();
        all.dedup();
        all
    }
}

/// Returns the fingerprint as every SSH program prints it: `SHA256:…`.
pub(crate) fn fingerprint(key: &PublicKey) -> String {
    key.fingerprint(HashAlg::Sha256).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    const KEY: &str = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIJdD7y3aLq454yWBdwLWbieU1ebz9/cu7/QEXn9OIeZJ";

    #[test]
    fn fingerprint_on_console_is_enough() {
        let key = PublicKey::from_openssh(KEY).unwrap();
        let console = ConsoleKeys { fingerprints: vec![fingerprint(&key)], ..ConsoleKeys::default() };
        assert!(console.contains(&key));
        let console = ConsoleKeys { keys: vec![KEY.to_owned()], ..ConsoleKeys::default() };
        assert!(console.contains(&key) && console.all_fingerprints() == [fingerprint(&key)]);
        assert!(!ConsoleKeys::default().contains(&key));
    }
}
