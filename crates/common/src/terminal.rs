//! Escaping of text from outside (file names, headers, log lines) for the terminal, and the width of the terminal.

use std::fmt::Write as _;
use std::io::IsTerminal as _;

/// Returns the columns of standard output if it is a terminal.
pub fn width() -> Option<usize> {
    let terminal = std::io::stdout().is_terminal().then(console::Term::stdout)?;
    terminal.size_checked().map(|(_, columns)| usize::from(columns))
}

/// Escapes control characters except line ends and tabs, and the Unicode marks that change the direction of text.
pub fn visible(text: &str) -> String {
    let mut safe = String::with_capacity(text.len());
    for character in text.chars() {
        if is_hostile(character) {
            safe.extend(character.escape_default());
        } else {
            safe.push(character);
        }
    }
    safe
}

/// Escapes the same characters in a JSON document, which stays equal. JSON escapes only those below U+0020 itself.
pub fn visible_json(json: &str) -> String {
    let mut safe = String::with_capacity(json.len());
    for character in json.chars() {
        if is_hostile(character) {
            // All of them are in the basic plane, and occur in strings alone.
            _ = write!(safe, "\\u{:04x}", u32::from(character));
        } else {
            safe.push(character);
        }
    }
    safe
}

/// Returns whether a character can change what a terminal or a page shows around it: control characters (C0, DEL, C1) except line ends and
/// tabs, line separators, and the marks of bidirectional text (Unicode Standard Annex 9).
pub fn is_hostile(character: char) -> bool {
    character.is_control() && !matches!(character, '\n' | '\t')
        || matches!(
            character,
            '\u{61c}' | '\u{200e}' | '\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}'
        )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn visible_escapes_control_and_direction_characters() {
        assert_eq!(visible("a\x1b[2Jb\rc\u{202e}d\u{9b}31m"), "a\\u{1b}[2Jb\\rc\\u{202e}d\\u{9b}31m");
        assert_eq!(visible("años\t🦠\n"), "años\t🦠\n");
    }

    #[test]
    fn visible_json_escapes_as_json_does() {
        let json = "{\"a\u{202e}\":\"b\\u001b\u{7f}\u{9b}31m\u{200f}ñ\\n\"}\n";
        assert_eq!(visible_json(json), "{\"a\\u202e\":\"b\\u001b\\u007f\\u009b31m\\u200fñ\\n\"}\n");
    }
}
