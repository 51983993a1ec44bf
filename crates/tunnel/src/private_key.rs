//! Private key files: every format that OpenSSH reads, and the reason and the way out for the others.
//!
//! The formats are OpenSSH's own, PEM (RFC 1421, with a `DEK-Info` header if encrypted), PKCS#8 (RFC 5958) and `PuTTY`'s. As OpenSSL does,
//! the reader of PEM skips what stands before the first key, such as bag attributes, and spaces at the ends of lines.

use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use pkcs8::EncryptedPrivateKeyInfoRef;
use pkcs8::pkcs5::EncryptionScheme;
use russh::keys::ssh_key::{self, Cipher};
use russh::keys::{Algorithm, PrivateKey, PublicKey, decode_secret_key};

use crate::pem::{DekCipher, Pem};

/// What a file given as a private key holds.
pub(crate) enum KeyContent {
    Private(Arc<PrivateKey>),
    Locked(LockedKey),
    /// A public key, or the handle of a key on a security key: the agent signs.
    Public(PublicKey),
}

/// An encrypted private key.
#[derive(Clone)]
pub(crate) struct LockedKey {
    encrypted: Encrypted,
    /// The formats of OpenSSH and `PuTTY` keep it unencrypted.
    pub(crate) public: Option<PublicKey>,
}

#[derive(Clone)]
enum Encrypted {
    OpenSsh(Box<PrivateKey>),
    Pem { pem: Pem, cipher: DekCipher, iv: Vec<u8> },
    Pkcs8(Vec<u8>),
    Putty(String),
}

/// Why a file is not a key that can be used, and what to do about it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct UnusableKey {
    pub(crate) why: String,
    pub(crate) hint: String,
}

impl UnusableKey {
    fn new(why: impl Into<String>, hint: impl Into<String>) -> Self {
        Self { why: why.into(), hint: hint.into() }
    }

    /// A format or cipher that OpenSSH may read and then writes in its own format.
    fn convertible(why: impl Into<String>, path: &str) -> Self {
        Self::new(why, format!("convert it, if OpenSSH reads it: ssh-keygen -p -f {path}"))
    }
}

/// Reads a key file. `path` is named in hints.
pub(crate) fn parse(bytes: &[u8], path: &str) -> Result<KeyContent, UnusableKey> {
    let text = text_of(bytes, path)?;
    if text.trim_start().starts_with("PuTTY-User-Key-File-") {
        return putty(&text, path);
    }
    let Some(pem) = Pem::first_private_key(&text) else { return without_private_key(&text, path) };
    let pem = pem.map_err(|label| {
        UnusableKey::new(
            format!("the block `{label}` is damaged or cut off"),
            "copy the whole file again, from its BEGIN line to its END line",
        )
    })?;
    match pem.label.as_str() {
        "OPENSSH PRIVATE KEY" => openssh(&pem, path),
        "ENCRYPTED PRIVATE KEY" => pkcs8_encrypted(pem.data, path),
        "DSA PRIVATE KEY" => Err(dsa()),
        "RSA PRIVATE KEY" | "EC PRIVATE KEY" | "PRIVATE KEY" => match pem.encryption() {
            None => plain(&pem, path).map(KeyContent::Private),
            Some(Ok((cipher, iv))) => Ok(KeyContent::Locked(LockedKey {
                encrypted: Encrypted::Pem { pem, cipher, iv },
                public: None,
            })),
            Some(Err(cipher)) => Err(UnusableKey::convertible(
                format!("it is encrypted with {cipher}, which covidctl lacks"),
                path,
            )),
        },
        "SSH2 ENCRYPTED PRIVATE KEY" => Err(UnusableKey::new(
            "it has the format of SSH Communications (SSH2)",
            format!("convert it: ssh-keygen -i -f {path} > {path}.openssh"),
        )),
        other => {
            Err(UnusableKey::convertible(format!("`{other}` is not a type of key that SSH knows"), path))
        }
    }
}

