//! Text whose encoding is not what it says: encoded twice, or not in UTF-8 at all.

/// Where Windows-1252 differs from Latin-1: its characters for the bytes from 0x80 on; U+FFFD if it has none.
const WINDOWS_1252: &str = "€\u{FFFD}‚ƒ„…†‡ˆ‰Š‹Œ\u{FFFD}Ž\u{FFFD}\u{FFFD}‘’“”•–—˜™š›œ\u{FFFD}žŸ";

/// The character that stands for what could not be decoded.
const REPLACEMENT: char = '\u{FFFD}';

/// What a text that was damaged by programs should be.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Damage {
    /// It was UTF-8, was taken for Latin-1 or the like, and encoded once more; what it was, if that can be said.
    EncodedTwice(Option<String>),
    /// Some of its characters were lost.
    Lost,
}

/// What happened to a text, if no language writes it so.
pub(crate) fn damage(text: &str) -> Option<Damage> {
    if text.is_ascii() {
        return None;
    }
    let mut characters = text.chars().peekable();
    while let Some(character) = characters.next() {
        let next = characters.peek().copied();
        let twice = match character {
            REPLACEMENT => return Some(Damage::Lost),
            // The first byte of é, ñ, ° and their like, then one that can only go on.
            'Â' | 'Ã' => next.and_then(byte).is_some_and(|byte| (0x80..=0xBF).contains(&byte)),
            // Dashes, quotes and the byte order mark.
            'â' => next == Some('€'),
            'ï' => next == Some('»'),
            // The same in the code pages of DOS.
            '├' | '┬' => next.is_some_and(|next| !next.is_ascii()),
            _ => false,
        };
        if twice {
            let bytes: Option<Vec<u8>> = text.chars().map(byte).collect();
            return Some(Damage::EncodedTwice(bytes.and_then(|bytes| String::from_utf8(bytes).ok())));
        }
    }
    None
}

/// The byte that is decoded to this character in Windows-1252, or else in Latin-1.
fn byte(character: char) -> Option<u8> {
    let place = WINDOWS_1252.chars().position(|other| other == character && other != REPLACEMENT);
    place
        .and_then(|place| u8::try_from(0x80 + place).ok())
        .or_else(|| u8::try_from(u32::from(character)).ok())
}

/// Whether bytes are no UTF-8, but text in Latin-1 or Windows-1252: all that is not ASCII are its letters.
pub(crate) fn is_latin_1(bytes: &[u8]) -> bool {
    let mut others = bytes.iter().filter(|byte| !byte.is_ascii()).peekable();
    others.peek().is_some() && others.all(|byte| *byte >= 0xA0) && std::str::from_utf8(bytes).is_err()
}

/// Latin-1 as text, for a message.
pub(crate) fn from_latin_1(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| char::from(*byte)).collect()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// As a program does that takes UTF-8 for Latin-1.
    fn twice(text: &str) -> String {
        text.bytes().map(char::from).collect()
    }

    #[test]
    fn damage_recognises_text_that_was_encoded_twice() {
        for name in
            ["Córdoba", "Tucumán", "Ñuñoa", "edad_años_meses", "Á", "Güer Aike", "1° de Mayo", "ÍNDICE"]
        {
            assert_eq!(damage(&twice(name)), Some(Damage::EncodedTwice(Some(name.to_owned()))), "{name}");
        }
        for windows in ["CÃ³rdoba", "â€œVillaâ€", "Ã\u{81}", "ï»¿id"] {
            assert!(matches!(damage(windows), Some(Damage::EncodedTwice(_))), "{windows}");
        }
        assert_eq!(damage("C├│rdoba"), Some(Damage::EncodedTwice(None)));
        assert_eq!(damage("C\u{FFFD}rdoba"), Some(Damage::Lost));
    }

    #[test]
    fn damage_accepts_what_people_write() {
        for name in [
            "Córdoba",
            "SÃO PAULO",
            "“CAFÉ”",
            "Âncora",
            "âge",
            "naïve",
            "1º de Mayo",
            "NIÑO °",
            "ñandú",
            "Łódź",
            "",
        ] {
            assert_eq!(damage(name), None, "{name}");
        }
    }

    #[test]
    fn latin_1_is_told_from_utf_8() {
        assert!(is_latin_1(b"C\xF3rdoba") && is_latin_1(b"edad_a\xF1os_meses"));
        assert!(!is_latin_1("Córdoba".as_bytes()) && !is_latin_1(b"Cordoba") && !is_latin_1(b"\x81\x00"));
        assert_eq!(from_latin_1(b"C\xF3rdoba"), "Córdoba");
    }

    proptest! {
        /// Whatever Spanish word has an accent: encoded twice it is recognised, as it is it is not.
        #[test]
        fn damage_tells_spanish_from_spanish_encoded_twice(word in "[A-Za-zÁÉÍÓÚÜÑáéíóúüñ .'-]{0,20}[ÁÉÍÓÚÜÑáéíóúüñ][a-z]{0,5}") {
            prop_assert_eq!(damage(&word), None);
            prop_assert_eq!(damage(&twice(&word)), Some(Damage::EncodedTwice(Some(word))));
        }
    }
}
