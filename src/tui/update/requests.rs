//! Which requests are due, and how they are made.

use chrono::TimeDelta;

use crate::tui::model::logs::WINDOWS;
use crate::tui::model::{Effect, Model, Request, Screen};

/// How often values are requested that are cheap to get on this machine, and elsewhere.
const LOCAL_INTERVAL: TimeDelta = TimeDelta::seconds(3);
const REMOTE_INTERVAL: TimeDelta = TimeDelta::seconds(15);

/// How often tunnels of other processes of this machine are asked for their state.
const TUNNELS_INTERVAL: TimeDelta = TimeDelta::seconds(2);

/// How often values are requested that the screen does not show.
const BACKGROUND_INTERVAL: TimeDelta = TimeDelta::seconds(60);

/// Starts a request; only the response to it will be accepted.
pub(super) fn start(model: &mut Model, request: Request) -> Effect {
    let (id, now) = (model.next_request(), model.now);
    match request {
        Request::Components => model.overview.components.start(id, now),
        Request::Active => model.runs.active.start(id, now),
        Request::Runs => model.runs.history.start(id, now),
        Request::CompareRuns { .. } => model.runs.comparison.start(id, now),
        Request::RunDetails(_) => model.runs.details.start(id, now),
        Request::Data { .. } => model.data.summary.start(id, now),
        Request::Rejected { .. } => model.data.rejected.start(id, now),
        Request::Reports => model.reports.list.start(id, now),
        Request::Report(_) => model.reports.text.start(id, now),
        Request::Activity => model.database.activity.start(id, now),
        Request::Checks => model.health.checks.start(id, now),
        Request::Metrics => model.health.metrics.start(id, now),
        Request::Changes => model.health.changes.start(id, now),
        Request::Cost => model.health.cost.start(id, now),
        Request::Tunnels => model.tunnels.background.start(id, now),
        Request::Logs { .. } => model.logs.start(id),
    }
    Effect::Request(id, request)
}

/// Requests what is due: often what the screen shows, rarely the rest.
pub(super) fn due(model: &mut Model) -> Vec<Effect> {
    let (now, screen) = (model.now, model.screen);
    let base = if model.has_services() { LOCAL_INTERVAL } else { REMOTE_INTERVAL };
    // Most changes begin or end with a run. Active runs are polled often, the rest less often while there is none.
    let is_idle = model.runs.active.value.as_ref().is_some_and(Vec::is_empty);
    let shown = if is_idle { base * 4 } else { base };
    let interval = |is_shown: bool| if is_shown { shown } else { BACKGROUND_INTERVAL };
    let is_summary = matches!(screen, Screen::Overview | Screen::Runs);
    let shows_database = matches!(screen, Screen::Database | Screen::Health);
    // CloudWatch has a value every few minutes, and each that is read costs.
    let metrics_interval = if model.has_services() { base } else { BACKGROUND_INTERVAL };
    let requests = [
        (Request::Active, model.runs.active.is_due(now, base)),
        (Request::Components, model.overview.components.is_due(now, interval(screen == Screen::Overview))),
        (Request::Runs, model.runs.history.is_due(now, interval(is_summary))),
        (data(model), screen == Screen::Data && model.data.summary.is_due(now, base * 3)),
        (Request::Reports, screen == Screen::Reports && model.reports.list.is_due(now, base * 3)),
        (Request::Activity, shows_database && model.database.activity.is_due(now, base)),
        (
            Request::Checks,
            screen == Screen::Health && model.health.checks.is_due(now, BACKGROUND_INTERVAL / 2),
        ),
        (Request::Metrics, screen == Screen::Health && model.health.metrics.is_due(now, metrics_interval)),
        (Request::Tunnels, model.tunnels.background.is_due(now, tunnels_interval(screen))),
        (logs(model), screen == Screen::Logs && model.logs.request.is_none()),
    ];
    let due = requests.into_iter().filter(|(_, is_due)| *is_due);
    due.map(|(request, _)| start(model, request)).collect()
}

const fn tunnels_interval(screen: Screen) -> TimeDelta {
    match screen {
        Screen::Tunnels => TUNNELS_INTERVAL,
        _ => BACKGROUND_INTERVAL,
    }
}

/// Requests what the Overview shows.
fn reload_summary(model: &mut Model) -> Vec<Effect> {
    [Request::Components, Request::Active, Request::Runs, Request::Tunnels]
        .map(|request| start(model, request))
        .into()
}

/// Requests at once what a run or another change may have changed.
pub(super) fn reload(model: &mut Model) -> Vec<Effect> {
    let mut effects = reload_summary(model);
    // Sources that did not exist before may exist now.
    if model.logs.request.is_some() && model.logs.sources.is_empty() {
        effects.push(follow_logs(model));
    }
    effects
}

/// Requests at once what the screen shows.
pub(super) fn refresh(model: &mut Model) -> Vec<Effect> {
    let mut effects = reload_summary(model);
    match model.screen {
        Screen::Data => {
            if let Some(summary) = &mut model.data.summary.value {
                summary.charts = None;
            }
            effects.push(start(model, data(model)));
        }
        Screen::Reports => effects.push(start(model, Request::Reports)),
        Screen::Logs => effects.push(follow_logs(model)),
        Screen::Database => effects.push(start(model, Request::Activity)),
        Screen::Health => effects.push(start(model, Request::Checks)),
        Screen::Overview | Screen::Runs | Screen::Tunnels => {}
    }
    effects
}

fn data(model: &Model) -> Request {
    Request::Data { known_charts: model.data.known_charts() }
}

fn logs(model: &Model) -> Request {
    let since = WINDOWS[model.logs.window].0.map_or(0, |window| model.now.timestamp_millis() - window);
    Request::Logs { since, run: model.logs.run }
}

/// Follows the logs from the start of the window, with an empty screen.
pub(super) fn follow_logs(model: &mut Model) -> Effect {
    start(model, logs(model))
}