impl LockedKey {
    /// Decrypts the key; an error means a wrong passphrase.
    pub(crate) fn unlock(&self, passphrase: &str) -> Result<PrivateKey, ()> {
        match &self.encrypted {
            Encrypted::OpenSsh(key) => key.decrypt(passphrase).map_err(drop),
            Encrypted::Pem { pem, cipher, iv } => {
                let data = cipher.decrypt(&pem.data, iv, passphrase).ok_or(())?;
                decode(&Pem { label: pem.label.clone(), headers: Vec::new(), data }).map_err(drop)
            }
            Encrypted::Pkcs8(data) => {
                let info = EncryptedPrivateKeyInfoRef::try_from(data.as_slice()).map_err(drop)?;
                let key = info.decrypt(passphrase).map_err(drop)?;
                russh::keys::pkcs8::decode_pkcs8(key.as_bytes(), None).map_err(drop)
            }
            Encrypted::Putty(text) => PrivateKey::from_ppk(text, Some(passphrase.to_owned())).map_err(drop),
        }
    }
}

/// Returns the text without a byte order mark. Keys are ASCII; comments and attributes may be anything.
fn text_of(bytes: &[u8], path: &str) -> Result<String, UnusableKey> {
    if bytes.starts_with(&[0xff, 0xfe]) || bytes.starts_with(&[0xfe, 0xff]) {
        let hint =
            format!("convert it: iconv -f UTF-16 -t UTF-8 {path} > {path}.utf8 && chmod 600 {path}.utf8");
        return Err(UnusableKey::new("the file is UTF-16", hint));
    }
    let text = String::from_utf8_lossy(bytes);
    Ok(text.strip_prefix('\u{feff}').unwrap_or(&text).to_owned())
}

fn openssh(pem: &Pem, path: &str) -> Result<KeyContent, UnusableKey> {
    let key = PrivateKey::from_bytes(&pem.data).map_err(|error| {
        UnusableKey::convertible(format!("it is not a private key of OpenSSH ({error})"), path)
    })?;
    match key.algorithm() {
        Algorithm::Dsa => return Err(dsa()),
        Algorithm::SkEcdsaSha2NistP256 | Algorithm::SkEd25519 => {
            return Ok(KeyContent::Public(key.public_key().clone()));
        }
        _ => {}
    }
    match key.cipher() {
        Cipher::None => Ok(KeyContent::Private(Arc::new(key))),
        Cipher::TdesCbc => {
            Err(UnusableKey::convertible("it is encrypted with 3des-cbc, which covidctl lacks", path))
        }
        _ => {
            let public = Some(key.public_key().clone());
            Ok(KeyContent::Locked(LockedKey { encrypted: Encrypted::OpenSsh(Box::new(key)), public }))
        }
    }
}

fn pkcs8_encrypted(data: Vec<u8>, path: &str) -> Result<KeyContent, UnusableKey> {
    let lacks = |what: String| UnusableKey::convertible(format!("{what}, which covidctl lacks"), path);
    let info = EncryptedPrivateKeyInfoRef::try_from(data.as_slice())
        .map_err(|error| lacks(format!("it is encrypted in a way ({error})")))?;
    if let EncryptionScheme::Pbes1(_) = info.encryption_algorithm {
        return Err(lacks("it is encrypted with a cipher of PKCS#5 version 1".to_owned()));
    }
    Ok(KeyContent::Locked(LockedKey { encrypted: Encrypted::Pkcs8(data), public: None }))
}

fn putty(text: &str, path: &str) -> Result<KeyContent, UnusableKey> {
    let unusable = |error: ssh_key::Error| {
        let hint = format!("convert it: puttygen {path} -O private-openssh -o {path}.openssh");
        UnusableKey::new(format!("it is not a key of PuTTY that can be used ({error})"), hint)
    };
    let mut lines = text.lines().map(str::trim);
    if lines.any(|line| line == "Encryption: none") {
        return PrivateKey::from_ppk(text, None)
            .map(|key| KeyContent::Private(Arc::new(key)))
            .map_err(unusable);
    }
    let mut lines = text.lines().map(str::trim).skip_while(|line| !line.starts_with("Public-Lines:"));
    let count = lines.next().and_then(|line| line.split_once(": ")?.1.parse().ok()).unwrap_or(0);
    let encoded: String = lines.take(count).collect();
    let public = BASE64.decode(encoded).ok().and_then(|blob| PublicKey::from_bytes(&blob).ok());
    Ok(KeyContent::Locked(LockedKey { encrypted: Encrypted::Putty(text.to_owned()), public }))
}

