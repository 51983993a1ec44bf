//! Responses to requests, and events from outside.

use std::cmp::Reverse;

use super::requests::{due, reload};
use crate::tui::domain::{Location, Run};
use crate::tui::model::data::DataSummary;
use crate::tui::model::logs::{LogSource, Logs};
use crate::tui::model::tunnels::TunnelState;
use crate::tui::model::{Effect, LogEvent, Model, Msg, RequestId, Response, Step, TunnelEvent};
use crate::tui::text::sanitize;

/// Stores a response or an event; a stale response changes nothing.
pub(super) fn receive(model: &mut Model, msg: Msg) -> Vec<Effect> {
    let now = model.now;
    match msg {
        Msg::Components(id, response) => {
            let location = response.as_ref().ok().map(|(_, location)| location.clone());
            let components = response.map(|(components, _)| components);
            if model.overview.components.receive(id, components, now)
                && let Some(location) = location
            {
                model.location = location;
            }
        }
        Msg::Active(id, response) => {
            let is_known = model.runs.active.value.is_some();
            let ids = |model: &Model| model.runs.active.items().iter().map(|active| active.run).collect();
            let before: Vec<_> = ids(model);
            model.runs.active.receive(id, response, now);
            let after: Vec<_> = ids(model);
            model.runs.stopping.retain(|run| after.contains(run));
            // A run that began or ended elsewhere changes more than this list.
            if is_known && before != after {
                return reload(model);
            }
        }
        Msg::Runs(id, response) => receive_runs(model, id, response),
        Msg::RunDetails(id, response) => _ = model.runs.details.receive(id, response, now),
        Msg::Data(id, response) => receive_data(model, id, response),
        Msg::Rejected(id, response) => _ = model.data.rejected.receive(id, response, now),
        Msg::Reports(id, response) => _ = model.reports.list.receive(id, response, now),
        Msg::Report(id, response) => _ = model.reports.text.receive(id, response, now),
        Msg::Logs(id, event) if Some(id) == model.logs.request => receive_logs(model, event),
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
            let is_hidden =
                |name: &str| logs.sources.iter().any(|source| source.hidden && source.name == name);
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
    model.notify(format!("switched to {}", model.location));
    due(model)
}
