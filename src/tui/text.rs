//! Text as terminal cells: sanitized, measured, truncated and wrapped.
//!
//! If a terminal and this program disagree about the width of a character, everything to its right is displaced. What terminals
//! treat differently (joiners, variation selectors, stacked combining marks) is therefore removed or escaped before it is measured.

use std::fmt::Display;

use common::terminal::visible;
use unicode_segmentation::UnicodeSegmentation as _;
use unicode_width::{UnicodeWidthChar as _, UnicodeWidthStr as _};

/// No letter of a living language has more combining marks.
const MAX_MARKS: usize = 2;

/// Sanitizes a line of untrusted text for a terminal. Line ends and tabs become spaces.
pub(super) fn sanitize(text: &str) -> String {
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
            // Invisible, but wide on some terminals: variation selectors, joiners, tags.
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
                // Without a base character, a mark would join the cell to the left.
                if marks <= MAX_MARKS && !safe.is_empty() {
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

pub(super) fn width(text: &str) -> usize {
    text.width()
}

/// The first 8 characters of an id, as on every screen.
pub(super) fn short_id(id: &dyn Display) -> String {
    id.to_string().chars().take(8).collect()
}

/// Truncates text to at most `most` cells, with an ellipsis if it is cut.
pub(super) fn truncate(text: &str, most: usize) -> String {
    if width(text) <= most {
        return text.to_owned();
    }
    let (start, _) = split_at_width(text, most.saturating_sub(1));
    if most == 0 { String::new() } else { format!("{start}…") }
}

/// Pads or truncates text to exactly `cells` cells.
pub(super) fn pad(text: &str, cells: usize) -> String {
    let mut fitted = truncate(text, cells);
    let missing = cells.saturating_sub(width(&fitted));
    fitted.extend(std::iter::repeat_n(' ', missing));
    fitted
}

/// Splits text after at most `most` cells.
pub(super) fn split_at_width(text: &str, most: usize) -> (&str, &str) {
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

/// Wraps text into at least one piece of at most `most` cells.
pub(super) fn wrap(text: &str, most: usize) -> Vec<&str> {
    let most = most.max(2);
    let mut pieces = Vec::new();
    let mut rest = text;
    loop {
        let (mut piece, mut after) = split_at_width(rest, most);
        // A single wider character stays whole.
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

/// How many pieces [`wrap`] returns.
pub(super) fn wrapped_height(text: &str, most: usize) -> usize {
    let most = most.max(2);
    if text.is_ascii() { text.len().div_ceil(most).max(1) } else { wrap(text, most).len() }
}

/// Wraps prose at spaces.
pub(super) fn wrap_words(text: &str, most: usize) -> Vec<String> {
    let mut lines = vec![String::new()];
    for word in text.split(' ') {
        for piece in wrap(word, most) {
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
    fn sanitize_removes_or_escapes_what_terminals_disagree_about() {
        assert_eq!(sanitize("a\tb\u{200b}c"), "a    b\\u{200b}c");
        assert_eq!(sanitize("\x1b[2J\r\u{9b}"), "\\u{1b}[2J\\r\\u{9b}");
        assert_eq!(sanitize("e\u{301}\u{301}\u{301}\u{301}x"), "e\u{301}\u{301}x");
        assert_eq!(sanitize("\u{301}x"), "x");
        assert_eq!(sanitize("❤\u{fe0f}👩\u{200d}🚀"), "❤👩🚀");
        assert_eq!(sanitize("Ñandú 测试"), "Ñandú 测试");
    }

    #[test]
    fn wide_characters_are_not_split() {
        assert_eq!(truncate("测试测试", 5), "测试…");
        assert_eq!(truncate("测试测试", 4), "测…");
        assert_eq!(pad("测试测试", 4), "测… ");
        assert_eq!(wrap("测试测", 3), ["测", "试", "测"]);
        assert_eq!(truncate("abc", 0), "");
        assert_eq!(wrap("", 5), [""]);
        assert_eq!(wrap_words("one two three", 7), ["one two", "three"]);
    }

    proptest! {
        #[test]
        fn any_text_fits_its_cells(text in any::<String>(), most in 0_usize..40) {
            let safe = sanitize(&text);
            prop_assert!(safe.chars().all(|character| !character.is_control()));
            prop_assert_eq!(&sanitize(&safe), &safe);
            prop_assert!(width(&truncate(&safe, most)) <= most);
            prop_assert_eq!(width(&pad(&safe, most)), most);
            let pieces = wrap(&safe, most);
            prop_assert_eq!(pieces.concat(), safe.clone());
            prop_assert_eq!(pieces.len(), wrapped_height(&safe, most));
            let alone = |piece: &str| piece.graphemes(true).filter(|grapheme| grapheme.width() > 0).count() == 1;
            prop_assert!(pieces.iter().all(|piece| width(piece) <= most.max(2) || alone(piece)));
        }
    }
}
