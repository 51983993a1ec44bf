//! The command palette, and the parsers of all text inputs: text becomes an action.

use clap::ValueEnum as _;

use super::action::{Action, Command};
use super::domain::{Bastion, Forwarding, Millis, TunnelTarget};
use super::effect::{Route, SwitchTarget};
use super::keys::{BINDINGS, Scope};
use super::model::Model;
use super::model::logs::{WINDOWS, pattern};
use super::model::overlay::Purpose;
use super::model::runs::RunRow;
use common::text;

/// Commands that take an argument: the words, the argument and a description.
const WITH_ARGUMENT: [(&str, &str, &str); 6] = [
    ("target", "NAME", "switch the target: target NAME"),
    ("profile", "NAME", "switch to aws with a profile: profile NAME"),
    ("region", "NAME", "switch to aws in a region: region us-east-1"),
    ("since", "10m", "set how far back the logs go: since 10m"),
    ("grep", "REGEX", "show matching log lines only: grep REGEX"),
    ("logs of", "RUN", "show the log of one run: logs of RUN"),
];

/// All commands of the palette in alphabetical order, with a description.
pub fn commands() -> Vec<(&'static str, String)> {
    let bound = BINDINGS.iter().filter_map(|binding| {
        // The palette opens on every screen, so the description names the command's own.
        let help = match binding.scope {
            Scope::On(screen) | Scope::TopOf(screen) => format!("{}: {}", screen.name(), binding.help),
            _ => binding.help.to_owned(),
        };
        Some((binding.command.words()?, help))
    });
    let with_argument = WITH_ARGUMENT.into_iter().map(|(words, _, help)| (words, help.to_owned()));
    let mut commands: Vec<_> = bound.chain(with_argument).collect();
    commands.sort();
    commands.dedup_by_key(|(words, _)| *words);
    commands
}

/// The commands that start with `typed`.
pub fn matching(typed: &str) -> Vec<(&'static str, String)> {
    let typed = typed.trim_start().to_lowercase();
    commands().into_iter().filter(|(words, _)| words.starts_with(&typed)).collect()
}

/// Completes `typed` as far as it is unambiguous.
pub fn complete(typed: &str) -> Option<String> {
    let matching = matching(typed);
    let common = matching.iter().map(|(words, _)| *words).reduce(|common, words| {
        let same = common.bytes().zip(words.bytes()).take_while(|(a, b)| a == b).count();
        &common[..same]
    })?;
    let takes_argument = WITH_ARGUMENT.iter().any(|(words, ..)| *words == common);
    let space = if matching.len() == 1 && takes_argument { " " } else { "" };
    (common.len() >= typed.len()).then(|| format!("{common}{space}"))
}

/// Parses the text of an input; an empty palette is no action.
pub fn parse_input(model: &Model, purpose: Purpose, typed: &str) -> Result<Option<Action>, String> {
    let typed = typed.trim();
    Ok(Some(match purpose {
        Purpose::Palette if typed.is_empty() => return Ok(None),
        Purpose::Palette => parse(model, typed)?,
        Purpose::Search => Action::SearchLogs(pattern(typed)?),
        Purpose::Filter => Action::FilterLogs(pattern(typed)?),
        Purpose::Tunnel => Action::OpenTunnel(parse_route(model, typed)?),
        Purpose::SaveLogs if typed.is_empty() => return Err("type a file name".to_owned()),
        Purpose::SaveLogs => Action::SaveLogs { path: typed.to_owned() },
    }))
}

