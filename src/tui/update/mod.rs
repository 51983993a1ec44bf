//! The heart of the screens: what happens, and what is to be done about it.
//!
//! Pure: it changes the model and returns what it wants done. It knows no terminal, no target and no clock, so that a test can
//! tell any story to it. This file has what is common to all screens; what belongs to one is in its file.

mod answers;
mod commands;
mod input;
mod logs;
mod mouse;
mod palette;
mod runs;
#[cfg(test)]
mod tests;

pub(super) use self::palette::fitting;

use chrono::TimeDelta;

use super::effect::Effect;
use super::layout;
use super::model::list::Move;
use super::model::{Model, Overlay, Screen};
use super::msg::Msg;

/// How long a good notice stays.
const NOTICE: TimeDelta = TimeDelta::seconds(8);

/// How long a bad one stays; a key removes it earlier.
const BAD_NOTICE: TimeDelta = TimeDelta::seconds(60);

/// Takes in what happened; returns what to do.
pub fn update(model: &mut Model, msg: Msg) -> Vec<Effect> {
    match msg {
        Msg::Command(command) => commands::run(model, command),
        Msg::Edit(edit) => {
            input::edit(model, edit);
            Vec::new()
        }
        Msg::Click { column, row } => mouse::click(model, column, row),
        Msg::Wheel { lines } => {
            go(model, Move::By(lines as isize));
            Vec::new()
        }
        Msg::Resize { width, height } => {
            (model.width, model.height) = (width, height);
            settle(model);
            Vec::new()
        }
        Msg::Tick { now } => {
            model.now = now;
            let limit = |bad| if bad { BAD_NOTICE } else { NOTICE };
            if model.notice.as_ref().is_some_and(|notice| now - notice.since > limit(notice.bad)) {
                model.notice = None;
            }
            ask(model)
        }
        answer => {
            let effects = answers::take(model, answer);
            settle(model);
            effects
        }
    }
}

/// Asks whatever is old enough to be asked again: what the screen shows often, the rest seldom.
pub(super) fn ask(model: &mut Model) -> Vec<Effect> {
    let mut effects = Vec::new();
    let (now, screen) = (model.now, model.screen);
    // What is near answers quickly; elsewhere a question costs money and time.
    let quick = TimeDelta::seconds(if model.place.target == "local" { 3 } else { 15 });
    let slow = TimeDelta::seconds(60);
    // What changes without us begins or ends with a run, and those are looked for often; the rest can wait while none is there.
    let quiet = model.active.last.as_ref().is_some_and(Vec::is_empty);
    let often = if quiet { quick * 4 } else { quick };
    let pace = |wanted: bool| if wanted { often } else { slow };
    if model.active.due(now, quick) {
        let ticket = model.ticket();
        model.active.ask(ticket, now);
        effects.push(Effect::LoadActive { ticket });
    }
    if model.overview.parts.due(now, pace(screen == Screen::Overview)) {
        let ticket = model.ticket();
        model.overview.parts.ask(ticket, now);
        effects.push(Effect::LoadParts { ticket });
    }
    if model.runs.history.due(now, pace(matches!(screen, Screen::Overview | Screen::Runs))) {
        let ticket = model.ticket();
        model.runs.history.ask(ticket, now);
        effects.push(Effect::LoadRuns { ticket });
    }
    if screen == Screen::Data && model.data.answer.due(now, quick * 3) {
        effects.push(ask_for_data(model));
    }
    if screen == Screen::Reports && model.reports.list.due(now, quick * 3) {
        let ticket = model.ticket();
        model.reports.list.ask(ticket, now);
        effects.push(Effect::LoadReports { ticket });
    }
    if screen == Screen::Logs && !model.logs.asked {
        effects.push(logs::follow(model));
    }
    effects
}

fn ask_for_data(model: &mut Model) -> Effect {
    let ticket = model.ticket();
    model.data.answer.ask(ticket, model.now);
    Effect::LoadData { ticket, known: model.data.known() }
}

/// Moves in whatever is on top.
fn go(model: &mut Model, to: Move) {
    let (page, body) = (model.page(), model.body());
    match &mut model.overlay {
        Some(Overlay::Help { top } | Overlay::Text { top, .. }) => {
            let mut cursor = super::model::list::Cursor { at: *top, top: *top };
            let count = layout::overlay_lines(model);
            cursor.scroll(to, count, layout::overlay_page(model));
            if let Some(Overlay::Help { top } | Overlay::Text { top, .. }) = &mut model.overlay {
                *top = cursor.top;
            }
            return;
        }
        Some(Overlay::Sources { at }) => {
            *at = moved(*at, to, model.logs.sources.len());
            return;
        }
        Some(Overlay::Targets { at }) => {
            *at = moved(*at, to, model.targets.len());
            return;
        }
        Some(Overlay::Confirm(_) | Overlay::Input(_)) => return,
        None => {}
    }
    match model.screen {
        Screen::Overview => {
            let count = model.overview.parts.last.as_ref().map_or(0, Vec::len);
            model.overview.cursor.go(to, count, count.max(1));
        }
        Screen::Runs => runs::go(model, to),
        Screen::Logs => {
            let width = usize::from(model.width);
            model.logs.go(to, width, body.saturating_sub(1).max(1));
        }
        Screen::Data => {
            let count = model.data.issues().len();
            if let Some(opened) = &mut model.data.page {
                let count = opened.rows.last.as_ref().map_or(0, Vec::len);
                opened.cursor.go(to, count, page);
            } else {
                model.data.cursor.go(to, count, layout::issues_page(model));
            }
        }
        Screen::Reports => {
            if let Some(opened) = &mut model.reports.page {
                let count = opened.text.last.as_ref().map_or(0, |text| text.lines().count());
                opened.cursor.scroll(to, count, page);
            } else {
                let count = model.reports.list.last.as_ref().map_or(0, Vec::len);
                model.reports.cursor.go(to, count, page);
            }
        }
        Screen::Tunnels => model.tunnels.cursor.go(to, model.tunnels.all.len(), page),
    }
}

/// Keeps every cursor inside what there is.
fn settle(model: &mut Model) {
    let page = model.page();
    let runs = model.run_rows().len();
    model.runs.cursor.settle(runs, page);
    let count = |count: Option<usize>| count.unwrap_or(0);
    let parts = count(model.overview.parts.last.as_ref().map(Vec::len));
    model.overview.cursor.settle(parts, parts.max(1));
    model.reports.cursor.settle(count(model.reports.list.last.as_ref().map(Vec::len)), page);
    let issues = model.data.issues().len();
    let issues_page = layout::issues_page(model);
    model.data.cursor.settle(issues, issues_page);
    model.tunnels.cursor.settle(model.tunnels.all.len(), page);
    let (width, height) = (usize::from(model.width), model.body().saturating_sub(1).max(1));
    if !model.logs.following {
        model.logs.settle(width, height);
    }
}

fn moved(at: usize, to: Move, count: usize) -> usize {
    let at = match to {
        Move::By(by) => at.saturating_add_signed(by),
        Move::Top => 0,
        Move::Bottom => usize::MAX,
    };
    at.min(count.saturating_sub(1))
}
