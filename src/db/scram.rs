//! What PostgreSQL keeps of a password: enough to check it, not enough to log in with it.
//!
//! Computed here, so that the password itself is in no statement: a server writes statements into its log when they fail or take
//! long. See RFC 5802 and 7677.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use common::failure::{Failure, Result};
use hmac::digest::array::Array;
use hmac::{Hmac, KeyInit as _, Mac as _};
use sha2::{Digest as _, Sha256};

/// PostgreSQL's own number.
const ITERATIONS: u32 = 4096;

/// The verifier with a salt of the moment.
pub(super) fn verifier(password: &str) -> Result<String> {
    if !password.is_ascii() {
        // Others would have to be brought into a normal form first; Secrets Manager makes no such password.
        return Err(Failure::new("a password has other characters than those of ASCII")
            .hint("let Secrets Manager make another one"));
    }
    Ok(salted(password, &rand::random::<[u8; 16]>()))
}

fn salted(password: &str, salt: &[u8]) -> String {
    let mut key = [0; 32];
    pbkdf2::pbkdf2::<Hmac<Sha256>>(password.as_bytes(), salt, ITERATIONS, &mut key).ok();
    let stored = Sha256::digest(signed(&key, b"Client Key"));
    let server = signed(&key, b"Server Key");
    let [salt, stored, server] = [salt, &stored[..], &server[..]].map(|bytes| BASE64.encode(bytes));
    format!("SCRAM-SHA-256${ITERATIONS}:{salt}${stored}:{server}")
}

fn signed(key: &[u8], text: &[u8]) -> Vec<u8> {
    // A key of any length is taken; shorter ones than a block, such as these, are filled up with zeros.
    let mut block = Array::default();
    block[..key.len()].copy_from_slice(key);
    let mut mac = Hmac::<Sha256>::new(&block);
    mac.update(text);
    mac.finalize().into_bytes().to_vec()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_what_postgresql_computes() {
        // The password and the salt of RFC 7677; the keys as Python's hashlib has them.
        let salt = BASE64.decode("W22ZaJ0SNY7soEsUEjb6gQ==").unwrap();
        assert_eq!(
            salted("pencil", &salt),
            "SCRAM-SHA-256$4096:W22ZaJ0SNY7soEsUEjb6gQ==$WG5d8oPm3OtcPnkdi4Uo7BkeZkBFzpcXkuLmtbsT4qY=:wfPLwcE6nTWhTAmQ7tl2KeoiWGPlZqQxSrmfPwDl2dU="
        );
        assert_ne!(verifier("pencil").unwrap(), verifier("pencil").unwrap());
        assert!(verifier("lápiz").is_err());
    }
}
