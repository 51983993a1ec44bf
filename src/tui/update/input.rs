//! Text inputs and choices: editing them, and doing what they mean.

use common::text;
use tui_input::InputRequest;
use uuid::Uuid;

use super::{commands, logs, requests, runs};
use crate::tui::domain::{Condition, Forwarding, JobKind, Millis, SshHost, complete_condition, parse_time};
use crate::tui::model::logs::{WINDOWS, pattern};
use crate::tui::model::overlay::{Overlay, Purpose, TextInput};
use crate::tui::model::{Command, Effect, Model, Route, Screen, SwitchTarget};
use crate::tui::palette;

/// In bytes; a larger paste is cut.
const MAX_INPUT_LEN: usize = 2000;

pub(super) fn edit(model: &mut Model, requests: impl IntoIterator<Item = InputRequest>) {
    let Some(Overlay::Input(TextInput { purpose, input, error })) = &mut model.overlay else { return };
    *error = None;
    for request in requests {
        match request {
            InputRequest::InsertChar(character)
                if character.is_control() || input.value().len() + character.len_utf8() > MAX_INPUT_LEN => {}
            request => _ = input.handle(request),
        }
    }
    // Incremental search: an incomplete expression keeps the one before.
    if *purpose == Purpose::Search
        && let Ok(search) = pattern(input.value())
    {
        model.logs.search = search;
    }
}

/// Completes the command in the palette or the condition; the cursor moves to its end.
pub(super) fn complete(model: &mut Model) -> Vec<Effect> {
    if let Some(Overlay::Input(TextInput { purpose: Purpose::Where, input, .. })) = &mut model.overlay {
        let completion = complete_condition(input.value(), &model.logs.field_names);
        if let Some(common) = palette::common_start(completion.candidates.iter().map(String::as_str)) {
            let kept = &input.value()[..input.value().len() - completion.replaces];
            let space = if completion.candidates.len() == 1 { " " } else { "" };
            *input = format!("{kept}{common}{space}").into();
        }
        return Vec::new();
    }
    if let Some(Overlay::Input(TextInput { purpose: Purpose::Palette, input, .. })) = &mut model.overlay
        && let Some(completed) = palette::complete(input.value())
    {
        *input = completed.into();
    }
    Vec::new()
}

/// Closes an input or a choice, and does what it means. Text that cannot be parsed stays, with the error.
pub(super) fn submit(model: &mut Model) -> Vec<Effect> {
    match model.overlay.take() {
        Some(Overlay::Input(input)) => accept(model, input.purpose, input.input.value().trim())
            .unwrap_or_else(|error| {
                let input = at_error(model, input);
                model.overlay = Some(Overlay::Input(TextInput { error: Some(error), ..input }));
                Vec::new()
            }),
        Some(Overlay::Patterns(cursor)) => logs::unfold_pattern(model, cursor.at),
        Some(Overlay::Targets(cursor)) => {
            let chosen = model.targets.get(cursor.at).filter(|target| **target != model.location.target);
            chosen.map(|target| switch(SwitchTarget::Target, target)).unwrap_or_default()
        }
        // Sources are toggled at once.
        _ => Vec::new(),
    }
}

/// Moves the cursor of a wrong condition to the place that is wrong.
fn at_error(model: &Model, mut input: TextInput) -> TextInput {
    if input.purpose == Purpose::Where
        && let Err(error) = Condition::parse(input.input.value(), model.now.with_timezone(&model.zone))
    {
        input.input = input.input.with_cursor(error.position());
    }
    input
}

/// Does what the text of an input means; an empty palette does nothing.
fn accept(model: &mut Model, purpose: Purpose, typed: &str) -> Result<Vec<Effect>, String> {
    Ok(match purpose {
        Purpose::Palette if typed.is_empty() => Vec::new(),
        Purpose::Palette => run(model, typed)?,
        Purpose::Search => logs::search(model, pattern(typed)?),
        Purpose::Filter => logs::filter(model, pattern(typed)?),
        Purpose::Where if typed.is_empty() => logs::filter_by_fields(model, None),
        Purpose::Where => {
            let now = model.now.with_timezone(&model.zone);
            let condition = Condition::parse(typed, now).map_err(|error| error.message().to_owned())?;
            logs::filter_by_fields(model, Some(condition))
        }
        Purpose::Time => {
            let now = model.now.with_timezone(&model.zone);
            logs::go_to_time(model, parse_time(typed)?.since(&now))
        }
        Purpose::Tunnel => vec![commands::open_tunnel(model, parse_route(model, typed)?)],
        Purpose::SaveLogs if typed.is_empty() => return Err("type a file name".to_owned()),
        Purpose::SaveLogs => {
            vec![Effect::SaveText { path: typed.to_owned(), text: logs::shown_text(model) }]
        }
    })
}

