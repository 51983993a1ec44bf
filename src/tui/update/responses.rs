//! Responses to requests, and events from outside.

use std::cmp::Reverse;

use super::requests::{due, reload};
use super::{health, runs};
use crate::tui::domain::{
    Check, CheckOutcome, Component, ComponentState, Location, Run, SERVER_SOURCE, ServiceStatus,
};
use crate::tui::model::data::DataSummary;
use crate::tui::model::logs::{LogSource, Logs};
use crate::tui::model::tunnels::TunnelState;
use crate::tui::model::{Effect, LogEvent, Model, Msg, Remote, RequestId, Response, Step, TunnelEvent};
use crate::tui::text::{sanitize, short_id};

/// Stores a response or an event; a stale response changes nothing.
pub(super) fn receive(model: &mut Model, msg: Msg) -> Vec<Effect> {
    let now = model.now;
    match msg {
        Msg::Components(id, response) => {
            let location = response.as_ref().ok().map(|(_, location)| location.clone());
            let components = response.map(|(components, _)| components);
            let failed =
                components.as_ref().map_or_else(|_| Vec::new(), |components| newly_failed(model, components));
            if model.overview.components.receive(id, components, now)
                && let Some(location) = location
            {
                model.location = location;
                return failed;
            }
        }
        Msg::Active(id, response) => {
            let is_known = model.runs.active.value.is_some();
            let ids = |model: &Model| model.runs.active.items().iter().map(|active| active.run).collect();
            let before: Vec<_> = ids(model);
            model.runs.active.receive(id, response, now);
            let after: Vec<_> = ids(model);
            model.runs.stopping.retain(|run| after.contains(run));
            for run in before.iter().filter(|run| !after.contains(run)) {
                model.runs.wait_for(*run);
            }
            // A run that began or ended elsewhere changes more than this list.
            if is_known && before != after {
                return reload(model);
            }
        }
        Msg::Runs(id, response) => {
            receive_runs(model, id, response);
            return ended_runs(model);
        }
        Msg::Comparison(id, response) => {
            receive_and_show(model, |model| &mut model.runs.comparison, id, response, runs::show_comparison);
        }
        Msg::RunDetails(id, response) => _ = model.runs.details.receive(id, response, now),
        Msg::Data(id, response) => receive_data(model, id, response),
        Msg::Rejected(id, response) => _ = model.data.rejected.receive(id, response, now),
        Msg::Reports(id, response) => _ = model.reports.list.receive(id, response, now),
        Msg::Report(id, response) => _ = model.reports.text.receive(id, response, now),
        Msg::Activity(id, response) => {
            let is_expected = model.database.activity.receive(id, response.map(|activity| *activity), now);
            if is_expected {
                model.database.sample(now);
            }
        }
        Msg::Metrics(id, response) => {
            let is_expected = model.health.metrics.receive(id, response, now);
            if is_expected {
                model.health.sample();
            }
        }
        Msg::Changes(id, response) => {
            receive_and_show(model, |model| &mut model.health.changes, id, response, health::show_changes);
        }
        Msg::Cost(id, response) => {
            receive_and_show(model, |model| &mut model.health.cost, id, response, health::show_cost);
        }
        Msg::Tunnels(id, response) => receive_background_tunnels(model, id, response),
        Msg::Checks(id, response) => return receive_checks(model, id, response),
        Msg::Logs(id, event) if Some(id) == model.logs.request => receive_logs(model, event),
        // It may end before the next request for active runs.
        Msg::RunStarted(run) => model.runs.wait_for(run),
        Msg::Step(text) => {
            model.step = text.map(|text| Step { text, since: now });
            return reload(model);
        }
        Msg::Done(text) => {
            model.notify(text);
            return reload(model);
        }
        Msg::Failed(error) => {
            model.notify_error(error);
            return reload(model);
        }
        Msg::Tunnel(tunnel, event) => receive_tunnel(model, tunnel, event),
        Msg::TargetSwitched(location) => return switch_target(model, location),
        // The rest is user input, or stale.
        _ => {}
    }
    Vec::new()
}

/// Stores the answer to a question of the user, and shows it or why there is none.
fn receive_and_show<T>(
    model: &mut Model,
    remote: fn(&mut Model) -> &mut Remote<T>,
    id: RequestId,
    response: Response<T>,
    show: fn(&mut Model),
) {
    let now = model.now;
    if !remote(model).receive(id, response, now) {
        return;
    }
    match remote(model).error.clone() {
        Some(error) => model.notify_error(error),
        None => show(model),
    }
}

/// Gives a notice of the runs that have ended, now that the history says how.
fn ended_runs(model: &mut Model) -> Vec<Effect> {
    let history = model.runs.history.items();
    let ended =
        history.iter().filter(|run| model.runs.awaited.contains(&run.run_id) && run.finished_at.is_some());
    let ended: Vec<_> = ended.map(|run| (run.run_id, run.kind.clone(), run.status.clone())).collect();
    model.runs.awaited.retain(|run| ended.iter().all(|(ended, ..)| ended != run));
    model.runs.noticed.extend(ended.iter().map(|(run, ..)| *run));
    ended
        .into_iter()
        .map(|(run, kind, status)| Effect::Notify(format!("run {kind} {} {status}", short_id(&run))))
        .collect()
}

