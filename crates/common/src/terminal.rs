//! Escaping of text from outside (file names, headers, log lines) for the terminal, and the width of the terminal.

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
    fn visible_escapes_control_and_direction_characters() {
        assert_eq!(visible("a\x1b[2Jb\rc\u{202e}d\u{9b}31m"), "a\\u{1b}[2Jb\\rc\\u{202e}d\\u{9b}31m");
        assert_eq!(visible("años\t🦠\n"), "años\t🦠\n");
    }
}
