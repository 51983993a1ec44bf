//! Text from outside, made safe for a terminal; and how wide the terminal is.
//!
//! A file's header, the name of a zip's member, a line of a log: each may hold escape sequences. Whatever did not come from this
//! program itself goes through [`visible`] before a person sees it.

use std::io::IsTerminal as _;

/// How many columns standard output has, where it is a terminal.
pub fn width() -> Option<usize> {
    let terminal = std::io::stdout().is_terminal().then(console::Term::stdout)?;
    terminal.size_checked().map(|(_, columns)| usize::from(columns))
}

/// Makes control characters visible; line ends and tabs stay.
///
/// Besides the control characters proper these are the marks that turn the direction of text, with which a line can be made
/// to read as something else.
pub fn visible(text: &str) -> String {
    let mut safe = String::with_capacity(text.len());
    for character in text.chars() {
        let hostile = character.is_control() && !matches!(character, '\n' | '\t')
            || matches!(character, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{2028}' | '\u{2029}');
        if hostile {
            safe.extend(character.escape_default());
        } else {
            safe.push(character);
        }
    }
    safe
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_that_moves_the_cursor_or_turns_the_text_is_left() {
        assert_eq!(visible("a\x1b[2Jb\rc\u{202e}d\u{9b}31m"), "a\\u{1b}[2Jb\\rc\\u{202e}d\\u{9b}31m");
        assert_eq!(visible("años\t🦠\n"), "años\t🦠\n");
    }
}
