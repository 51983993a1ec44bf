//! The command palette: the commands that can be typed into it.

use super::keys::{BINDINGS, PaletteEntry, Scope};
use super::model::{Command, Screen};

/// Commands that take an argument: the words, an example of the argument and a description.
const WITH_ARGUMENT: [(&str, &str, &str); 7] = [
    ("target", "NAME", "switch the target: target NAME"),
    ("profile", "NAME", "switch to aws with a profile: profile NAME"),
    ("region", "NAME", "switch to aws in a region: region us-east-1"),
    ("run", "JOB", "start a job of the target: run JOB"),
    ("since", "10m", "set how far back the logs go: since 10m"),
    ("grep", "REGEX", "show matching log lines only: grep REGEX"),
    ("logs of", "RUN", "show the log of one run: logs of RUN"),
];

/// All commands of the palette in alphabetical order, with a description.
pub(super) fn commands() -> Vec<(&'static str, String)> {
    let bound = BINDINGS.iter().filter_map(|binding| {
        // The palette opens on every screen, so the description names the command's own.
        let help = match binding.scope {
            Scope::On(screen) | Scope::TopOf(screen) => format!("{}: {}", screen.name(), binding.help),
            _ => binding.help.to_owned(),
        };
        Some((binding.words()?, help))
    });
    let with_argument = WITH_ARGUMENT.into_iter().map(|(words, _, help)| (words, help.to_owned()));
    let mut commands: Vec<_> = bound.chain(with_argument).collect();
    commands.sort();
    commands
}

/// The commands that start with `typed`.
pub(super) fn matching(typed: &str) -> Vec<(&'static str, String)> {
    let typed = typed.trim_start().to_lowercase();
    commands().into_iter().filter(|(words, _)| words.starts_with(&typed)).collect()
}

/// The longest text that all words start with.
pub(super) fn common_start<'a>(words: impl Iterator<Item = &'a str>) -> Option<&'a str> {
    words.into_iter().reduce(|common, word| {
        let same = common.chars().zip(word.chars()).take_while(|(a, b)| a == b);
        &common[..same.map(|(character, _)| character.len_utf8()).sum()]
    })
}

/// Completes `typed` as far as it is unambiguous.
pub(super) fn complete(typed: &str) -> Option<String> {
    let matching = matching(typed);
    let common = common_start(matching.iter().map(|(words, _)| *words))?;
    let takes_argument = WITH_ARGUMENT.iter().any(|(words, ..)| *words == common);
    let space = if matching.len() == 1 && takes_argument { " " } else { "" };
    (common.len() >= typed.len()).then(|| format!("{common}{space}"))
}

/// Parses a command without an argument, or an unambiguous prefix of one; with the screen to show first.
pub(super) fn parse(typed: &str) -> Result<(Option<Screen>, Command), String> {
    let matching = matching(typed);
    let unknown = || format!("unknown command `{typed}`");
    let words = match matching.as_slice() {
        _ if matching.iter().any(|(words, _)| *words == typed) => typed,
        [(words, _)] => words,
        [] => return Err(unknown()),
        _ => {
            let words: Vec<&str> = matching.iter().map(|(words, _)| *words).collect();
            return Err(format!("`{typed}` is ambiguous: {}", words.join(", ")));
        }
    };
    if let Some((_, argument, _)) = WITH_ARGUMENT.iter().find(|(known, ..)| *known == words) {
        return Err(format!("type {words} {argument}"));
    }
    let binding = BINDINGS.iter().find(|binding| binding.words() == Some(words));
    let binding = binding.ok_or_else(unknown)?;
    let screen = match (binding.palette, binding.scope) {
        (PaletteEntry::Shows(_), Scope::On(screen)) => Some(screen),
        _ => None,
    };
    Ok((screen, binding.command))
}
