//! Which requests are due, and how they are made.

use chrono::TimeDelta;

use crate::tui::effect::Effect;
use crate::tui::model::Model;
use crate::tui::model::logs::WINDOWS;
use crate::tui::screen::Screen;

/// How often values are requested that are cheap to get on this machine, and elsewhere.
const LOCAL_INTERVAL: TimeDelta = TimeDelta::seconds(3);
const REMOTE_INTERVAL: TimeDelta = TimeDelta::seconds(15);

/// How often values are requested that the screen does not show.
const BACKGROUND_INTERVAL: TimeDelta = TimeDelta::seconds(60);

/// Requests what is due: often what the screen shows, rarely the rest.
pub(super) fn due(model: &mut Model) -> Vec<Effect> {
    let (now, screen) = (model.now, model.screen);
    let base = if model.has_services() { LOCAL_INTERVAL } else { REMOTE_INTERVAL };
    // Most changes begin or end with a run. Active runs are polled often, the rest less often while there is none.
    let is_idle = model.runs.active.value.as_ref().is_some_and(Vec::is_empty);
    let shown = if is_idle { base * 4 } else { base };
    let interval = |is_shown: bool| if is_shown { shown } else { BACKGROUND_INTERVAL };
    let mut effects = Vec::new();
    if model.runs.active.is_due(now, base) {
        effects.push(load_active(model));
    }
    if model.overview.components.is_due(now, interval(screen == Screen::Overview)) {
        effects.push(load_components(model));
    }
    if model.runs.history.is_due(now, interval(matches!(screen, Screen::Overview | Screen::Runs))) {
        effects.push(load_runs(model));
    }
    if screen == Screen::Data && model.data.summary.is_due(now, base * 3) {
        effects.push(load_data(model));
    }
    if screen == Screen::Reports && model.reports.list.is_due(now, base * 3) {
        effects.push(load_reports(model));
    }
    if screen == Screen::Logs && !model.logs.is_requested {
        effects.push(follow_logs(model));
    }
    effects
}

/// Requests at once what a run or another change may have changed.
pub(super) fn reload(model: &mut Model) -> Vec<Effect> {
    let mut effects = vec![load_components(model), load_active(model), load_runs(model)];
    // Sources that did not exist before may exist now.
    if model.logs.is_requested && model.logs.sources.is_empty() {
        effects.push(follow_logs(model));
    }
    effects
}

/// Requests at once what the screen shows.
pub(super) fn refresh(model: &mut Model) -> Vec<Effect> {
    let mut effects = vec![load_components(model), load_active(model), load_runs(model)];
    match model.screen {
        Screen::Data => {
            if let Some(summary) = &mut model.data.summary.value {
                summary.charts = None;
            }
            effects.push(load_data(model));
        }
        Screen::Reports => effects.push(load_reports(model)),
        Screen::Logs => effects.push(follow_logs(model)),
        Screen::Overview | Screen::Runs | Screen::Tunnels => {}
    }
    effects
}

fn load_components(model: &mut Model) -> Effect {
    Effect::LoadComponents { id: model.request(|model| &mut model.overview.components) }
}

fn load_active(model: &mut Model) -> Effect {
    Effect::LoadActive { id: model.request(|model| &mut model.runs.active) }
}

fn load_runs(model: &mut Model) -> Effect {
    Effect::LoadRuns { id: model.request(|model| &mut model.runs.history) }
}

fn load_data(model: &mut Model) -> Effect {
    let id = model.request(|model| &mut model.data.summary);
    Effect::LoadData { id, known_charts: model.data.known_charts() }
}

fn load_reports(model: &mut Model) -> Effect {
    Effect::LoadReports { id: model.request(|model| &mut model.reports.list) }
}

/// Follows the logs from the start of the window, with an empty screen.
pub(super) fn follow_logs(model: &mut Model) -> Effect {
    let id = model.next_request();
    let logs = &mut model.logs;
    (logs.request, logs.is_requested, logs.caught_up, logs.status) = (id, true, false, None);
    logs.clear();
    for source in &mut logs.sources {
        source.received = 0;
    }
    let since = WINDOWS[logs.window].0.map_or(0, |window| model.now.timestamp_millis() - window);
    Effect::FollowLogs { id, since, run: logs.run }
}
