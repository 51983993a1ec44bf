//! Text inputs and choices.

use tui_input::InputRequest;

use crate::tui::action::Action;
use crate::tui::effect::SwitchTarget;
use crate::tui::model::Model;
use crate::tui::model::logs::pattern;
use crate::tui::model::overlay::{Overlay, Purpose, TextInput};
use crate::tui::palette;

/// In bytes; a larger paste is cut.
const MAX_INPUT_LEN: usize = 2000;

pub(super) fn edit(model: &mut Model, request: InputRequest) {
    change(model, std::iter::once(request));
}

pub(super) fn paste(model: &mut Model, text: &str) {
    change(model, text.chars().map(InputRequest::InsertChar));
}

fn change(model: &mut Model, requests: impl Iterator<Item = InputRequest>) {
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

/// Completes the command in the palette; the cursor moves to its end.
pub(super) fn complete(model: &mut Model) {
    if let Some(Overlay::Input(TextInput { purpose: Purpose::Palette, input, .. })) = &mut model.overlay
        && let Some(completed) = palette::complete(input.value())
    {
        *input = completed.into();
    }
}

/// Closes an input or a choice, and returns what it means. Text that cannot be parsed stays, with the error.
pub(super) fn submit(model: &mut Model) -> Option<Action> {
    match model.overlay.take()? {
        Overlay::Input(input) => match palette::parse_input(model, input.purpose, input.input.value()) {
            Ok(action) => action,
            Err(error) => {
                model.overlay = Some(Overlay::Input(TextInput { error: Some(error), ..input }));
                None
            }
        },
        Overlay::Targets(cursor) => {
            let chosen = model.targets.get(cursor.at).filter(|target| **target != model.location.target);
            chosen.map(|target| Action::SwitchTarget(SwitchTarget::Target(target.clone())))
        }
        // Sources are toggled at once.
        Overlay::Sources(_) => None,
        other => {
            model.overlay = Some(other);
            None
        }
    }
}

/// Shows or hides the selected log source.
pub(super) fn toggle(model: &mut Model) {
    if let Some(Overlay::Sources(cursor)) = &model.overlay {
        if let Some(source) = model.logs.sources.get_mut(cursor.at) {
            source.hidden = !source.hidden;
        }
        model.logs.refilter();
    }
}