fn plain(pem: &Pem, path: &str) -> Result<Arc<PrivateKey>, UnusableKey> {
    decode(pem).map(Arc::new).map_err(|error| {
        let label = &pem.label;
        UnusableKey::convertible(format!("its `{label}` is not a key that SSH knows ({error})"), path)
    })
}

fn decode(pem: &Pem) -> Result<PrivateKey, russh::keys::Error> {
    decode_secret_key(&pem.to_string(), None)
}

fn dsa() -> UnusableKey {
    UnusableKey::new(
        "it is a DSA key, which servers no longer accept",
        "generate a new key: ssh-keygen -t ed25519",
    )
}

/// Recognizes what people name instead of a private key.
fn without_private_key(text: &str, path: &str) -> Result<KeyContent, UnusableKey> {
    let line = text
        .lines()
        .map(str::trim)
        .find(|line| !line.is_empty() && !line.starts_with('#'))
        .unwrap_or_default();
    if let Ok(key) = PublicKey::from_openssh(line) {
        return Ok(KeyContent::Public(key));
    }
    let private = "name the file of the private key, such as ~/.ssh/id_ed25519";
    let (why, hint) = if line.split(' ').next().unwrap_or_default().ends_with("-cert-v01@openssh.com") {
        (
            "it is an SSH certificate",
            "name the private key; the certificate beside it is found by its name, KEY-cert.pub",
        )
    } else if text.contains("-----BEGIN CERTIFICATE-----") {
        ("it is a TLS certificate", private)
    } else if text.contains("-----BEGIN PUBLIC KEY-----") || text.contains("---- BEGIN SSH2 PUBLIC KEY ----")
    {
        ("it is a public key in a format other than OpenSSH's", private)
    } else if line.is_empty() {
        ("the file is empty", private)
    } else {
        ("it is not a private key", private)
    };
    let hint = if hint == private
        && std::path::Path::new(path)
            .extension()
            .is_some_and(|extension| extension.eq_ignore_ascii_case("ppk"))
    {
        "export it from puttygen as an OpenSSH key"
    } else {
        hint
    };
    Err(UnusableKey::new(why, hint))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn unusable(text: impl AsRef<[u8]>) -> UnusableKey {
        match parse(text.as_ref(), "KEY") {
            Err(unusable) => unusable,
            Ok(_) => panic!("the key was accepted"),
        }
    }

    const PUBLIC: &str =
        "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIJdD7y3aLq454yWBdwLWbieU1ebz9/cu7/QEXn9OIeZJ me@here";

    #[test]
    fn file_that_is_no_private_key_is_recognized() {
        assert!(matches!(parse(PUBLIC.as_bytes(), "KEY"), Ok(KeyContent::Public(_))));
        for (text, why) in [
            ("", "empty"),
            ("nonsense", "not a private key"),
            ("-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n", "TLS certificate"),
            ("ssh-ed25519-cert-v01@openssh.com AAAA x", "SSH certificate"),
            ("-----BEGIN RSA PRIVATE KEY-----\nMIIE\n", "cut off"),
            ("-----BEGIN RSA PRIVATE KEY-----\nM(IE\n-----END RSA PRIVATE KEY-----\n", "damaged"),
            ("-----BEGIN DSA PRIVATE KEY-----\nMIIE\n-----END DSA PRIVATE KEY-----\n", "DSA"),
        ] {
            let unusable = unusable(text);
            assert!(unusable.why.contains(why) && !unusable.hint.is_empty(), "{text}: {unusable:?}");
        }
        assert!(unusable([0xff, 0xfe, b'-', 0]).hint.contains("iconv"));
    }

    #[test]
    fn unknown_cipher_is_named_with_command_that_converts() {
        let text = "-----BEGIN RSA PRIVATE KEY-----\nProc-Type: 4,ENCRYPTED\nDEK-Info: CAMELLIA-128-CBC,00\n\nMIIE\n\
                    -----END RSA PRIVATE KEY-----\n";
        let unusable = unusable(text);
        assert!(unusable.why.contains("CAMELLIA-128-CBC"), "{unusable:?}");
        assert!(unusable.hint.contains("ssh-keygen -p -f KEY"), "{unusable:?}");
    }
}
