//! One field of a record, and the values that the rules read from it.
//!
//! A field is *null* if it is nothing, `""`, white space, or one of the words `NA`, `NULL`, `nan` and `\N` in any case. Surrounding
//! white space is ignored: Unicode's, and characters without width, which programs leave behind.

use std::borrow::Cow;

use super::date::Day;

/// The nulls of R, SQL clients, pandas and PostgreSQL's COPY.
const NULL_WORDS: [&[u8]; 4] = [b"NA", b"NULL", b"nan", b"\\N"];

/// The bytes of a field without its surrounding quotes; quotes inside are still doubled.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Field<'a>(pub &'a [u8]);

impl<'a> Field<'a> {
    /// Returns the bytes without surrounding white space; only ASCII's if they are not UTF-8.
    #[inline]
    pub fn trimmed(self) -> &'a [u8] {
        // Nearly every field begins and ends with a letter, a digit or a sign.
        match (self.0.first(), self.0.last()) {
            (Some(first), Some(last)) if first.is_ascii_graphic() && last.is_ascii_graphic() => self.0,
            (None, _) => self.0,
            _ => trim(self.0),
        }
    }

    /// Returns the trimmed bytes, or `None` if the field is null.
    #[inline]
    pub fn value(self) -> Option<&'a [u8]> {
        match self.trimmed() {
            [] => None,
            [b'N' | b'n' | b'\\', ..] if self.is_null_word() => None,
            value => Some(value),
        }
    }

    /// Returns whether the field is null and has a word for it.
    pub fn is_null_word(self) -> bool {
        let text = self.trimmed();
        text.len() <= 4 && NULL_WORDS.iter().any(|word| text.eq_ignore_ascii_case(word))
    }

    /// Returns whether the field equals a word, without case.
    #[inline]
    pub fn is(self, word: &[u8]) -> bool {
        self.trimmed().eq_ignore_ascii_case(word)
    }

    /// Parses a decimal number without sign; leading zeros are allowed.
    pub fn unsigned(self) -> Option<u64> {
        digits(self.trimmed())
    }

    /// Parses a code: a number as in [`Self::unsigned`], or as `6.0`, as programs without nullable integers write it.
    pub fn code(self) -> Option<u64> {
        let text = self.trimmed();
        digits(text).or_else(|| {
            let dot = memchr::memchr(b'.', text)?;
            let (whole, zeros) = (&text[..dot], &text[dot + 1..]);
            (!zeros.is_empty() && zeros.iter().all(|zero| *zero == b'0')).then(|| digits(whole))?
        })
    }

    pub fn day(self) -> Option<Day> {
        Day::parse(self.trimmed())
    }

    /// Returns the text without surrounding white space, and with doubled quotes as one.
    pub fn text(self) -> Cow<'a, [u8]> {
        let text = self.trimmed();
        if !text.contains(&b'"') {
            return Cow::Borrowed(text);
        }
        let mut undoubled = Vec::with_capacity(text.len());
        let mut bytes = text.iter().copied().peekable();
        while let Some(byte) = bytes.next() {
            undoubled.push(byte);
            if byte == b'"' {
                bytes.next_if_eq(&b'"');
            }
        }
        Cow::Owned(undoubled)
    }

    /// Returns the text with every run of white space as one space.
    pub fn collapsed(self) -> Cow<'a, [u8]> {
        let text = self.text();
        match std::str::from_utf8(&text) {
            Ok(words) => Cow::Owned(words.split_whitespace().collect::<Vec<_>>().join(" ").into_bytes()),
            Err(_) => text,
        }
    }
}

/// Parses digits; `None` for anything else, and for numbers beyond 64 bits.
#[inline]
fn digits(digits: &[u8]) -> Option<u64> {
    // Only digits after these can overflow.
    const ALWAYS_FIT: usize = 19;
    if digits.is_empty() || !digits.iter().all(u8::is_ascii_digit) {
        return None;
    }
    let (first, rest) = digits.split_at(digits.len().min(ALWAYS_FIT));
    let value = |digit: &u8| u64::from(digit - b'0');
    let first = first.iter().fold(0_u64, |number, digit| number * 10 + value(digit));
    rest.iter().try_fold(first, |number, digit| number.checked_mul(10)?.checked_add(value(digit)))
}

#[cold]
fn trim(bytes: &[u8]) -> &[u8] {
    std::str::from_utf8(bytes).map_or_else(|_| bytes.trim_ascii(), |text| trim_text(text).as_bytes())
}

