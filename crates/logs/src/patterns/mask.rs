//! Turns a message into its template: what varies from event to event becomes a placeholder, words stay.
//!
//! `<n>` stands for numbers and for what consists of them (times, addresses, versions, sizes), `<id>` for identifiers in hexadecimal, `<*>`
//! for values that are texts of their own.

use crate::Record;
use crate::record::{JsonValue, LEVEL_FIELDS, MESSAGE_FIELDS, TIME_FIELDS, plain};

/// Fields of JSON lines that say where in the program, and which run, but not what happened.
const CONTEXT_FIELDS: [&str; 8] =
    ["target", "span", "spans", "exit_code", "logger", "thread", "requestId", "request_id"];

/// A template is cut to this length, in bytes.
const MAX_LEN: usize = 400;

/// Fewer hexadecimal digits are a number or a word.
const MIN_ID_LEN: usize = 8;

/// Bytes of a UUID.
const UUID_LEN: usize = 36;

const NUMBER: &[u8] = b"<n>";
const ID: &[u8] = b"<id>";

/// Writes the template of a message into a buffer.
pub(super) fn template(record: Record<'_>, into: &mut Vec<u8>) {
    into.clear();
    let message = record.message();
    mask(message.lines().next().unwrap_or_default(), into);
    if let Some(members) = record.json_members() {
        for (name, value) in members {
            let is_known = [&LEVEL_FIELDS[..], &MESSAGE_FIELDS, &TIME_FIELDS, &CONTEXT_FIELDS]
                .iter()
                .any(|names| names.contains(&name));
            if is_known || into.len() > MAX_LEN {
                continue;
            }
            if !into.is_empty() {
                into.push(b' ');
            }
            into.extend_from_slice(name.as_bytes());
            into.push(b'=');
            match value {
                JsonValue::String(raw) if raw.bytes().all(|byte| byte != b' ' && byte != b'\\') => {
                    mask(raw, into);
                }
                JsonValue::String(_) | JsonValue::Object(_) => into.extend_from_slice(b"<*>"),
                JsonValue::Other(text) if text.starts_with('[') => into.extend_from_slice(b"<*>"),
                JsonValue::Other(_) => mask(&plain(value), into),
            }
        }
    }
    if into.is_empty() {
        mask(record.text().lines().next().unwrap_or_default(), into);
    }
    if into.len() > MAX_LEN {
        let mut end = MAX_LEN;
        while end > 0 && into[end] & 0xC0 == 0x80 {
            end -= 1;
        }
        into.truncate(end);
        into.extend_from_slice("…".as_bytes());
    }
}

/// Whether a byte is part of a word; those of characters beyond ASCII are.
const WORD: [bool; 256] = {
    let mut table = [false; 256];
    let mut byte = 0;
    while byte < 256 {
        #[expect(clippy::cast_possible_truncation, reason = "below 256")]
        let value = byte as u8;
        table[byte] = value.is_ascii_alphanumeric() || value == b'_' || value >= 0x80;
        byte += 1;
    }
    table
};

/// Appends a text with placeholders.
pub(super) fn mask(text: &str, into: &mut Vec<u8>) {
    let bytes = text.as_bytes();
    let mut at = 0;
    while at < bytes.len() && into.len() <= MAX_LEN {
        if !WORD[usize::from(bytes[at])] {
            into.push(bytes[at]);
            at += 1;
            continue;
        }
        if is_uuid(&bytes[at..]) {
            push_placeholder(ID, into);
            at += UUID_LEN;
            continue;
        }
        let length =
            bytes[at..].iter().position(|byte| !WORD[usize::from(*byte)]).unwrap_or(bytes.len() - at);
        mask_word(&bytes[at..at + length], into);
        at += length;
    }
}

