//! Recognizes text that was encoded twice, or is not in UTF-8.

/// The characters of Windows-1252 that differ from Latin-1, from 0x80 on; U+FFFD for bytes without a character.
const WINDOWS_1252: &str = "€\u{FFFD}‚ƒ„…†‡ˆ‰Š‹Œ\u{FFFD}Ž\u{FFFD}\u{FFFD}‘’“”•–—˜™š›œ\u{FFFD}žŸ";

/// How programs have damaged a text.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Damage {
    /// UTF-8 that was decoded as Latin-1 and encoded again; the original text, if it can be restored.
    EncodedTwice(Option<String>),
    /// Some of its characters were lost.
    Lost,
}

/// Recognizes damage by sequences that no language has.
pub(crate) fn damage(text: &str) -> Option<Damage> {
    if text.is_ascii() {
        return None;
    }
    let mut characters = text.chars().peekable();
    while let Some(character) = characters.next() {
        let next = characters.peek().copied();
        let twice = match character {
            char::REPLACEMENT_CHARACTER => return Some(Damage::Lost),
            // The first byte of é, ñ, ° and others, then a continuation byte.
            'Â' | 'Ã' => next.and_then(byte).is_some_and(|byte| (0x80..=0xBF).contains(&byte)),
            // Dashes, quotes and the byte order mark.
            'â' => next == Some('€'),
            'ï' => next == Some('»'),
            // The first byte in the code pages of DOS.
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

/// Returns the byte of a character in Windows-1252, or else in Latin-1.
fn byte(character: char) -> Option<u8> {
    let place =
        WINDOWS_1252.chars().position(|other| other == character && other != char::REPLACEMENT_CHARACTER);
    place
        .and_then(|place| u8::try_from(0x80 + place).ok())
        .or_else(|| u8::try_from(u32::from(character)).ok())
}

/// An encoding with one byte for each character.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct CodePage {
    /// For messages.
    pub(crate) name: &'static str,
    /// The name for iconv.
    pub(crate) iconv: &'static str,
    /// The bytes of Spanish characters other than ASCII: áéíóúüñ ÁÉÍÓÚÜÑ, ª ° º ¡ ¿.
    letters: &'static [u8],
}

const CODE_PAGES: [CodePage; 3] = [
    CodePage {
        name: "Latin-1 (ISO 8859-1 or Windows-1252)",
        iconv: "WINDOWS-1252",
        letters: b"\xE1\xE9\xED\xF3\xFA\xFC\xF1\xC1\xC9\xCD\xD3\xDA\xDC\xD1\xAA\xB0\xBA\xA1\xBF",
    },
    CodePage {
        name: "code page 850, that of DOS",
        iconv: "CP850",
        letters: b"\xA0\x82\xA1\xA2\xA3\x81\xA4\xB5\x90\xD6\xE0\xE9\x9A\xA5\xA6\xF8\xA7\xAD\xA8",
    },
    CodePage {
        name: "Mac OS Roman",
        iconv: "MACINTOSH",
        letters: b"\x87\x8E\x92\x97\x9C\x9F\x96\xE7\x83\xEA\xEE\xF2\x86\x84\xBB\xA1\xBC\xC1\xC0",
    },
];

/// Returns the encoding of a Spanish text that is not UTF-8: the one with a letter for each of its bytes.
pub(crate) fn code_page(bytes: &[u8]) -> Option<&'static CodePage> {
    if std::str::from_utf8(bytes).is_ok() {
        return None;
    }
    let mut pages = CODE_PAGES.iter();
    pages.find(|page| bytes.iter().all(|byte| byte.is_ascii() || page.letters.contains(byte)))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// Encodes a text twice, like a program that decodes UTF-8 as Latin-1.
    fn twice(text: &str) -> String {
        text.bytes().map(char::from).collect()
    }

    #[test]
    fn damage_recognizes_text_that_was_encoded_twice() {
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
    fn code_page_is_the_one_with_these_letters() {
        let name = |bytes: &[u8]| code_page(bytes).map(|page| page.iconv);
        assert_eq!(name(b"C\xF3rdoba"), Some("WINDOWS-1252"));
        assert_eq!(name(b"edad_a\xF1os_meses"), Some("WINDOWS-1252"));
        assert_eq!(name(b"C\xA2rdoba, Tucum\xA0n"), Some("CP850"));
        assert_eq!(name(b"C\x97rdoba, Tucum\x87n"), Some("MACINTOSH"));
        for other in ["Córdoba".as_bytes(), b"Cordoba", b"\xFF", b"C\xF3rdoba\xFF"] {
            assert_eq!(name(other), None, "{other:?}");
        }
    }

    proptest! {
        #[test]
        fn damage_tells_spanish_from_spanish_encoded_twice(word in "[A-Za-zÁÉÍÓÚÜÑáéíóúüñ .'-]{0,20}[ÁÉÍÓÚÜÑáéíóúüñ][a-z]{0,5}") {
            prop_assert_eq!(damage(&word), None);
            prop_assert_eq!(damage(&twice(&word)), Some(Damage::EncodedTwice(Some(word))));
        }
    }
}
