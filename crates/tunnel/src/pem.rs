//! PEM blocks (RFC 7468, and RFC 1421 for the headers of encrypted ones), read as leniently as OpenSSL does.

use std::fmt;

use aes::cipher::block_padding::Pkcs7;
use aes::cipher::{BlockModeDecrypt, KeyIvInit};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;

/// The length of base64 lines.
const LINE_LENGTH: usize = 64;

/// A block such as `BEGIN RSA PRIVATE KEY`.
#[derive(Clone)]
pub(crate) struct Pem {
    pub(crate) label: String,
    pub(crate) headers: Vec<(String, String)>,
    /// The decoded body.
    pub(crate) data: Vec<u8>,
}

/// A cipher of `DEK-Info`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum DekCipher {
    Aes128,
    Aes192,
    Aes256,
    Des,
    TripleDes,
}

impl Pem {
    /// Returns the first block of a private key. The error is the label of a block that is damaged or has no end.
    pub(crate) fn first_private_key(text: &str) -> Option<Result<Self, String>> {
        let mut lines = text.lines().map(str::trim);
        let label = lines.find_map(|line| {
            let label = line.strip_prefix("-----BEGIN ").or(line.strip_prefix("---- BEGIN "))?;
            let label = label.trim_end_matches('-').trim_end();
            label.ends_with("PRIVATE KEY").then(|| label.to_owned())
        })?;
        Some(Self::body(label.clone(), lines).ok_or(label))
    }

    fn body<'a>(label: String, lines: impl Iterator<Item = &'a str>) -> Option<Self> {
        let mut headers: Vec<(String, String)> = Vec::new();
        let mut body = String::new();
        for line in lines {
            if line.starts_with("-----END ") || line.starts_with("---- END ") {
                let data = BASE64.decode(body).ok().filter(|data| !data.is_empty())?;
                return Some(Self { label, headers, data });
            }
            match line.split_once(':') {
                Some((name, value)) if body.is_empty() => {
                    headers.push((name.to_owned(), value.trim().to_owned()));
                }
                _ => body.push_str(line),
            }
        }
        None
    }

    /// Returns the cipher and its initialization vector if the block is encrypted. The error is the name of a cipher that is not known.
    pub(crate) fn encryption(&self) -> Option<Result<(DekCipher, Vec<u8>), String>> {
        let (_, value) = self.headers.iter().find(|(name, _)| name == "DEK-Info")?;
        let (name, iv) = value.split_once(',').unwrap_or((value, ""));
        let cipher = match name {
            "AES-128-CBC" => DekCipher::Aes128,
            "AES-192-CBC" => DekCipher::Aes192,
            "AES-256-CBC" => DekCipher::Aes256,
            "DES-CBC" => DekCipher::Des,
            "DES-EDE3-CBC" => DekCipher::TripleDes,
            other => return Some(Err(other.to_owned())),
        };
        let iv = hex(iv.trim()).filter(|iv| iv.len() == cipher.block_size());
        Some(iv.map(|iv| (cipher, iv)).ok_or_else(|| format!("{name} and a damaged initialization vector")))
    }
}

/// The block without headers.
impl fmt::Display for Pem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let label = &self.label;
        writeln!(f, "-----BEGIN {label}-----")?;
        let body = BASE64.encode(&self.data);
        for line in body.as_bytes().chunks(LINE_LENGTH) {
            writeln!(f, "{}", String::from_utf8_lossy(line))?;
        }
        writeln!(f, "-----END {label}-----")
    }
}

impl DekCipher {
    const fn block_size(self) -> usize {
        match self {
            Self::Aes128 | Self::Aes192 | Self::Aes256 => 16,
            Self::Des | Self::TripleDes => 8,
        }
    }

    const fn key_size(self) -> usize {
        match self {
            Self::Aes128 => 16,
            Self::Aes192 | Self::TripleDes => 24,
            Self::Aes256 => 32,
            Self::Des => 8,
        }
    }

