//! Numbers for the texts of columns with few of them, such as names of vaccines, so that many rows can be grouped by numbers.

use std::borrow::Cow;
use std::sync::{Arc, Mutex, PoisonError};

use foldhash::{HashMap, HashMapExt as _};

use crate::interner::Interner;
use crate::parse::field::Field;

/// The most spellings that a worker remembers of a column.
const MAX_SPELLINGS: usize = 4096;

/// The texts of a file by number; its workers share them.
#[derive(Debug, Clone, Default)]
pub struct Texts(Arc<Mutex<Interner>>);

impl Texts {
    /// Returns the texts that have a number now.
    pub fn snapshot(&self) -> Interner {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Returns the number of a text; `None` if there are too many different ones.
    fn number(&self, text: Option<&[u8]>) -> Option<u16> {
        let mut texts = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let number = texts.intern(text);
        (!texts.is_full()).then_some(number)
    }
}

/// The value is not one of the column's.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Invalid;

/// Returns the text that a field stands for, `None` if it is unknown.
pub type Rule = for<'a> fn(Field<'a>) -> Result<Option<Cow<'a, [u8]>>, Invalid>;

/// A column as one worker cleans it: the rule is applied once to each spelling.
#[derive(Debug)]
pub struct TextColumn {
    rule: Rule,
    cleaned: HashMap<Box<[u8]>, Cleaned>,
}

/// The outcome of the rule.
#[derive(Debug)]
struct Cleaned {
    number: u16,
    text: Result<Option<Box<[u8]>>, Invalid>,
}

impl TextColumn {
    pub fn new(rule: Rule) -> Self {
        Self { rule, cleaned: HashMap::new() }
    }

    /// Returns the number of the field's text, 0 if it is unknown or invalid, and whether it is invalid; `None` if the file has too many
    /// different texts.
    #[inline]
    pub fn clean(&mut self, field: Field<'_>, texts: &Texts) -> Option<(u16, bool)> {
        if let Some(Cleaned { number, text }) = self.cleaned.get(field.0) {
            return Some((*number, text.is_err()));
        }
        self.clean_new(field, texts)
    }

    #[cold]
    fn clean_new(&mut self, field: Field<'_>, texts: &Texts) -> Option<(u16, bool)> {
        let text = (self.rule)(field).map(|text| text.map(|text| text.into_owned().into_boxed_slice()));
        let number = texts.number(text.as_ref().ok().and_then(Option::as_deref))?;
        if self.cleaned.len() >= MAX_SPELLINGS {
            self.cleaned.clear();
        }
        let invalid = text.is_err();
        self.cleaned.insert(field.0.into(), Cleaned { number, text });
        Some((number, invalid))
    }

    /// Returns the text of a field that was the last one cleaned.
    pub fn text(&self, field: Field<'_>) -> Option<&[u8]> {
        self.cleaned.get(field.0)?.text.as_ref().ok()?.as_deref()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spellings_of_a_text_have_one_number() {
        let texts = Texts::default();
        let rule: Rule = |field| match field.trimmed() {
            b"?" => Err(Invalid),
            b"" => Ok(None),
            text => Ok(Some(Cow::Borrowed(text))),
        };
        let mut workers = [TextColumn::new(rule), TextColumn::new(rule)];
        let mut clean = |worker: usize, text: &str| {
            let field = Field(text.as_bytes());
            let number = workers[worker].clean(field, &texts);
            (number, workers[worker].text(field).map(<[u8]>::to_vec))
        };
        for (worker, text, outcome) in [
            (0, "Moderna", (Some((1, false)), Some(b"Moderna".to_vec()))),
            (1, " Moderna ", (Some((1, false)), Some(b"Moderna".to_vec()))),
            (1, "Pfizer", (Some((2, false)), Some(b"Pfizer".to_vec()))),
            (0, "Pfizer", (Some((2, false)), Some(b"Pfizer".to_vec()))),
            (0, "?", (Some((0, true)), None)),
            (0, " ", (Some((0, false)), None)),
            (0, "Moderna", (Some((1, false)), Some(b"Moderna".to_vec()))),
        ] {
            assert_eq!(clean(worker, text), outcome, "{text:?}");
        }
        assert_eq!(texts.snapshot().resolve(2), Some(&b"Pfizer"[..]));
    }

    #[test]
    fn too_many_texts_are_refused() {
        let texts = Texts::default();
        let mut column = TextColumn::new(|field| Ok(Some(Cow::Borrowed(field.0))));
        let refused = (0..9999)
            .find(|number: &u32| column.clean(Field(number.to_string().as_bytes()), &texts).is_none());
        assert_eq!(refused, Some(999));
    }
}
