//! The state machine of the screens: a message changes the model, and returns the effects to perform.
//!
//! Pure: no terminal, no I/O and no clock.

mod commands;
mod database;
mod health;
mod input;
mod logs;
mod navigate;
mod requests;
mod responses;
mod runs;
#[cfg(test)]
mod tests;

use chrono::TimeDelta;
use tui_input::InputRequest;

use super::model::{Command, Effect, Model, Motion, Msg};

const NOTICE_DURATION: TimeDelta = TimeDelta::seconds(8);

/// How long an error is shown unless a key dismisses it.
const ERROR_DURATION: TimeDelta = TimeDelta::seconds(60);

/// Processes a message, and returns the effects to perform.
pub fn update(model: &mut Model, msg: Msg) -> Vec<Effect> {
    let screen = model.screen;
    let mut effects = Vec::new();
    match msg {
        Msg::Command(command) => {
            // A key press dismisses an error.
            model.notice.take_if(|notice| notice.is_error);
            effects = match command {
                Command::Submit => input::submit(model),
                Command::Complete => input::complete(model),
                Command::Toggle => input::toggle(model),
                command => commands::run(model, command),
            };
        }
        Msg::Edit(request) => input::edit(model, [request]),
        Msg::Paste(text) => input::edit(model, text.chars().map(InputRequest::InsertChar)),
        Msg::Click { column, row } => navigate::click(model, column, row),
        Msg::Wheel { lines } => navigate::navigate(model, Motion::By(lines as isize)),
        Msg::Resize { width, height } => (model.width, model.height) = (width, height),
        Msg::Tick { now } => {
            model.now = now;
            let limit = |is_error| if is_error { ERROR_DURATION } else { NOTICE_DURATION };
            model.notice.take_if(|notice| now - notice.since > limit(notice.is_error));
            effects = requests::due(model);
        }
        response => effects = responses::receive(model, response),
    }
    if model.screen != screen {
        effects.extend(requests::due(model));
    }
    navigate::clamp_cursors(model);
    effects
}
