//! Numbers for the few words that cases repeat: a sex, a classification.

/// So many words are remembered. The ministry has half a dozen; only a strange file has more.
const MOST_WORDS: usize = 1000;

/// Words, each with the number of its place. 0 stands for no word.
#[derive(Debug, Default)]
pub(super) struct Words(Vec<Box<[u8]>>);

impl Words {
    /// The word's number; a new word gets the next one.
    pub(super) fn number(&mut self, word: Option<&[u8]>) -> u16 {
        let Some(word) = word else { return 0 };
        let place = self.0.iter().position(|known| **known == *word).unwrap_or_else(|| {
            self.0.push(word.into());
            self.0.len() - 1
        });
        u16::try_from(place + 1).unwrap_or(u16::MAX)
    }

    /// The word with that number.
    pub(super) fn word(&self, number: u16) -> Option<&[u8]> {
        self.0.get(usize::from(number).checked_sub(1)?).map(AsRef::as_ref)
    }

    /// Whether it is time to forget them. A case may bring two more.
    pub(super) fn is_full(&self) -> bool {
        self.0.len() >= MOST_WORDS
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_word_keeps_its_number() {
        let mut words = Words::default();
        let numbers = [None, Some("F"), Some("M"), Some("F"), Some(""), None]
            .map(|word| words.number(word.map(str::as_bytes)));
        assert_eq!(numbers, [0, 1, 2, 1, 3, 0]);
        assert_eq!(
            [0, 1, 2, 3, 4].map(|number| words.word(number)),
            [None, Some(&b"F"[..]), Some(b"M"), Some(b""), None]
        );
    }
}
