//! One field of a record: its bytes as they stand in the file, and the few readings that the rules need.
//!
//! A field is *null* if it is nothing, `""`, white space, or one of the words `NA`, `NULL`, `nan` and `\N` in any case. Surrounding
//! white space, in all its Unicode forms, never counts.

use std::borrow::Cow;

use super::blank;
use super::date::Day;

/// The words that programs write for a null: R, SQL clients, pandas, PostgreSQL's COPY.
const NULL_WORDS: [&[u8]; 4] = [b"NA", b"NULL", b"nan", b"\\N"];

/// A field without its surrounding quotes; doubled quotes inside still stand doubled.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Field<'a>(pub &'a [u8]);

impl<'a> Field<'a> {
    /// The bytes without surrounding white space.
    #[inline]
    pub fn trimmed(self) -> &'a [u8] {
        blank::trim(self.0)
    }

    /// The trimmed bytes, or `None` if the field is null.
    #[inline]
    pub fn value(self) -> Option<&'a [u8]> {
        match self.trimmed() {
            [] => None,
            [b'N' | b'n' | b'\\', ..] if self.is_null_word() => None,
            value => Some(value),
        }
    }

    /// Whether the field is null and says so with a word.
    pub fn is_null_word(self) -> bool {
        let text = self.trimmed();
        text.len() <= 4 && NULL_WORDS.iter().any(|word| text.eq_ignore_ascii_case(word))
    }

    /// Whether the field says this, whatever its case.
    #[inline]
    pub fn is(self, word: &[u8]) -> bool {
        self.trimmed().eq_ignore_ascii_case(word)
    }

    /// A decimal number without sign, as codes and ids are written; leading zeros are allowed.
    pub fn unsigned(self) -> Option<u64> {
        digits(self.trimmed())
    }

    /// A code: a decimal number as in [`Self::unsigned`], which programs that know no integers with nulls write as `6.0`.
    pub fn code(self) -> Option<u64> {
        let text = self.trimmed();
        digits(text).or_else(|| {
            let dot = memchr::memchr(b'.', text)?;
            let (whole, zeros) = (&text[..dot], &text[dot + 1..]);
            (!zeros.is_empty() && zeros.iter().all(|zero| *zero == b'0')).then(|| digits(whole))?
        })
    }

    /// A day written as `YYYY-MM-DD`.
    pub fn day(self) -> Option<Day> {
        Day::parse(self.trimmed())
    }

    /// The text without surrounding white space, doubled quotes undoubled. The bytes are UTF-8 by the time a rule asks.
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

    /// The text, with every run of white space inside as one space.
    pub fn collapsed(self) -> Cow<'a, [u8]> {
        let text = self.text();
        match std::str::from_utf8(&text) {
            Ok(words) => Cow::Owned(words.split_whitespace().collect::<Vec<_>>().join(" ").into_bytes()),
            Err(_) => text,
        }
    }
}

/// The number that these digits write; `None` for anything else and for what 64 bits cannot hold.
#[inline]
fn digits(digits: &[u8]) -> Option<u64> {
    // Nineteen digits always fit; only behind them it must be watched.
    const ALWAYS_FIT: usize = 19;
    if digits.is_empty() || !digits.iter().all(u8::is_ascii_digit) {
        return None;
    }
    let (first, rest) = digits.split_at(digits.len().min(ALWAYS_FIT));
    let value = |digit: &u8| u64::from(digit - b'0');
    let first = first.iter().fold(0_u64, |number, digit| number * 10 + value(digit));
    rest.iter().try_fold(first, |number, digit| number.checked_mul(10)?.checked_add(value(digit)))
}

#[cfg(test)]
mod tests {
    use super::*;

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
