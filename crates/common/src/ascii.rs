//! Text for terminals without Unicode: those of a C locale, which cannot draw boxes, bullets, arrows or letters beyond ASCII.

use std::borrow::Cow;
use std::sync::LazyLock;

/// Returns whether the user's locale has only ASCII.
pub fn is_locale() -> bool {
    static IS_ASCII: LazyLock<bool> =
        LazyLock::new(|| is_ascii(|name| std::env::var_os(name)?.into_string().ok()));
    *IS_ASCII
}

/// Returns the text with its symbols in ASCII if the locale has no others. Letters stay: they are parts of names.
pub fn in_locale(text: &str) -> Cow<'_, str> {
    if is_locale() { symbols(text) } else { text.into() }
}

/// The first of these variables that is set decides (POSIX, environment variables). If none is set, the terminal is taken for one with UTF-8:
/// in containers that is the rule.
fn is_ascii(variable: impl Fn(&str) -> Option<String>) -> bool {
    let set = ["LC_ALL", "LC_CTYPE", "LANG"]
        .iter()
        .find_map(|name| variable(name).filter(|value| !value.is_empty()));
    let Some(locale) = set else { return false };
    let codeset =
        locale.split('@').next().and_then(|locale| locale.split_once('.')).map(|(_, codeset)| codeset);
    match codeset {
        Some(codeset) => !codeset.replace('-', "").eq_ignore_ascii_case("utf8"),
        None => matches!(locale.as_str(), "C" | "POSIX"),
    }
}

fn symbols(text: &str) -> Cow<'_, str> {
    if text.is_ascii() {
        return text.into();
    }
    let mut ascii = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '…' => ascii += "...",
            '→' => ascii += "->",
            '←' => ascii += "<-",
            '≥' => ascii += ">=",
            '≤' => ascii += "<=",
            '—' => ascii += "--",
            _ if character.is_ascii() || character.is_alphanumeric() => ascii.push(character),
            _ => ascii.push(find(&SYMBOLS, character).unwrap_or(character)),
        }
    }
    ascii.into()
}

/// Returns one character of ASCII, so that columns stay where they are.
pub fn of_char(character: char) -> char {
    if character.is_ascii() {
        return character;
    }
    find(&SYMBOLS, character).or_else(|| find(&LETTERS, character)).unwrap_or('?')
}

/// The symbols that stand for each character.
const SYMBOLS: [(char, &str); 18] = [
    ('-', "─━═–—−▌▄"),
    ('|', "│┃║"),
    ('+', "┌┐└┘├┤┬┴┼┏┓┗┛┣┫┳┻╋╔╗╚╝╠╣╦╩╬╭╮╯╰▊▆"),
    ('_', "▏▁"),
    ('.', "·…▎▂"),
    (':', "░▍▃"),
    ('=', "▋▅"),
    ('*', "●•✓▉▇"),
    ('#', "█■▓"),
    ('%', "▒"),
    ('o', "○°"),
    ('x', "✗×"),
    ('>', "→▶≥›»"),
    ('<', "←≤‹«"),
    ('^', "↑"),
    ('v', "↓"),
    ('\'', "‘’"),
    ('"', "“”"),
];

/// The letters with accents of each letter, and what else has a counterpart.
const LETTERS: [(char, &str); 16] = [
    ('a', "áàâäãå"),
    ('e', "éèêë"),
    ('i', "íìîï"),
    ('o', "óòôöõº"),
    ('u', "úùûüµμ"),
    ('n', "ñ"),
    ('c', "ç"),
    ('A', "ÁÀÂÄÃÅ"),
    ('E', "ÉÈÊË"),
    ('I', "ÍÌÎÏ"),
    ('O', "ÓÒÔÖÕ"),
    ('U', "ÚÙÛÜ"),
    ('N', "Ñ"),
    ('C', "Ç"),
    (' ', "\u{a0}\u{202f}"),
    ('~', "±≈"),
];

fn find(table: &[(char, &str)], character: char) -> Option<char> {
    table.iter().find(|(_, others)| others.contains(character)).map(|(ascii, _)| *ascii)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn first_variable_that_is_set_decides() {
        let is_ascii = |set: &[(&str, &str)]| {
            super::is_ascii(|name| {
                set.iter().find(|(known, _)| *known == name).map(|(_, value)| (*value).to_owned())
            })
        };
        for (set, expected) in [
            (&[][..], false),
            (&[("LC_ALL", "C")], true),
            (&[("LC_ALL", "POSIX"), ("LANG", "es_AR.UTF-8")], true),
            (&[("LC_ALL", ""), ("LC_CTYPE", "C.UTF-8"), ("LANG", "C")], false),
            (&[("LANG", "es_AR.utf8@euro")], false),
            (&[("LANG", "es_AR.ISO-8859-1")], true),
            (&[("LANG", "es_AR")], false),
        ] {
            assert_eq!(is_ascii(set), expected, "{set:?}");
        }
    }

    #[test]
    fn symbols_are_replaced_and_letters_of_names_stay() {
        assert_eq!(symbols("5 → 7 · Córdoba…"), "5 -> 7 . Córdoba...");
        assert_eq!(symbols("plain"), "plain");
    }

    #[test]
    fn character_becomes_one_of_ascii() {
        let ascii: String = "│ñandú 测 █→…".chars().map(of_char).collect();
        assert_eq!(ascii, "|nandu ? #>.");
    }
}
