//! Text as cells of a terminal: made harmless, measured, cut and broken.
//!
//! A terminal and a program that disagree about how wide a character is spoil everything to the right of it. So whatever
//! terminals treat differently (joiners, variation selectors, piles of marks on one letter) is left out or made visible
//! before it is measured.

use common::terminal::visible;
use unicode_segmentation::UnicodeSegmentation as _;
use unicode_width::{UnicodeWidthChar as _, UnicodeWidthStr as _};

/// No letter of a living language has more marks than this.
const MOST_MARKS: usize = 2;

/// Makes one line of text from outside harmless. Line ends and tabs become spaces.
pub fn cells(text: &str) -> String {
    if text.bytes().all(|byte| (b' '..0x7f).contains(&byte)) {
        return text.to_owned();
    }
    let mut safe = String::with_capacity(text.len());
    let mut marks = 0;
    for character in visible(text).chars() {
        match character {
            '\t' | '\n' => {
                safe.push_str(if character == '\t' { "    " } else { " " });
                marks = 0;
            }
            // Invisible, and wide for some terminals: variation selectors, joiners, fillers, tags.
            '\u{fe00}'..='\u{fe0f}' | '\u{200d}' | '\u{e0000}'..='\u{e0fff}' => {}
            '\u{200b}'..='\u{200f}'
            | '\u{2060}'..='\u{206f}'
            | '\u{feff}'
            | '\u{61c}'
            | '\u{ad}'
            | '\u{115f}'
            | '\u{1160}'
            | '\u{3164}'
            | '\u{ffa0}' => safe.extend(character.escape_unicode()),
            _ if character.width() == Some(0) => {
                marks += 1;
                // A mark with nothing below it would go to whatever stands to the left.
                if marks <= MOST_MARKS && !safe.is_empty() {
                    safe.push(character);
                }
            }
            _ => {
                safe.push(character);
                marks = 0;
            }
        }
    }
    safe
}

/// How many cells it takes.
pub fn width(text: &str) -> usize {
    text.width()
}

/// The beginning of it, in at most so many cells; with a mark where something is missing.
pub fn fit(text: &str, most: usize) -> String {
    if width(text) <= most {
        return text.to_owned();
    }
    let (start, _) = cut(text, most.saturating_sub(1));
    if most == 0 { String::new() } else { format!("{start}…") }
}

/// Filled up with spaces, or cut, to exactly so many cells.
pub fn pad(text: &str, cells: usize) -> String {
    let mut fitted = fit(text, cells);
    let missing = cells.saturating_sub(width(&fitted));
    fitted.extend(std::iter::repeat_n(' ', missing));
    fitted
}

/// Splits it after at most so many cells.
pub fn cut(text: &str, most: usize) -> (&str, &str) {
    if text.is_ascii() {
        return text.split_at(most.min(text.len()));
    }
    let mut used = 0;
    for (at, grapheme) in text.grapheme_indices(true) {
        used += grapheme.width();
        if used > most {
            return text.split_at(at);
        }
    }
    (text, "")
}

/// Breaks it into pieces of at most so many cells. There is always one.
pub fn broken(text: &str, most: usize) -> Vec<&str> {
    let most = most.max(2);
    let mut pieces = Vec::new();
    let mut rest = text;
    loop {
        let (mut piece, mut after) = cut(rest, most);
        // A single character that is wider than that stays whole.
        if piece.is_empty()
            && let Some(first) = rest.graphemes(true).next()
        {
            (piece, after) = rest.split_at(first.len());
        }
        pieces.push(piece);
        if after.is_empty() {
            return pieces;
        }
        rest = after;
    }
}

/// How many pieces [`broken`] makes, without making them.
pub fn lines(text: &str, most: usize) -> usize {
    let most = most.max(2);
    if text.is_ascii() { text.len().div_ceil(most).max(1) } else { broken(text, most).len() }
}

/// Breaks prose at spaces, for messages and dialogs.
pub fn prose(text: &str, most: usize) -> Vec<String> {
    let mut lines = vec![String::new()];
    for word in text.split(' ') {
        for piece in broken(word, most) {
            let line =
                lines.last_mut().filter(|line| width(line) + 1 + width(piece) <= most || line.is_empty());
            match line {
                Some(line) if line.is_empty() => line.push_str(piece),
                Some(line) => {
                    line.push(' ');
                    line.push_str(piece);
                }
                None => lines.push(piece.to_owned()),
            }
        }
    }
    lines
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn what_terminals_disagree_about_is_gone_or_visible() {
        assert_eq!(cells("a\tb\u{200b}c"), "a    b\\u{200b}c");
        assert_eq!(cells("\x1b[2J\r\u{9b}"), "\\u{1b}[2J\\r\\u{9b}");
        assert_eq!(cells("e\u{301}\u{301}\u{301}\u{301}x"), "e\u{301}\u{301}x");
        assert_eq!(cells("\u{301}x"), "x");
        assert_eq!(cells("❤\u{fe0f}👩\u{200d}🚀"), "❤👩🚀");
        assert_eq!(cells("Ñandú 测试"), "Ñandú 测试");
    }

    #[test]
    fn wide_characters_are_not_cut_in_two() {
        assert_eq!(fit("测试测试", 5), "测试…");
        assert_eq!(fit("测试测试", 4), "测…");
        assert_eq!(pad("测试测试", 4), "测… ");
        assert_eq!(broken("测试测", 3), ["测", "试", "测"]);
        assert_eq!(fit("abc", 0), "");
        assert_eq!(broken("", 5), [""]);
        assert_eq!(prose("one two three", 7), ["one two", "three"]);
    }

    proptest! {
        #[test]
        fn whatever_it_is_it_fits(text in any::<String>(), most in 0_usize..40) {
            let safe = cells(&text);
            prop_assert!(safe.chars().all(|character| !character.is_control()));
            prop_assert_eq!(&cells(&safe), &safe);
            prop_assert!(width(&fit(&safe, most)) <= most);
            prop_assert_eq!(width(&pad(&safe, most)), most);
            let pieces = broken(&safe, most);
            prop_assert_eq!(pieces.concat(), safe.clone());
            prop_assert_eq!(pieces.len(), lines(&safe, most));
            let alone = |piece: &str| piece.graphemes(true).filter(|grapheme| grapheme.width() > 0).count() == 1;
            prop_assert!(pieces.iter().all(|piece| width(piece) <= most.max(2) || alone(piece)));
        }
    }
}
