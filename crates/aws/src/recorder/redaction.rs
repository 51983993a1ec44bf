//! Removes secrets, and what identifies an account, a person or a machine, from recorded text.
//!
//! An identifier is replaced by one of the same form, the same one everywhere in a recording, so that answers still refer to each other.

use std::net::Ipv4Addr;
use std::sync::LazyLock;

use regex::{Captures, Regex};
use sha2::{Digest as _, Sha256};

/// Replaces identifiers by others that only its key, which is kept nowhere, connects with them.
#[derive(Debug, Clone)]
pub struct Redaction {
    key: String,
}

/// In place of the account.
const ACCOUNT: &str = "000000000000";

/// What a login is replaced by; it still is one.
const LOGIN: &str = r#"{\"username\":\"user\",\"password\":\"redacted\"}"#;

macro_rules! pattern {
    ($name:ident, $pattern:literal) => {
        static $name: LazyLock<Regex> =
            LazyLock::new(|| Regex::new($pattern).expect("the pattern is a constant"));
    };
}

pattern!(SECRET, r#"("(?:SecretString|SecretBinary)"\s*:\s*)"(?:[^"\\]|\\.)*""#);
pattern!(PUBLIC_KEY, r#"("(?:SSHPublicKey|sSHPublicKey)"\s*:\s*)"(?:[^"\\]|\\.)*""#);
pattern!(CONSOLE, r"(?s)<output>.*?</output>");
pattern!(PARAMETER, r"<ParameterValue>([^<]*)</ParameterValue>");
pattern!(FORM_PARAMETER, r"(ParameterValue=)([^&]*)");
pattern!(TEMPLATE, r"(?s)(TemplateBody=)[^&]*|(<TemplateBody>).*?(</TemplateBody>)");
pattern!(PLAIN, r"^(?:true|false|[0-9.]*|(?:db\.)?[a-z0-9]+\.[a-z0-9]+)$");
pattern!(CALLER, r"(:(?:assumed-role|user|federated-user)/)[\w+=,.@/-]+");
pattern!(USER_ID, r"\b(A[A-Z]{3})[A-Z0-9]{16,17}\b(?::[\w+=,.@-]+)?");
pattern!(ADDRESS_OF_USER, r"[\w.+-]+@[\w-]+(?:\.[\w-]+)*");
pattern!(UUID, r"\b[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}\b");
pattern!(LONG_HEX, r"\b[0-9a-f]{32}\b");
pattern!(RESOURCE, r"\b([a-z]{1,12})-([0-9a-f]{17}|[0-9a-f]{8})\b");
pattern!(ACCOUNT_ID, r"\b[0-9]{12}\b");
pattern!(IPV4, r"\b[0-9]{1,3}(?:\.[0-9]{1,3}){3}\b");
pattern!(MAC, r"\b(?:[0-9a-f]{2}:){5}[0-9a-f]{2}\b");
pattern!(ENDPOINT, r"\b([\w-]+)\.[a-z0-9]{8,14}(\.[a-z0-9-]+\.rds\.amazonaws\.com)");
pattern!(BALANCER, r"-[0-9]{6,12}(\.[a-z0-9-]+\.elb\.amazonaws\.com)");

impl Redaction {
    /// Returns a redaction with this key. Recordings with the same key have the same replacements.
    #[must_use]
    pub fn new(key: &str) -> Self {
        Self { key: key.to_owned() }
    }

    /// Returns a redaction with a key that no other recording has.
    #[must_use]
    pub fn random() -> Self {
        Self::new(&uuid::Uuid::new_v4().to_string())
    }

    /// Returns the text without secrets and with other identifiers.
    #[must_use]
    pub fn redact(&self, text: &str) -> String {
        let digest = |value: &str, length| self.digest(value, length);
        let text = SECRET.replace_all(text, format!("$1\"{LOGIN}\""));
        let text = PUBLIC_KEY.replace_all(&text, "$1\"ssh-ed25519 redacted\"");
        let text = CONSOLE.replace_all(&text, "<output></output>");
        let text = TEMPLATE.replace_all(&text, "$1$2redacted$3");
        let text = PARAMETER.replace_all(&text, |found: &Captures<'_>| {
            format!("<ParameterValue>{}</ParameterValue>", plain(&found[1]))
        });
        let text = FORM_PARAMETER
            .replace_all(&text, |found: &Captures<'_>| format!("{}{}", &found[1], plain(&found[2])));
        let text = CALLER.replace_all(&text, "${1}redacted");
        let text =
            USER_ID.replace_all(&text, |found: &Captures<'_>| format!("{}{}", &found[1], "X".repeat(16)));
        let text = ADDRESS_OF_USER.replace_all(&text, "user@example.org");
        let text = UUID.replace_all(&text, |found: &Captures<'_>| {
            let hex = digest(&found[0], 32);
            format!("{}-{}-{}-{}-{}", &hex[..8], &hex[8..12], &hex[12..16], &hex[16..20], &hex[20..])
        });
        let text = LONG_HEX.replace_all(&text, |found: &Captures<'_>| digest(&found[0], 32));
        let text = RESOURCE.replace_all(&text, |found: &Captures<'_>| {
            format!("{}-{}", &found[1], digest(&found[2], found[2].len()))
        });
        let text = ACCOUNT_ID.replace_all(&text, ACCOUNT);
        let text = IPV4.replace_all(&text, |found: &Captures<'_>| self.address(&found[0]));
        let text = MAC.replace_all(&text, "00:00:5e:00:53:01");
        let text = ENDPOINT.replace_all(&text, "$1.redacted$2");
        BALANCER.replace_all(&text, "-redacted$1").into_owned()
    }

    /// Returns hexadecimal digits in place of a value; at most 32.
    fn digest(&self, value: &str, length: usize) -> String {
        let hash = Sha256::digest(format!("{}\0{value}", self.key));
        let hex = format!("{:032x}", u128::from_be_bytes(hash[..16].try_into().unwrap_or_default()));
        hex[..length].to_owned()
    }

    /// Replaces a public address by one of those for documentation (RFC 5737).
    fn address(&self, text: &str) -> String {
        match text.parse::<Ipv4Addr>() {
            Ok(address) if !(address.is_private() || address.is_loopback() || address.is_unspecified()) => {
                let digest = u8::from_str_radix(&self.digest(text, 2), 16).unwrap_or_default();
                format!("203.0.113.{digest}")
            }
            _ => text.to_owned(),
        }
    }
}

/// Returns the value of a parameter if it is a flag, a number or a class of instances, which identify nothing.
fn plain(value: &str) -> &str {
    if PLAIN.is_match(value) { value } else { "redacted" }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn redacted(text: &str) -> String {
        Redaction::new("key").redact(text)
    }

    #[test]
    fn secrets_are_removed() {
        for (text, secret) in [
            (r#"{"SecretString":"{\"username\":\"u\",\"password\":\"p\\\"w\"}","Name":"n"}"#, "p\\"),
            (r#"{"SSHPublicKey":"ssh-ed25519 AAAA1 me","InstanceId":"i-1"}"#, "AAAA1"),
            ("<output>c3NoLXJzYQ==\n</output>", "c3No"),
            ("<ParameterValue>covid.example.net</ParameterValue>", "covid"),
            ("Action=CreateChangeSet&Parameters.member.1.ParameterValue=a%40b.org&Version=1", "b.org"),
            ("TemplateBody=Resources%3A&Action=CreateChangeSet", "Resources"),
            ("arn:aws:sts::123456789012:assumed-role/Admin/jane.doe@corp.example", "jane"),
            (r#"{"UserId":"AROAIOSFODNN7EXAMPLE:jane"}"#, "jane"),
            (r#"{"startedBy":"jane@laptop"}"#, "laptop"),
        ] {
            let redacted = redacted(text);
            assert!(!redacted.contains(secret), "{redacted}");
        }
        assert_eq!(
            redacted("<ParameterValue>db.t4g.medium</ParameterValue>"),
            "<ParameterValue>db.t4g.medium</ParameterValue>"
        );
    }

    #[test]
    fn login_is_still_a_login() {
        let text = redacted(r#"{"Name":"n","SecretString":"{\"username\":\"u\",\"password\":\"p\"}"}"#);
        let answer: serde_json::Value = serde_json::from_str(&text).unwrap();
        let login: serde_json::Value =
            serde_json::from_str(answer["SecretString"].as_str().unwrap()).unwrap();
        assert_eq!(login["username"], "user");
    }

    #[test]
    fn identifiers_keep_their_form_and_relations() {
        let text =
            redacted("i-0123456789abcdef0 i-0123456789abcdef0 i-0123456789abcdef1 10.0.1.5 198.51.100.7");
        let words: Vec<&str> = text.split(' ').collect();
        assert_eq!(words[0], words[1]);
        assert_ne!(words[0], words[2]);
        assert!(words[0].starts_with("i-") && words[0].len() == 19, "{text}");
        assert_eq!(words[3], "10.0.1.5");
        assert!(words[4].starts_with("203.0.113."), "{text}");
        assert_eq!(
            redacted("covid19-master.c9akciq32.us-east-1.rds.amazonaws.com"),
            "covid19-master.redacted.us-east-1.rds.amazonaws.com"
        );
    }

    proptest! {
        #[test]
        fn no_identifier_is_left(
            account in "[1-9][0-9]{11}",
            instance in "i-[0-9a-f]{17}",
            task in "[0-9a-f]{32}",
            user in "[a-z]{6,12}@[a-z]{6,12}\\.(com|org)",
            // Neither private nor special.
            address in "(8|52|198)\\.[1-9][0-9]\\.[1-9][0-9]\\.[1-9][0-9]",
        ) {
            prop_assume!(account != ACCOUNT);
            let text = format!(
                r#"{{"taskArn":"arn:aws:ecs:us-east-1:{account}:task/covid19/{task}","by":"{user}","id":"{instance}","at":"{address}"}}"#
            );
            let redacted = redacted(&text);
            for original in [&account, &instance, &task, &user, &address] {
                prop_assert!(!redacted.contains(original.as_str()), "{}", redacted);
            }
            prop_assert!(serde_json::from_str::<serde_json::Value>(&redacted).is_ok());
        }
    }
}
