//! What is typed and chosen above a screen.

use clap::ValueEnum as _;

use super::commands::show;
use super::{logs, palette};
use crate::cli::TunnelTarget;
use crate::tui::effect::{Effect, Route, Whither};
use crate::tui::model::logs::pattern;
use crate::tui::model::tunnels::Tunnel;
use crate::tui::model::{Input, Model, Overlay, Purpose, Screen};
use crate::tui::msg::Edit;
use tunnel::{Bastion, Forwarding};

/// Nobody types more than this; a paste of a whole file does nothing useful.
const LONGEST: usize = 2000;

/// Changes what is typed.
pub(super) fn edit(model: &mut Model, edit: Edit) {
    let Some(Overlay::Input(input)) = &mut model.overlay else { return };
    input.error = None;
    match edit {
        Edit::Insert(character) if !character.is_control() && input.text.len() < LONGEST => {
            input.text.push(character);
        }
        Edit::Insert(_) => {}
        Edit::Paste(text) => {
            let room = LONGEST.saturating_sub(input.text.len());
            input.text.extend(text.chars().filter(|character| !character.is_control()).take(room));
        }
        Edit::Backspace => _ = input.text.pop(),
        Edit::Word => {
            let kept = input.text.trim_end().rfind(' ').map_or(0, |space| space + 1);
            input.text.truncate(kept);
        }
        Edit::Clear => input.text.clear(),
    }
    // What is looked for is found while it is typed.
    if let Input { purpose: Purpose::Search, text, .. } = input
        && let Ok(search) = pattern(text)
    {
        model.logs.search = search;
    }
}

/// Closes what is above the screen; nothing of it holds.
pub(super) fn cancel(model: &mut Model) {
    if let Some(Overlay::Input(Input { purpose: Purpose::Search, .. })) = model.overlay.take() {
        model.logs.search = None;
    }
}

/// What was typed or chosen holds.
pub(super) fn submit(model: &mut Model) -> Vec<Effect> {
    match model.overlay.take() {
        Some(Overlay::Input(input)) => match accept(model, &input) {
            Ok(effects) => effects,
            Err(error) => {
                model.overlay = Some(Overlay::Input(Input { error: Some(error), ..input }));
                Vec::new()
            }
        },
        Some(Overlay::Targets { at }) => match model.targets.get(at).cloned() {
            Some(target) if target != model.place.target => {
                vec![Effect::Switch { to: Whither::Target(target) }]
            }
            _ => Vec::new(),
        },
        // Choices hold at once; this only closes the box.
        Some(Overlay::Sources { .. }) | None => Vec::new(),
        Some(other) => {
            model.overlay = Some(other);
            Vec::new()
        }
    }
}

/// Chooses, or no longer.
pub(super) fn toggle(model: &mut Model) {
    if let Some(Overlay::Sources { at }) = &model.overlay {
        if let Some(source) = model.logs.sources.get_mut(*at) {
            source.hidden = !source.hidden;
        }
        model.logs.refilter();
    }
}

fn accept(model: &mut Model, input: &Input) -> Result<Vec<Effect>, String> {
    let text = input.text.trim();
    match input.purpose {
        Purpose::Palette => palette::run(model, text),
        Purpose::Search => {
            model.logs.search = pattern(text)?;
            let (width, height) = (usize::from(model.width), model.body().saturating_sub(1).max(1));
            // From the end, what was written last is found first.
            if model.logs.search.is_some() && !model.logs.find(!model.logs.following, width, height) {
                model.say(format!("nothing matches {text}"));
            }
            Ok(Vec::new())
        }
        Purpose::Filter => {
            model.logs.filter = pattern(text)?;
            model.logs.refilter();
            Ok(Vec::new())
        }
        Purpose::Tunnel => open_tunnel(model, text),
        Purpose::SaveLogs if text.is_empty() => Err("a file has a name".to_owned()),
        Purpose::SaveLogs => Ok(vec![Effect::Save { path: text.to_owned(), text: logs::shown_text(model) }]),
    }
}

/// `master`, or `5432:db.example:5432 ec2-user@bastion.example`
pub(super) fn open_tunnel(model: &mut Model, text: &str) -> Result<Vec<Effect>, String> {
    let words: Vec<&str> = text.split_whitespace().filter(|word| *word != "via" && *word != "-L").collect();
    let (forwarding, bastion, route) = match words.as_slice() {
        [name] if TunnelTarget::from_str(name, true).is_ok() => {
            if model.place.target != "aws" {
                return Err(format!("only the target aws knows where {name} is"));
            }
            let target = TunnelTarget::from_str(name, true)?;
            (target.name().to_owned(), String::new(), Route::Named(target))
        }
        [forwarding, bastion] => {
            forwarding.parse::<Forwarding>()?;
            bastion.parse::<Bastion>()?;
            let (forwarding, bastion) = ((*forwarding).to_owned(), (*bastion).to_owned());
            (forwarding.clone(), bastion.clone(), Route::Through { forwarding, bastion })
        }
        _ => return Err("type master, replica, metabase, or LOCAL-PORT:HOST:PORT USER@BASTION".to_owned()),
    };
    let id = model.ticket().0;
    model.tunnels.all.push(Tunnel::new(id, forwarding, bastion));
    model.tunnels.cursor.at = model.tunnels.all.len() - 1;
    let mut effects = show(model, Screen::Tunnels);
    effects.push(Effect::OpenTunnel { id, route });
    Ok(effects)
}
