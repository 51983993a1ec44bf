//! One field of a record: its bytes as they stand in the file, and the few readings that the rules need.
//!
//! A field is *blank* where it is nothing, `""`, `NA` or only white space. Surrounding white space never counts.

use std::borrow::Cow;

use super::date::Day;

/// A field without its surrounding quotes; doubled quotes inside still stand doubled.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Field<'a>(pub &'a [u8]);

impl<'a> Field<'a> {
    /// The bytes without surrounding white space.
    fn trimmed(self) -> &'a [u8] {
        self.0.trim_ascii()
    }

    /// The trimmed bytes, or `None` where the field is blank.
    pub fn value(self) -> Option<&'a [u8]> {
        match self.trimmed() {
            b"" | b"NA" => None,
            value => Some(value),
        }
    }

    /// Whether the field says exactly this.
    pub fn is(self, word: &[u8]) -> bool {
        self.trimmed() == word
    }

    /// A decimal number without sign, as codes and ids are written; leading zeros are allowed.
    pub fn unsigned(self) -> Option<u64> {
        // Nineteen digits always fit; only behind them it must be watched.
        const ALWAYS_FIT: usize = 19;
        let digits = self.trimmed();
        if digits.is_empty() || !digits.iter().all(u8::is_ascii_digit) {
            return None;
        }
        let (first, rest) = digits.split_at(digits.len().min(ALWAYS_FIT));
        let value = |digit: &u8| u64::from(digit - b'0');
        let first = first.iter().fold(0_u64, |number, digit| number * 10 + value(digit));
        rest.iter().try_fold(first, |number, digit| number.checked_mul(10)?.checked_add(value(digit)))
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

    /// The text, with every run of white space inside as one blank.
    pub fn collapsed(self) -> Cow<'a, [u8]> {
        let text = self.text();
        let stray =
            |pair: &[u8]| pair[1].is_ascii_whitespace() && (pair[1] != b' ' || pair[0].is_ascii_whitespace());
        if !text.windows(2).any(stray) {
            return text;
        }
        let words = text.split(u8::is_ascii_whitespace).filter(|word| !word.is_empty());
        Cow::Owned(words.collect::<Vec<_>>().join(&b' '))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn blank_is_nothing_or_na() {
        for blank in ["", "NA", " ", " NA ", "\t"] {
            assert_eq!(Field(blank.as_bytes()).value(), None, "{blank:?}");
        }
        assert_eq!(Field(b" F ").value(), Some(&b"F"[..]));
        assert_eq!(Field(b"na").value(), Some(&b"na"[..]));
    }

    #[test]
    fn numbers_are_digits_only_and_never_overflow() {
        let read = |text: &str| Field(text.as_bytes()).unsigned();
        assert_eq!(read(" 007 "), Some(7));
        assert_eq!(read("18446744073709551615"), Some(u64::MAX));
        for wrong in ["18446744073709551616", "", "-1", "+1", "1.0", "1 2", "0x1", "１"] {
            assert_eq!(read(wrong), None, "{wrong:?}");
        }
    }

    #[test]
    fn spaces_are_collapsed() {
        let collapsed =
            |text: &'static str| String::from_utf8(Field(text.as_bytes()).collapsed().into_owned()).unwrap();
        assert_eq!(collapsed("Confirmado"), "Confirmado");
        assert_eq!(collapsed("  Sin   Clasificar "), "Sin Clasificar");
        assert_eq!(collapsed("Sin\tClasificar"), "Sin Clasificar");
        assert_eq!(collapsed("dijo \"\"sí\"\""), "dijo \"sí\"");
        assert_eq!(Field(b" a  \"\"b ").text().as_ref(), b"a  \"b");
        assert!(matches!(Field(b"Sin Clasificar").collapsed(), Cow::Borrowed(_)));
    }
}
