//! Nulls that are written as words (`NULL`, `nan`, `\N`): the first and the number per column, for one warning per column.

use std::collections::BTreeMap;

use super::missing::Column;

#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct NullWords(BTreeMap<Column, NullWord>);

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NullWord {
    /// The first word, as it is in the file.
    pub word: String,
    /// The line of the first word.
    pub line: u64,
    /// Rows with such a word.
    pub rows: u64,
}

impl NullWords {
    /// Adds the word of a row that follows those before.
    pub fn note(&mut self, column: Column, line: u64, word: &[u8]) {
        let new = || NullWord { word: String::from_utf8_lossy(word).into_owned(), line, rows: 0 };
        self.0.entry(column).or_insert_with(new).rows += 1;
    }

    /// Adds the words of rows that follow those before.
    pub fn append(&mut self, later: &Self) {
        for (column, word) in &later.0 {
            let new = || NullWord { rows: 0, ..word.clone() };
            self.0.entry(*column).or_insert_with(new).rows += word.rows;
        }
    }

    pub fn iter(&self) -> impl Iterator<Item = (Column, &NullWord)> {
        self.0.iter().map(|(column, word)| (*column, word))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn append_counts_rows_and_keeps_the_first_word() {
        let (mut first, mut second) = (NullWords::default(), NullWords::default());
        first.note(Column::DiedOn, 2, b"NULL");
        first.note(Column::DiedOn, 3, b"null");
        second.note(Column::DiedOn, 4, b"nan");
        second.note(Column::Sex, 5, b"\\N");
        first.append(&second);
        let seen: Vec<_> =
            first.iter().map(|(column, seen)| (column, seen.word.as_str(), seen.line, seen.rows)).collect();
        assert_eq!(seen, [(Column::Sex, "\\N", 5, 1), (Column::DiedOn, "NULL", 2, 3)]);
    }
}