fn parse(model: &Model, typed: &str) -> Result<Action, String> {
    if matches!(typed, "q" | "q!" | "exit") {
        return Ok(Action::Command(Command::Quit));
    }
    let argument =
        |words: &str| typed.strip_prefix(words).and_then(|rest| rest.strip_prefix(' ')).map(str::trim);
    if let Some(name) = argument("target") {
        return parse_target(model, name);
    }
    if let Some(profile) = argument("profile") {
        return Ok(Action::SwitchTarget(SwitchTarget::Profile(profile.to_owned())));
    }
    if let Some(region) = argument("region") {
        return Ok(Action::SwitchTarget(SwitchTarget::Region(region.to_owned())));
    }
    if let Some(length) = argument("since") {
        return parse_window(length);
    }
    if let Some(filter) = argument("grep") {
        return Ok(Action::FilterLogs(pattern(filter)?));
    }
    if let Some(route) = argument("tunnel") {
        return Ok(Action::OpenTunnel(parse_route(model, route)?));
    }
    if typed == "logs of" {
        return Ok(Action::FollowRun(None));
    }
    if let Some(run) = argument("logs of") {
        return parse_run(model, run);
    }
    let matching = matching(typed);
    let words = match matching.as_slice() {
        _ if matching.iter().any(|(words, _)| *words == typed) => typed,
        [(words, _)] => words,
        [] => return Err(format!("unknown command `{typed}`")),
        _ => {
            let words: Vec<&str> = matching.iter().map(|(words, _)| *words).collect();
            return Err(format!("`{typed}` is ambiguous: {}", words.join(", ")));
        }
    };
    if let Some((_, argument, _)) = WITH_ARGUMENT.iter().find(|(known, ..)| *known == words) {
        return Err(format!("type {words} {argument}"));
    }
    let mut commands = BINDINGS.iter().map(|binding| binding.command);
    let command = commands.find(|command| command.words() == Some(words));
    let command = command.ok_or_else(|| format!("unknown command `{typed}`"))?;
    Ok(match command.screen() {
        Some(screen) => Action::CommandOn(screen, command),
        None => Action::Command(command),
    })
}

fn parse_target(model: &Model, name: &str) -> Result<Action, String> {
    if model.targets.iter().any(|known| known == name) {
        return Ok(Action::SwitchTarget(SwitchTarget::Target(name.to_owned())));
    }
    Err(format!("unknown target `{name}`; choose one of {}", model.targets.join(", ")))
}

/// Chooses the smallest window that reaches back far enough.
fn parse_window(length: &str) -> Result<Action, String> {
    let wanted = match length {
        "all" => None,
        length => Some(Millis::try_from(text::duration(length)?.as_millis()).unwrap_or(Millis::MAX)),
    };
    let reaches = |window: Option<Millis>| match (window, wanted) {
        (None, _) => true,
        (Some(window), Some(wanted)) => window >= wanted,
        (Some(_), None) => false,
    };
    let window = WINDOWS.iter().position(|(window, _)| reaches(*window)).unwrap_or(WINDOWS.len() - 1);
    Ok(Action::SetLogWindow(window))
}

fn parse_run(model: &Model, prefix: &str) -> Result<Action, String> {
    let rows = model.runs.rows();
    let mut runs = rows.iter().map(RunRow::id).filter(|id| id.to_string().starts_with(prefix));
    match (runs.next(), runs.next()) {
        _ if prefix.is_empty() => Ok(Action::FollowRun(None)),
        (Some(run), None) => Ok(Action::FollowRun(Some(run))),
        (None, _) => Err(format!("no run starts with `{prefix}`")),
        (Some(_), Some(_)) => Err(format!("several runs start with `{prefix}`")),
    }
}

/// Parses `replica` or `5432:db.example:5432 ec2-user@bastion.example`.
fn parse_route(model: &Model, typed: &str) -> Result<Route, String> {
    let words: Vec<&str> = typed.split_whitespace().filter(|word| !matches!(*word, "via" | "-L")).collect();
    match words.as_slice() {
        [name] if TunnelTarget::from_str(name, true).is_ok() => {
            if !model.location.capabilities.bastion {
                return Err(format!("`{name}` is known on the target aws only"));
            }
            TunnelTarget::from_str(name, true).map(Route::Named)
        }
        [forwarding, bastion] => {
            forwarding.parse::<Forwarding>()?;
            bastion.parse::<Bastion>()?;
            Ok(Route::Through { forwarding: (*forwarding).to_owned(), bastion: (*bastion).to_owned() })
        }
        _ => Err("type master, replica, metabase, or LOCAL-PORT:HOST:PORT USER@BASTION".to_owned()),
    }
}
