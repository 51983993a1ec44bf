//! The line after `:`. It knows the words of the commands, and a few that take something.

use super::{commands, input};
use crate::tui::command::Command;
use crate::tui::effect::{Effect, Whither};
use crate::tui::keys::{BINDINGS, Scope};
use crate::tui::model::logs::{WINDOWS, pattern};
use crate::tui::model::{Model, Overlay, RunRow, Screen};
use common::text;
use logs::Millis;

/// Words that take something after them, and what.
const WITH_ARGUMENTS: [(&str, &str); 7] = [
    ("target", "NAME"),
    ("profile", "NAME"),
    ("region", "NAME"),
    ("since", "10m"),
    ("grep", "REGEX"),
    ("tunnel", "master, or LPORT:HOST:PORT USER@BASTION"),
    ("logs of", "RUN"),
];

/// All that can be typed, in alphabetical order, with what it does.
pub(crate) fn words() -> Vec<(String, String)> {
    let simple = BINDINGS.iter().filter_map(|binding| {
        // Typed anywhere, a word needs to say which of its screens it is about.
        let help = match binding.scope {
            Scope::On(screen) | Scope::TopOf(screen) => format!("{}: {}", screen.name(), binding.help),
            _ => binding.help.to_owned(),
        };
        Some((binding.command.word()?.to_owned(), help))
    });
    let more = [
        ("target".to_owned(), "show another target: target NAME"),
        ("profile".to_owned(), "the target aws, as a profile sees it: profile NAME"),
        ("region".to_owned(), "the target aws, in a region: region us-east-1"),
        ("since".to_owned(), "how far back the logs go: since 10m"),
        ("grep".to_owned(), "show only lines that match: grep REGEX"),
        ("logs of".to_owned(), "only one run: logs of RUN; all without RUN"),
    ];
    let more = more.map(|(word, help)| (word, help.to_owned()));
    let mut words: Vec<_> = simple.chain(more).collect();
    words.sort();
    words.dedup_by(|a, b| a.0 == b.0);
    words
}

/// The words that begin as typed.
pub(crate) fn fitting(typed: &str) -> Vec<(String, String)> {
    let typed = typed.trim_start().to_lowercase();
    words().into_iter().filter(|(word, _)| word.starts_with(&typed)).collect()
}

/// Completes what is typed, as far as it is clear.
pub(super) fn complete(model: &mut Model) {
    let Some(Overlay::Input(line)) = &mut model.overlay else { return };
    let fitting = fitting(&line.text);
    let Some((first, _)) = fitting.first() else { return };
    let common = fitting.iter().fold(first.clone(), |common, (word, _)| {
        let same = common.bytes().zip(word.bytes()).take_while(|(a, b)| a == b).count();
        common[..same].to_owned()
    });
    if common.len() > line.text.len() {
        line.text = common;
    }
    if fitting.len() == 1 && WITH_ARGUMENTS.iter().any(|(word, _)| line.text == *word) {
        line.text.push(' ');
    }
}

/// Does what was typed.
pub(super) fn run(model: &mut Model, typed: &str) -> Result<Vec<Effect>, String> {
    let typed = typed.trim();
    if matches!(typed, "" | "q" | "q!" | "exit") {
        model.quit = !typed.is_empty();
        return Ok(Vec::new());
    }
    let after = |word: &str| typed.strip_prefix(word).and_then(|rest| rest.strip_prefix(' ')).map(str::trim);
    if let Some(target) = after("target") {
        return switch(model, target);
    }
    if let Some(profile) = after("profile") {
        return Ok(vec![Effect::Switch { to: Whither::Profile(profile.to_owned()) }]);
    }
    if let Some(region) = after("region") {
        return Ok(vec![Effect::Switch { to: Whither::Region(region.to_owned()) }]);
    }
    if let Some(length) = after("since") {
        return since(model, length);
    }
    if let Some(filter) = after("grep") {
        model.logs.filter = pattern(filter)?;
        model.logs.refilter();
        return Ok(commands::show(model, Screen::Logs));
    }
    if let Some(route) = after("tunnel") {
        return input::open_tunnel(model, route);
    }
    if typed == "logs of" || after("logs of").is_some() {
        return logs_of(model, after("logs of").unwrap_or_default());
    }
    // A word that is typed in full, or as far as there is one choice.
    let fitting = fitting(typed);
    let word = match fitting.as_slice() {
        _ if fitting.iter().any(|(word, _)| word == typed) => typed,
        [(word, _)] => word,
        [] => return Err(format!("there is no command `{typed}`")),
        _ => {
            let words: Vec<&str> = fitting.iter().map(|(word, _)| word.as_str()).collect();
            return Err(format!("`{typed}` may be {}", words.join(", ")));
        }
    };
    if let Some((_, wanted)) = WITH_ARGUMENTS.iter().find(|(known, _)| *known == word && word != "tunnel") {
        return Err(format!("type {word} {wanted}"));
    }
    let command = BINDINGS.iter().map(|binding| binding.command).find(|command| command.word() == Some(word));
    let Some(command) = command else { return Err(format!("there is no command `{typed}`")) };
    let mut effects = home(command).map(|screen| commands::show(model, screen)).unwrap_or_default();
    effects.extend(commands::run(model, command));
    Ok(effects)
}

/// The screen on which a command means something.
const fn home(command: Command) -> Option<Screen> {
    Some(match command {
        Command::Follow
        | Command::Search
        | Command::Filter
        | Command::Sources
        | Command::Wrap
        | Command::Stamps
        | Command::Fold
        | Command::Mark
        | Command::Clear => Screen::Logs,
        Command::Stop | Command::Again | Command::RunLogs => Screen::Runs,
        Command::OpenTunnel | Command::CloseTunnel => Screen::Tunnels,
        _ => return None,
    })
}

fn switch(model: &Model, target: &str) -> Result<Vec<Effect>, String> {
    if model.targets.iter().any(|known| known == target) {
        return Ok(vec![Effect::Switch { to: Whither::Target(target.to_owned()) }]);
    }
    Err(format!("the targets are {}", model.targets.join(", ")))
}

fn since(model: &mut Model, length: &str) -> Result<Vec<Effect>, String> {
    let wanted = match length {
        "all" => None,
        length => Some(Millis::try_from(text::duration(length)?.as_millis()).unwrap_or(Millis::MAX)),
    };
    // The smallest window that reaches so far.
    let reaches = |window: Option<Millis>| match (window, wanted) {
        (None, _) => true,
        (Some(window), Some(wanted)) => window >= wanted,
        (Some(_), None) => false,
    };
    model.logs.window = WINDOWS.iter().position(|(window, _)| reaches(*window)).unwrap_or(WINDOWS.len() - 1);
    let mut effects = vec![super::logs::follow(model)];
    effects.extend(commands::show(model, Screen::Logs));
    Ok(effects)
}

fn logs_of(model: &mut Model, run: &str) -> Result<Vec<Effect>, String> {
    let rows = model.run_rows();
    let mut fitting = rows.iter().map(RunRow::run).filter(|id| id.to_string().starts_with(run));
    let found = match (run.is_empty(), fitting.next(), fitting.next()) {
        (true, ..) => None,
        (false, Some(run), None) => Some(run),
        (false, None, _) => return Err(format!("there is no run `{run}`")),
        (false, ..) => return Err(format!("several runs begin with `{run}`")),
    };
    model.logs.run = found;
    let mut effects = vec![super::logs::follow(model)];
    effects.extend(commands::show(model, Screen::Logs));
    Ok(effects)
}
