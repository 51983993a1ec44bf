//! Interns the few strings that rows repeat, such as sexes, classifications and names of vaccines.

/// Bounds the memory; the ministry uses half a dozen.
const MAX_STRINGS: usize = 1000;

/// Strings by their number; 0 is no string.
#[derive(Debug, Clone, Default)]
pub struct Interner(Vec<Box<[u8]>>);

impl Interner {
    /// Returns the number of a string, which is added if it is new.
    pub fn intern(&mut self, word: Option<&[u8]>) -> u16 {
        let Some(word) = word else { return 0 };
        let place = self.0.iter().position(|known| **known == *word).unwrap_or_else(|| {
            self.0.push(word.into());
            self.0.len() - 1
        });
        u16::try_from(place + 1).unwrap_or(u16::MAX)
    }

    /// Returns the string of a number.
    pub fn resolve(&self, number: u16) -> Option<&[u8]> {
        self.0.get(usize::from(number).checked_sub(1)?).map(AsRef::as_ref)
    }

    /// Returns whether no more strings may be added. A row adds at most a handful.
    pub fn is_full(&self) -> bool {
        self.0.len() >= MAX_STRINGS
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn intern_returns_same_number_for_same_string() {
        let mut interner = Interner::default();
        let numbers = [None, Some("F"), Some("M"), Some("F"), Some(""), None]
            .map(|word| interner.intern(word.map(str::as_bytes)));
        assert_eq!(numbers, [0, 1, 2, 1, 3, 0]);
        assert_eq!(
            [0, 1, 2, 3, 4].map(|number| interner.resolve(number)),
            [None, Some(&b"F"[..]), Some(b"M"), Some(b""), None]
        );
    }
}