    /// Decrypts in CBC mode and removes the padding.
    pub(crate) fn decrypt(self, data: &[u8], iv: &[u8], passphrase: &str) -> Option<Vec<u8>> {
        let key = bytes_to_key(passphrase.as_bytes(), iv.get(..8)?, self.key_size());
        match self {
            Self::Aes128 => decrypt_cbc::<cbc::Decryptor<aes::Aes128>>(&key, iv, data),
            Self::Aes192 => decrypt_cbc::<cbc::Decryptor<aes::Aes192>>(&key, iv, data),
            Self::Aes256 => decrypt_cbc::<cbc::Decryptor<aes::Aes256>>(&key, iv, data),
            Self::Des => decrypt_cbc::<cbc::Decryptor<des::Des>>(&key, iv, data),
            Self::TripleDes => decrypt_cbc::<cbc::Decryptor<des::TdesEde3>>(&key, iv, data),
        }
    }
}

fn decrypt_cbc<D: BlockModeDecrypt + KeyIvInit>(key: &[u8], iv: &[u8], data: &[u8]) -> Option<Vec<u8>> {
    D::new_from_slices(key, iv).ok()?.decrypt_padded_vec::<Pkcs7>(data).ok()
}

/// Derives a key as OpenSSL's `EVP_BytesToKey` does with MD5 and one iteration, which is fixed by the format.
fn bytes_to_key(passphrase: &[u8], salt: &[u8], size: usize) -> Vec<u8> {
    let mut key = Vec::with_capacity(size);
    let mut digest = Vec::new();
    while key.len() < size {
        digest = md5::compute([&digest, passphrase, salt].concat()).to_vec();
        key.extend_from_slice(&digest);
    }
    key.truncate(size);
    key
}

fn hex(text: &str) -> Option<Vec<u8>> {
    let digits: Option<Vec<u8>> = text.chars().map(|digit| u8::try_from(digit.to_digit(16)?).ok()).collect();
    let digits = digits.filter(|digits| digits.len() % 2 == 0)?;
    Some(digits.chunks(2).map(|pair| pair[0] << 4 | pair[1]).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pem_skips_attributes_spaces_and_other_blocks() {
        let text = "Bag Attributes\n  friendlyName: x\n-----BEGIN EC PARAMETERS-----\nAAAA\n-----END EC PARAMETERS-----\r\n\
                    -----BEGIN EC PRIVATE KEY----- \r\nAAEC \r\nAwQF\r\n-----END EC PRIVATE KEY-----\r\n";
        let pem = Pem::first_private_key(text).unwrap().unwrap();
        assert_eq!((pem.label.as_str(), pem.data.as_slice()), ("EC PRIVATE KEY", &[0, 1, 2, 3, 4, 5][..]));
        assert!(pem.encryption().is_none());
        assert_eq!(
            pem.to_string(),
            "-----BEGIN EC PRIVATE KEY-----\nAAECAwQF\n-----END EC PRIVATE KEY-----\n"
        );
        assert!(Pem::first_private_key("-----BEGIN CERTIFICATE-----\n").is_none());
    }

    #[test]
    fn pem_names_cipher_and_initialization_vector() {
        let encryption = |dek: &str| {
            let text = format!(
                "-----BEGIN RSA PRIVATE KEY-----\nProc-Type: 4,ENCRYPTED\nDEK-Info: {dek}\n\nAAEC\n-----END RSA PRIVATE KEY-----"
            );
            Pem::first_private_key(&text).unwrap().unwrap().encryption().unwrap()
        };
        assert_eq!(
            encryption("DES-EDE3-CBC,000102030405060A"),
            Ok((DekCipher::TripleDes, vec![0, 1, 2, 3, 4, 5, 6, 10]))
        );
        assert_eq!(encryption("SEED-CBC,00"), Err("SEED-CBC".to_owned()));
        assert!(encryption("AES-128-CBC,00").unwrap_err().contains("damaged"));
    }
}