/// Gives a notice of components that fail and did not when they were last known.
fn newly_failed(model: &Model, components: &[Component]) -> Vec<Effect> {
    let before = model.overview.components.items();
    let was_well =
        |name: &str| before.iter().any(|known| known.name == name && known.state != ComponentState::Failed);
    // The end of a run has a notice of its own.
    let is_run = |name: &str| name.starts_with("last ") || name.starts_with("run ");
    let failed = components
        .iter()
        .filter(|component| component.state == ComponentState::Failed && !is_run(&component.name));
    let newly = failed.filter(|component| was_well(&component.name));
    newly.map(|component| Effect::Notify(format!("{} fails", component.name))).collect()
}

/// Stores the checks, worst first, and gives a notice of those that fail and did not before.
fn receive_checks(model: &mut Model, id: RequestId, response: Response<Vec<Check>>) -> Vec<Effect> {
    let before = model.health.checks.value.clone();
    let sorted = response.map(|mut checks| {
        checks.sort_by_key(|check| Reverse(check.outcome));
        checks
    });
    model.health.checks.receive(id, sorted, model.now);
    let was_well = |name: &str| {
        let known = before.iter().flatten().find(|check| check.name == name);
        known.is_some_and(|check| check.outcome != CheckOutcome::Failed)
    };
    let failed = model.health.checks.items().iter().filter(|check| check.outcome == CheckOutcome::Failed);
    let newly = failed.filter(|check| was_well(&check.name));
    newly.map(|check| Effect::Notify(format!("the check {} fails", check.name))).collect()
}

/// Stores the history. The selection stays on its run, or at the top.
fn receive_runs(model: &mut Model, id: RequestId, response: Response<Vec<Run>>) {
    let runs = &mut model.runs;
    let selected = runs.rows().get(runs.cursor.at).map(|row| row.id);
    if runs.history.receive(id, response, model.now) && runs.cursor.at > 0 {
        let position = runs.rows().iter().position(|row| Some(row.id) == selected);
        runs.cursor.at = position.unwrap_or(runs.cursor.at);
    }
}

/// Stores the summary. Known charts stay if the response leaves them out.
fn receive_data(model: &mut Model, id: RequestId, response: Response<Box<DataSummary>>) {
    let summary = &mut model.data.summary;
    let known = summary.value.as_ref().and_then(|summary| summary.charts.clone());
    if summary.receive(id, response, model.now)
        && let Some(summary) = &mut summary.value
    {
        summary.charts = summary.charts.take().or(known);
        summary.issues.sort_by_key(|issue| (issue.kind != "rejected", Reverse(issue.rows)));
    }
}

fn receive_logs(model: &mut Model, event: LogEvent) {
    let logs = &mut model.logs;
    match event {
        LogEvent::Sources(names) => {
            // The server's log is shown on request.
            let is_hidden = |name: &str| {
                let known = logs.sources.iter().find(|source| source.name == name);
                known.map_or(name == SERVER_SOURCE, |source| source.hidden)
            };
            let source = |name: String| LogSource { hidden: is_hidden(&name), name, received: 0 };
            logs.sources = names.into_iter().map(source).collect();
            logs.refilter();
        }
        LogEvent::Lines(lines) => logs.push(lines),
        LogEvent::CaughtUp => logs.caught_up = true,
        LogEvent::Status(status) => logs.status = Some(status),
        LogEvent::Ended(error) => {
            logs.caught_up = true;
            let ended = || "the run has ended; this is its complete log".to_owned();
            logs.status = Some(error.map_or_else(ended, |error| error.message));
        }
    }
}

fn receive_background_tunnels(model: &mut Model, id: RequestId, response: Response<Vec<ServiceStatus>>) {
    if model.tunnels.background.receive(id, response, model.now) {
        model.tunnels.show_background(model.now.timestamp_millis());
    }
}

fn receive_tunnel(model: &mut Model, tunnel: u64, event: TunnelEvent) {
    let Some(tunnel) = model.tunnels.all.iter_mut().find(|other| other.id == tunnel) else { return };
    match event {
        TunnelEvent::Ready { bastion, local, usage } => {
            tunnel.state = TunnelState::Open;
            (tunnel.bastion, tunnel.local, tunnel.usage) = (bastion, Some(local), Some(usage));
        }
        TunnelEvent::Counters { at, snapshot } => tunnel.update_counters(at, snapshot),
        TunnelEvent::Status { text, up } => {
            tunnel.status = Some(sanitize(&text));
            if tunnel.state != TunnelState::Opening {
                tunnel.state = if up { TunnelState::Open } else { TunnelState::Disconnected };
            }
        }
        TunnelEvent::Ended(error) => {
            tunnel.state = TunnelState::Closed(error.as_ref().map(|error| error.message.clone()));
            if let Some(error) = error {
                model.notify_error(error);
            }
        }
    }
}

/// Forgets the old target, except for its tunnels and the display options.
fn switch_target(model: &mut Model, location: Location) -> Vec<Effect> {
    let fresh = Model::new(
        location,
        model.targets.clone(),
        model.read_only,
        model.now,
        model.zone,
        (model.width, model.height),
    );
    let Logs { wrap, timestamps, window, .. } = model.logs;
    model.location = fresh.location;
    (model.overview, model.runs, model.data, model.reports) =
        (fresh.overview, fresh.runs, fresh.data, fresh.reports);
    model.logs = Logs { wrap, timestamps, window, ..fresh.logs };
    (model.database, model.health) = (fresh.database, fresh.health);
    model.tunnels.background = fresh.tunnels.background;
    model.tunnels.show_background(model.now.timestamp_millis());
    model.notify(format!("switched to {}", model.location));
    due(model)
}
