//! The report as plain text: a head with the provenance of the data, then each question with its answer and caveats.

use super::answer::{Answer, QuestionResult};
use super::content::{Content, DEFINITION, SOURCE};
use super::language::{Language, Localized, tr};
use super::question::Layout;
use super::table::{heading, visible_rows};
use super::{format, text_table};
use common::terminal::visible;

const TITLE: Localized =
    tr("Covid-19 en Argentina: casos confirmados", "Covid-19 in Argentina: confirmed cases");
const FAILED: Localized = tr("FALLÓ:", "FAILED:");

/// The width of the stored text.
pub(super) const STORED_WIDTH: usize = 80;
/// Narrower lines would cut numbers off.
const MIN_WIDTH: usize = 60;
const MAX_WIDTH: usize = 160;
const MAX_PROSE_WIDTH: usize = 100;

/// Renders the whole text for lines of `width` characters.
pub(super) fn render(content: &Content, width: usize) -> String {
    let language = content.options.language;
    let width = width.clamp(MIN_WIDTH, MAX_WIDTH);
    let mut lines = head(content, width);
    for (index, result) in content.results.iter().enumerate() {
        let title = format!("{}. {}", index + 1, result.question.title.get(language));
        lines.extend([String::new(), "─".repeat(width)]);
        lines.extend(wrapped(&title, width));
        lines.push(String::new());
        lines.extend(section(result, language, width));
    }
    lines.push(String::new());
    // Values of the database must not act on the terminal, nor begin a line.
    let visible: Vec<String> = lines.iter().map(|line| visible(line).replace('\n', "\\n")).collect();
    visible.join("\n")
}

fn head(content: &Content, width: usize) -> Vec<String> {
    let language = content.options.language;
    let mut lines = vec!["═".repeat(width), TITLE.get(language).to_owned(), "═".repeat(width)];
    lines.extend(content.provenance().map(|(title, value)| format!("{title:<10}  {value}")));
    let notes = [DEFINITION, SOURCE].map(|note| note.get(language).to_owned());
    for paragraph in content.incomplete_warning().into_iter().chain(notes) {
        lines.push(String::new());
        lines.extend(wrapped(&paragraph, width));
    }
    lines
}

fn section(result: &QuestionResult, language: Language, width: usize) -> Vec<String> {
    let question = result.question;
    let answer = match &result.answer {
        Ok(answer) if answer.rows.is_empty() => return wrapped(question.if_empty.get(language), width),
        Ok(answer) => answer,
        Err(failure) => return wrapped(&format!("{} {failure}", FAILED.get(language)), width),
    };
    let mut lines = Vec::new();
    if let Some(heading) = heading(answer, language) {
        lines.extend(wrapped(&heading, width));
        lines.push(String::new());
    }
    lines.extend(text_table::lines(answer, language, width));
    lines.extend(hidden_rows(answer, language));
    lines.push(String::new());
    lines.extend(wrapped(question.note.get(language), width));
    lines.push(format!("→ {}", question.file_name()));
    lines
}

/// Returns the line below a table that does not show all rows.
fn hidden_rows(answer: &Answer, language: Language) -> Option<String> {
    let hidden = match answer.question.layout {
        Layout::Pivot { .. } => 0,
        _ => answer.rows.len() - visible_rows(answer).len(),
    };
    let count = format::count(i64::try_from(hidden).unwrap_or(i64::MAX), language);
    let file = answer.question.file_name();
    (hidden > 0).then(|| match language {
        Language::Spanish => format!("… y {count} filas más en {file}"),
        Language::English => format!("… and {count} more rows in {file}"),
    })
}

/// Wraps a paragraph into lines that are comfortable to read; a word longer than a line is split.
fn wrapped(paragraph: &str, width: usize) -> Vec<String> {
    let width = width.min(MAX_PROSE_WIDTH);
    let mut lines: Vec<String> = Vec::new();
    let mut used = 0;
    for word in paragraph.split_whitespace().flat_map(|word| pieces(word, width)) {
        let length = word.chars().count();
        match lines.last_mut() {
            Some(line) if used + 1 + length <= width => {
                line.push(' ');
                line.push_str(&word);
                used += 1 + length;
            }
            _ => {
                lines.push(word);
                used = length;
            }
        }
    }
    lines
}

/// Splits a word into pieces of at most `width` characters.
fn pieces(word: &str, width: usize) -> Vec<String> {
    let characters: Vec<char> = format::printable(word).chars().collect();
    characters.chunks(width).map(|piece| piece.iter().collect()).collect()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn wrapped_lines_keep_words_and_width(
            words in proptest::collection::vec("[a-zñ«»]{1,30}", 0..60),
            width in 30_usize..200,
        ) {
            let lines = wrapped(&words.join(" "), width);
            prop_assert!(lines.iter().all(|line| line.chars().count() <= width));
            let again: Vec<&str> = lines.iter().flat_map(|line| line.split(' ')).collect();
            prop_assert_eq!(again, words);
        }
    }

    #[test]
    fn wrapped_word_longer_than_line_is_split() {
        let lines = wrapped(&"x".repeat(100), 80);
        assert_eq!(lines.iter().map(String::len).collect::<Vec<_>>(), [80, 20]);
    }
}