/// Removes surrounding white space, and characters without width: zero-width spaces and joiners, direction marks, byte order marks.
pub(super) fn trim_text(text: &str) -> &str {
    text.trim_matches(|character: char| {
        character.is_whitespace() || matches!(character, '\u{200B}'..='\u{200F}' | '\u{2060}' | '\u{FEFF}')
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn trimmed_removes_every_blank_around_a_value_and_none_inside() {
        fn trimmed(text: &[u8]) -> &[u8] {
            Field(text).trimmed()
        }
        let blanks = [
            " ", "\t", "\u{B}", "\r\n", "\u{85}", "\u{A0}", "\u{2009}", "\u{200B}", "\u{202F}", "\u{2060}",
            "\u{3000}", "\u{FEFF}",
        ];
        for blank in blanks {
            assert_eq!(trimmed(format!("{blank}06").as_bytes()), b"06", "{blank:?}");
            assert_eq!(trimmed(format!("06{blank} {blank}").as_bytes()), b"06", "{blank:?}");
            assert_eq!(trimmed(blank.as_bytes()), b"", "{blank:?}");
            let inside = format!("a{blank}b");
            assert_eq!(trimmed(inside.as_bytes()), inside.as_bytes(), "{blank:?}");
        }
        assert_eq!(trimmed(b""), b"");
        assert_eq!(trimmed("ñandú".as_bytes()), "ñandú".as_bytes());
        assert_eq!(trimmed(b" \xFF "), b"\xFF");
    }

    #[test]
    fn value_is_none_for_blanks_and_null_words_in_any_case() {
        let words = [
            "NA",
            " NA ",
            "na",
            "NULL",
            "null",
            "Null",
            "nan",
            "NaN",
            "NAN",
            "\\N",
            "\\n",
            "\u{A0}NULL\u{FEFF}",
        ];
        for word in words {
            let field = Field(word.as_bytes());
            assert_eq!((field.value(), field.is_null_word()), (None, true), "{word:?}");
        }
        for blank in ["", " ", "\t", "\u{A0}", "\u{FEFF}\u{2009}"] {
            let field = Field(blank.as_bytes());
            assert_eq!((field.value(), field.is_null_word()), (None, false), "{blank:?}");
        }
        for value in ["F", "NO", "NR", "N", "n/a", "nano", "NULLO", "\\NA", "\\", "none"] {
            let field = Field(value.as_bytes());
            assert_eq!((field.value(), field.is_null_word()), (Some(value.as_bytes()), false), "{value:?}");
        }
        assert_eq!(Field(b" F ").value(), Some(&b"F"[..]));
    }

    #[test]
    fn unsigned_reads_digits_alone_and_never_overflows() {
        let read = |text: &str| Field(text.as_bytes()).unsigned();
        assert_eq!(read(" 007 "), Some(7));
        assert_eq!(read("\u{A0}06"), Some(6));
        assert_eq!(read("18446744073709551615"), Some(u64::MAX));
        for wrong in ["18446744073709551616", "", "-1", "+1", "1.0", "1 2", "0x1", "１"] {
            assert_eq!(read(wrong), None, "{wrong:?}");
        }
    }

    #[test]
    fn code_reads_whole_numbers_written_as_decimals() {
        let read = |text: &str| Field(text.as_bytes()).code();
        for (text, code) in [("6", 6), ("06", 6), ("6.0", 6), ("441.000", 441), (" 0.0 ", 0)] {
            assert_eq!(read(text), Some(code), "{text:?}");
        }
        for wrong in ["6.", ".0", "6.5", "6,0", "6.0.0", "6.0x", "-6.0", "6e0", ""] {
            assert_eq!(read(wrong), None, "{wrong:?}");
        }
    }

    #[test]
    fn is_compares_without_case() {
        assert!(Field(b" MESES ").is(b"Meses") && Field("meses\u{A0}".as_bytes()).is(b"Meses"));
        assert!(!Field(b"Mese").is(b"Meses"));
    }

    #[test]
    fn collapsed_leaves_one_space_between_words() {
        let collapsed =
            |text: &'static str| String::from_utf8(Field(text.as_bytes()).collapsed().into_owned()).unwrap();
        assert_eq!(collapsed("Confirmado"), "Confirmado");
        assert_eq!(collapsed("  Sin   Clasificar "), "Sin Clasificar");
        assert_eq!(collapsed("Sin\tClasificar"), "Sin Clasificar");
        assert_eq!(collapsed("Sin\u{A0}\u{2009}Clasificar"), "Sin Clasificar");
        assert_eq!(collapsed("dijo \"\"sí\"\""), "dijo \"sí\"");
        assert_eq!(Field(b" a  \"\"b ").text().as_ref(), b"a  \"b");
    }
}
