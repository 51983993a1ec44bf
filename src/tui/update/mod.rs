//! The state machine of the screens: a message changes the model, and returns the effects to perform.
//!
//! Pure: no terminal, no I/O and no clock. Input becomes an action, and only this file dispatches actions.

mod commands;
mod input;
mod logs;
mod navigate;
mod requests;
mod responses;
mod runs;
#[cfg(test)]
mod tests;

use chrono::TimeDelta;

use super::action::{Action, Command};
use super::effect::Effect;
use super::model::Model;
use super::model::list::Motion;
use super::msg::Msg;
use super::request::UserError;
use super::screen::Screen;

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
            effects = dispatch(model, Action::Command(command));
        }
        Msg::Edit(request) => input::edit(model, request),
        Msg::Paste(text) => input::paste(model, &text),
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

fn dispatch(model: &mut Model, action: Action) -> Vec<Effect> {
    match action {
        Action::Command(Command::Submit) => {
            input::submit(model).map(|action| dispatch(model, action)).unwrap_or_default()
        }
        Action::Command(command) => {
            if command.changes_target() && model.read_only {
                let hint = "restart without --read-only to start and stop runs";
                model.notify_error(UserError::new("not allowed: this is read-only", hint));
                return Vec::new();
            }
            commands::run(model, command)
        }
        Action::CommandOn(screen, command) => {
            model.show(screen);
            dispatch(model, Action::Command(command))
        }
        Action::SwitchTarget(to) => vec![Effect::SwitchTarget(to)],
        Action::SearchLogs(search) => {
            logs::search(model, search);
            Vec::new()
        }
        Action::FilterLogs(filter) => {
            model.logs.set_filter(filter);
            model.show(Screen::Logs);
            Vec::new()
        }
        Action::SetLogWindow(window) => {
            model.logs.window = window;
            model.show(Screen::Logs);
            vec![requests::follow_logs(model)]
        }
        Action::FollowRun(run) => runs::follow(model, run),
        Action::SaveLogs { path } => vec![Effect::SaveText { path, text: logs::shown_text(model) }],
        Action::OpenTunnel(route) => vec![commands::open_tunnel(model, route)],
    }
}
