//! The `known_hosts` files of OpenSSH: the keys, authorities and revoked keys that they name for a host (sshd(8), `SSH_KNOWN_HOSTS FILE
//! FORMAT`). They are read and never written.

use std::path::{Path, PathBuf};

use hmac::{Hmac, KeyInit as _, Mac as _};
use russh::keys::PublicKey;
use russh::keys::ssh_key::known_hosts::HostPatterns;
use sha1::Sha1;

/// The port that entries without a port are for.
const DEFAULT_PORT: u16 = 22;

/// What the files say about one host.
#[derive(Debug, Clone, Default)]
pub(crate) struct KnownKeys {
    pub(crate) keys: Vec<PublicKey>,
    /// Keys of the same name without the port, which ssh accepts, too.
    pub(crate) keys_without_port: Vec<PublicKey>,
    /// Authorities whose certificates are trusted.
    pub(crate) authorities: Vec<PublicKey>,
    pub(crate) revoked: Vec<PublicKey>,
}

/// Returns the files that ssh reads, the user's first.
pub(crate) fn default_files() -> Vec<PathBuf> {
    let home = etcetera::home_dir().ok().map(|home| home.join(".ssh/known_hosts"));
    home.into_iter().chain([PathBuf::from("/etc/ssh/ssh_known_hosts")]).collect()
}

/// Looks a host up. Files that do not exist and lines that are no entries are passed over, as ssh does.
pub(crate) fn look_up(files: &[PathBuf], host: &str, port: u16) -> KnownKeys {
    let mut known = KnownKeys::default();
    for text in files.iter().filter_map(|file| read(file)) {
        known.add(&text, host, port);
    }
    known
}

fn read(file: &Path) -> Option<String> {
    std::fs::read(file).ok().map(|bytes| String::from_utf8_lossy(&bytes).into_owned())
}

impl KnownKeys {
    fn add(&mut self, text: &str, host: &str, port: u16) {
        let host = host.to_lowercase();
        let name = if port == DEFAULT_PORT { host.clone() } else { format!("[{host}]:{port}") };
        for line in text.lines().map(str::trim).filter(|line| !line.starts_with('#')) {
            let Some((marker, patterns, key)) = entry(line) else { continue };
            let is_for_name = matches(&patterns, &name);
            let is_for_host = port != DEFAULT_PORT && matches(&patterns, &host);
            match marker {
                Some("@revoked") if is_for_name || is_for_host => self.revoked.push(key),
                Some("@cert-authority") if is_for_name || is_for_host => self.authorities.push(key),
                None if is_for_name => self.keys.push(key),
                None if is_for_host => self.keys_without_port.push(key),
                _ => {}
            }
        }
    }
}

fn entry(line: &str) -> Option<(Option<&str>, HostPatterns, PublicKey)> {
    let mut words = line.split_whitespace();
    let first = words.next()?;
    let (marker, patterns) =
        if first.starts_with('@') { (Some(first), words.next()?) } else { (None, first) };
    let key = format!("{} {}", words.next()?, words.next()?);
    Some((marker, patterns.parse().ok()?, PublicKey::from_openssh(&key).ok()?))
}

fn matches(patterns: &HostPatterns, name: &str) -> bool {
    match patterns {
        HostPatterns::HashedName { salt, hash } => {
            let Ok(mut mac) = Hmac::<Sha1>::new_from_slice(salt) else { return false };
            mac.update(name.as_bytes());
            mac.verify_slice(hash).is_ok()
        }
        HostPatterns::Patterns(patterns) => {
            let is_any = |negated: bool| {
                patterns.iter().any(|pattern| match pattern.strip_prefix('!') {
                    Some(pattern) => negated && is_like(&pattern.to_lowercase(), name),
                    None => !negated && is_like(&pattern.to_lowercase(), name),
                })
            };
            is_any(false) && !is_any(true)
        }
    }
}

/// Compares with a pattern of `*` and `?`.
pub(crate) fn is_like(pattern: &str, name: &str) -> bool {
    let (pattern, name): (Vec<char>, Vec<char>) = (pattern.chars().collect(), name.chars().collect());
    let (mut at, mut read) = (0, 0);
    // Where the last `*` is, and what it stands for so far.
    let mut star: Option<(usize, usize)> = None;
    while read < name.len() {
        match pattern.get(at) {
            Some('*') => {
                star = Some((at, read));
                at += 1;
            }
            Some(&character) if character == '?' || character == name[read] => {
                at += 1;
                read += 1;
            }
            _ => {
                let Some((position, end)) = star else { return false };
                star = Some((position, end + 1));
                at = position + 1;
                read = end + 1;
            }
        }
    }
    pattern[at..].iter().all(|character| *character == '*')
}

#[cfg(test)]
mod tests {
    use super::*;

    const KEY: &str = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIJdD7y3aLq454yWBdwLWbieU1ebz9/cu7/QEXn9OIeZJ";

    /// Returns the numbers of keys, keys without port, authorities and revoked keys.
    fn counts(line: &str, host: &str, port: u16) -> [usize; 4] {
        let mut known = KnownKeys::default();
        known.add(line, host, port);
        [known.keys, known.keys_without_port, known.authorities, known.revoked].map(|keys| keys.len())
    }

    #[test]
    fn names_ports_patterns_and_markers_are_matched_as_ssh_does() {
        for (hosts, host, port, expected) in [
            ("bastion.example", "Bastion.example", 22, [1, 0, 0, 0]),
            ("other,bastion.example", "bastion.example", 22, [1, 0, 0, 0]),
            ("bastion.example", "bastion.example", 2222, [0, 1, 0, 0]),
            ("[bastion.example]:2222", "bastion.example", 2222, [1, 0, 0, 0]),
            ("[bastion.example]:2222", "bastion.example", 22, [0, 0, 0, 0]),
            ("[::1]:2222", "::1", 2222, [1, 0, 0, 0]),
            ("*.example,!bad.example", "good.example", 22, [1, 0, 0, 0]),
            ("*.example,!bad.example", "bad.example", 22, [0, 0, 0, 0]),
            ("10.0.?.1*", "10.0.7.123", 22, [1, 0, 0, 0]),
            ("@cert-authority *.example", "a.example", 2222, [0, 0, 1, 0]),
            ("@revoked *", "a.example", 22, [0, 0, 0, 1]),
        ] {
            assert_eq!(
                counts(&format!("{hosts}  {KEY} a comment"), host, port),
                expected,
                "{hosts} {host} {port}"
            );
        }
        assert_eq!(
            counts(&format!("# {KEY}\n\nnonsense\n|1|x|y {KEY}\nhost ssh-dss AAAA"), "host", 22),
            [0; 4]
        );
    }

    #[test]
    fn hashed_name_is_matched() {
        for (name, host, port) in
            [("[127.0.0.1]:2222", "127.0.0.1", 2222), ("bastion.example", "bastion.example", 22)]
        {
            let mut mac = Hmac::<Sha1>::new_from_slice(b"01234567890123456789").unwrap();
            mac.update(name.as_bytes());
            let hash: [u8; 20] = mac.finalize().into_bytes().into();
            let hashed = HostPatterns::HashedName { salt: b"01234567890123456789".to_vec(), hash };
            assert_eq!(counts(&format!("{} {KEY}", hashed.to_string()), host, port), [1, 0, 0, 0]);
            assert_eq!(counts(&format!("{} {KEY}", hashed.to_string()), "other", port), [0; 4]);
        }
    }
}