/// Runs a command of the palette: a whole one, or an unambiguous prefix of one without an argument.
fn run(model: &mut Model, typed: &str) -> Result<Vec<Effect>, String> {
    let argument = |words| Some((words, typed.strip_prefix(words)?.strip_prefix(' ')?.trim()));
    let words = ["target", "profile", "region", "since", "grep", "run", "tunnel", "logs of"];
    Ok(match words.into_iter().find_map(argument) {
        _ if matches!(typed, "q" | "q!" | "exit") => commands::run(model, Command::Quit),
        _ if typed == "logs of" => runs::follow(model, None),
        Some(("target", name)) if model.targets.iter().any(|target| target == name) => {
            switch(SwitchTarget::Target, name)
        }
        Some(("target", name)) => {
            return Err(format!("unknown target `{name}`; choose one of {}", model.targets.join(", ")));
        }
        Some(("profile", name)) => switch(SwitchTarget::Profile, name),
        Some(("region", name)) => switch(SwitchTarget::Region, name),
        Some(("since", length)) => {
            model.logs.window = parse_window(length)?;
            model.show(Screen::Logs);
            vec![requests::follow_logs(model)]
        }
        Some(("grep", filter)) => logs::filter(model, pattern(filter)?),
        Some(("run", job)) if palette::parse(typed).is_err() => {
            runs::start(model, vec![JobKind::from(job.to_owned())], None);
            Vec::new()
        }
        Some(("tunnel", route)) => vec![commands::open_tunnel(model, parse_route(model, route)?)],
        Some(("run", _)) | None => parsed(model, typed)?,
        Some((_, prefix)) => {
            let run = parse_run(model, prefix)?;
            runs::follow(model, Some(run))
        }
    })
}

/// Runs a command without an argument.
fn parsed(model: &mut Model, typed: &str) -> Result<Vec<Effect>, String> {
    let (screen, command) = palette::parse(typed)?;
    if let Some(screen) = screen {
        model.show(screen);
    }
    Ok(commands::run(model, command))
}

fn switch(to: fn(String) -> SwitchTarget, name: &str) -> Vec<Effect> {
    vec![Effect::SwitchTarget(to(name.to_owned()))]
}

/// Returns the smallest window that reaches back far enough.
fn parse_window(length: &str) -> Result<usize, String> {
    let wanted = match length {
        "all" => Millis::MAX,
        length => Millis::try_from(text::duration(length)?.as_millis()).unwrap_or(Millis::MAX),
    };
    let window = WINDOWS.iter().position(|(window, _)| window.is_none_or(|window| window >= wanted));
    Ok(window.unwrap_or(WINDOWS.len() - 1))
}

fn parse_run(model: &Model, prefix: &str) -> Result<Uuid, String> {
    let rows = model.runs.rows();
    let mut runs = rows.iter().map(|row| row.id).filter(|id| id.to_string().starts_with(prefix));
    match (runs.next(), runs.next()) {
        (Some(run), None) => Ok(run),
        (None, _) => Err(format!("no run starts with `{prefix}`")),
        (Some(_), Some(_)) => Err(format!("several runs start with `{prefix}`")),
    }
}

/// Parses `replica` or `5432:db.example:5432 ec2-user@bastion.example`.
fn parse_route(model: &Model, typed: &str) -> Result<Route, String> {
    let words: Vec<&str> = typed.split_whitespace().filter(|word| !matches!(*word, "via" | "-L")).collect();
    match words.as_slice() {
        [name] if !name.contains(':') => {
            if !model.location.capabilities.bastion {
                return Err(format!("`{name}` is known on a target with a bastion only"));
            }
            Ok(Route::Named((*name).to_owned()))
        }
        [forwarding, bastion] => {
            forwarding.parse::<Forwarding>()?;
            bastion.parse::<SshHost>()?;
            Ok(Route::Through { forwarding: (*forwarding).to_owned(), bastion: (*bastion).to_owned() })
        }
        _ => Err("type the name of a database or service, or LOCAL-PORT:HOST:PORT [USER@]BASTION".to_owned()),
    }
}

/// Shows or hides the selected log source.
pub(super) fn toggle(model: &mut Model) -> Vec<Effect> {
    if let Some(Overlay::Sources(cursor)) = &model.overlay {
        if let Some(source) = model.logs.sources.get_mut(cursor.at) {
            source.hidden = !source.hidden;
        }
        model.logs.refilter();
    }
    Vec::new()
}
