//! White space as people and their programs write it: every blank of Unicode, also those that have no width.

/// Whether a character is a blank: Unicode's `White_Space`, and the characters without width that programs leave behind (zero-width
/// spaces and joiners, direction marks, byte order marks).
fn is_blank(character: char) -> bool {
    character.is_whitespace() || matches!(character, '\u{200B}'..='\u{200F}' | '\u{2060}' | '\u{FEFF}')
}

/// The bytes without surrounding blanks. Of bytes that are not UTF-8 only ASCII blanks are removed.
#[inline]
pub(crate) fn trim(bytes: &[u8]) -> &[u8] {
    // Nearly every field begins and ends with a letter, a digit or a sign.
    match (bytes.first(), bytes.last()) {
        (Some(first), Some(last)) if first.is_ascii_graphic() && last.is_ascii_graphic() => bytes,
        (None, _) => bytes,
        _ => trim_any(bytes),
    }
}

#[cold]
fn trim_any(bytes: &[u8]) -> &[u8] {
    std::str::from_utf8(bytes).map_or_else(|_| bytes.trim_ascii(), |text| trim_text(text).as_bytes())
}

/// The text without surrounding blanks.
pub(crate) fn trim_text(text: &str) -> &str {
    text.trim_matches(is_blank)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn trim_removes_every_blank_around_a_value_and_none_inside() {
        let blanks = [
            " ", "\t", "\u{B}", "\r\n", "\u{85}", "\u{A0}", "\u{2009}", "\u{200B}", "\u{202F}", "\u{2060}",
            "\u{3000}", "\u{FEFF}",
        ];
        for blank in blanks {
            assert_eq!(trim(format!("{blank}06").as_bytes()), b"06", "{blank:?}");
            assert_eq!(trim(format!("06{blank} {blank}").as_bytes()), b"06", "{blank:?}");
            assert_eq!(trim(blank.as_bytes()), b"", "{blank:?}");
            let inside = format!("a{blank}b");
            assert_eq!(trim(inside.as_bytes()), inside.as_bytes(), "{blank:?}");
        }
        assert_eq!(trim(b""), b"");
        assert_eq!(trim("ñandú".as_bytes()), "ñandú".as_bytes());
        assert_eq!(trim(b" \xFF "), b"\xFF");
    }
}