fn mask_word(word: &[u8], into: &mut Vec<u8>) {
    if !word.iter().any(u8::is_ascii_digit) {
        return into.extend_from_slice(word);
    }
    if word.len() >= MIN_ID_LEN
        && word.iter().all(u8::is_ascii_hexdigit)
        && word.iter().any(u8::is_ascii_alphabetic)
    {
        return push_placeholder(ID, into);
    }
    let mut at = 0;
    while at < word.len() {
        let length = |digits: bool| {
            let rest = &word[at..];
            rest.iter().position(|byte| byte.is_ascii_digit() != digits).unwrap_or(rest.len())
        };
        let digits = length(true);
        if digits > 0 {
            push_placeholder(NUMBER, into);
            at += digits;
        } else {
            let letters = length(false);
            // The `T` and `Z` of a time are part of it.
            let part_of_time = matches!(&word[at..at + letters], b"T" | b"Z") && into.ends_with(NUMBER);
            if !part_of_time {
                into.extend_from_slice(&word[at..at + letters]);
            }
            at += letters;
        }
    }
}

/// Appends a placeholder. Numbers with one separator between them are one.
fn push_placeholder(placeholder: &[u8], into: &mut Vec<u8>) {
    if placeholder == NUMBER {
        if into.ends_with(NUMBER) {
            return;
        }
        if let [before @ .., b'.' | b':' | b'-' | b',' | b'/'] = into.as_slice()
            && before.ends_with(NUMBER)
        {
            into.pop();
            return;
        }
    }
    into.extend_from_slice(placeholder);
}

fn is_uuid(bytes: &[u8]) -> bool {
    let Some(start) = bytes.get(..UUID_LEN) else { return false };
    start[8] == b'-'
        && start.iter().enumerate().all(|(at, byte)| match at {
            8 | 13 | 18 | 23 => *byte == b'-',
            _ => byte.is_ascii_hexdigit(),
        })
        && bytes.get(UUID_LEN).is_none_or(|byte| !WORD[usize::from(*byte)])
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn template_of(message: &str) -> String {
        let mut into = Vec::new();
        template(Record::new(message), &mut into);
        String::from_utf8(into).unwrap()
    }

    #[test]
    fn what_varies_becomes_a_placeholder() {
        for (message, expected) in [
            ("loaded 1,234 rows in 2.5 s", "loaded <n> rows in <n> s"),
            ("run 0f8fad5b-d9cb-469f-a165-70867728950e began", "run <id> began"),
            ("commit 44ea4260 at 10.0.3.7:5432", "commit <id> at <n>"),
            ("covid19-etl, sha256, utf8", "covid<n>-etl, sha<n>, utf<n>"),
            ("until 2026-03-02T03:04:05.007Z, x", "until <n>, x"),
            ("2026-03-02 03:04:05,007 WARN a :: slow 12ms", "WARN a :: slow <n>ms"),
            (
                r#"{"timestamp":"2026-03-02T03:04:05Z","level":"WARN","fields":{"message":"rows rejected","reason":"malformed","rows":12,"first":"line 3: a,b"},"target":"etl"}"#,
                "rows rejected reason=malformed rows=<n> first=<*>",
            ),
            (r#"{"level":"INFO"}"#, r#"{"level":"INFO"}"#),
            ("2026-03-02 03:04:05.007 UTC [4711] ERROR:  duplicate key (7)", "duplicate key (<n>)"),
            ("ERROR x\n\tat a.b(C.java:1)", "ERROR x"),
        ] {
            assert_eq!(template_of(message), expected, "{message}");
        }
        assert_eq!(template_of("años 12 años"), "años <n> años");
        assert!(template_of(&"ñ".repeat(1000)).ends_with("ñ…"));
    }

    proptest! {
        #[test]
        fn templates_do_not_depend_on_numbers(words in prop::collection::vec("[a-zA-Z]{1,8}", 1..6), a in any::<u32>(), b in any::<u32>()) {
            let with = |number: u32| words.join(&format!(" {number} "));
            prop_assert_eq!(template_of(&with(a)), template_of(&with(b)));
        }

        #[test]
        fn any_text_has_a_template(text in any::<String>()) {
            _ = template_of(&text);
        }
    }
}
