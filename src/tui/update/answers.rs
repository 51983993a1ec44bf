//! What comes from outside: answers, and what happens by itself.

use chrono::{DateTime, Utc};
use uuid::Uuid;

use super::ask;
use crate::tui::effect::{Effect, Ticket};
use crate::tui::model::tunnels::State;
use crate::tui::model::{Model, RunRow, Step};
use crate::tui::model::{data, logs::Logs, logs::Source, remote::Remote};
use crate::tui::msg::{Answer, LogNews, Msg, Trouble, TunnelNews};
use target::Location;
use target::Run;

/// Takes it in; whatever is stale changes nothing.
pub(super) fn take(model: &mut Model, msg: Msg) -> Vec<Effect> {
    let now = model.now;
    match msg {
        Msg::Parts { ticket, result } => {
            let place = result.as_ref().ok().map(|(_, place)| place.clone());
            if model.overview.parts.answer(ticket, result.map(|(parts, _)| parts), now)
                && let Some(place) = place
            {
                model.place = place;
            }
        }
        Msg::Active { ticket, result } => {
            let runs = |model: &Model| -> Option<Vec<Uuid>> {
                model.active.last.as_ref().map(|active| active.iter().map(|active| active.run).collect())
            };
            let before = runs(model);
            model.active.answer(ticket, result, now);
            let after = runs(model).unwrap_or_default();
            model.stopping.retain(|run| after.contains(run));
            // A run that has begun or ended elsewhere has changed more than this.
            if before.is_some_and(|before| before != after) {
                return again(model);
            }
        }
        Msg::Runs { ticket, result } => take_runs(model, ticket, result),
        Msg::RunDetails { ticket, result } => {
            if let Some(page) = &mut model.runs.page {
                page.details.answer(ticket, result, now);
            }
        }
        Msg::Data { ticket, result } => take_data(&mut model.data, ticket, result, now),
        Msg::Rejected { ticket, result } => {
            if let Some(page) = &mut model.data.page {
                page.rows.answer(ticket, result, now);
            }
        }
        Msg::Reports { ticket, result } => {
            model.reports.list.answer(ticket, result, now);
        }
        Msg::Report { ticket, result } => {
            if let Some(page) = &mut model.reports.page {
                page.text.answer(ticket, result, now);
            }
        }
        Msg::Logs { ticket, news } if ticket == model.logs.ticket => take_logs(model, news),
        Msg::Step { text } => {
            model.step = text.map(|text| Step { text, since: now });
            return again(model);
        }
        Msg::Started { run, kind } => {
            model.say(format!("{kind} {} has begun", short(run)));
            return again(model);
        }
        Msg::Ended { run, kind, code: 0 } => {
            model.say(format!("{kind} {} ended well", short(run)));
            return again(model);
        }
        Msg::Ended { run, kind, code } => {
            model.complain(Trouble {
                message: format!("{kind} {} ended with code {code}", short(run)),
                hint: Some("Enter on the Runs screen says why, l shows its log".to_owned()),
            });
            return again(model);
        }
        Msg::Done { text } => {
            model.say(text);
            return again(model);
        }
        Msg::Failed { trouble } => model.complain(trouble),
        Msg::Tunnel { id, news } => take_tunnel(model, id, news),
        Msg::Switched { place } => return switch(model, place),
        // The rest is taken elsewhere, or is stale.
        _ => {}
    }
    Vec::new()
}

/// What a change that was agreed to means for what is shown already.
pub(super) fn note_changes(model: &mut Model, effects: &[Effect]) {
    for effect in effects {
        if let Effect::Stop { run } = effect {
            model.stopping.push(*run);
            model.say(format!("{} is asked to end", short(*run)));
        }
    }
}

/// Asks at once what has just changed.
fn again(model: &mut Model) -> Vec<Effect> {
    let (parts, active, runs) = (model.ticket(), model.ticket(), model.ticket());
    model.overview.parts.ask(parts, model.now);
    model.active.ask(active, model.now);
    model.runs.history.ask(runs, model.now);
    let mut effects = vec![
        Effect::LoadParts { ticket: parts },
        Effect::LoadActive { ticket: active },
        Effect::LoadRuns { ticket: runs },
    ];
    // What was not there when the logs were asked for may be there now.
    if model.logs.asked && model.logs.sources.is_empty() {
        effects.push(super::logs::follow(model));
    }
    effects
}

fn take_runs(model: &mut Model, ticket: Ticket, result: Answer<Vec<Run>>) {
    // Whoever looks at a run keeps looking at it, whatever comes before it.
    let selected = model.run_rows().get(model.runs.cursor.at).map(RunRow::run);
    let at_top = model.runs.cursor.at == 0;
    let now = model.now;
    if model.runs.history.answer(ticket, result, now) && !at_top {
        let position = model.run_rows().iter().position(|row| Some(row.run()) == selected);
        model.runs.cursor.at = position.unwrap_or(model.runs.cursor.at);
    }
}

fn take_data(data: &mut data::Data, ticket: Ticket, result: Answer<Box<data::Answer>>, now: DateTime<Utc>) {
    let known = data.answer.last.as_mut().and_then(|answer| answer.charts.take());
    let result = result.map(|mut answer| {
        answer.charts = answer.charts.take().or_else(|| known.clone());
        answer
    });
    let failed = result.is_err();
    if !data.answer.answer(ticket, result, now) || failed {
        // It was not that answer's place; what was known still is.
        if let Some(answer) = &mut data.answer.last {
            answer.charts = known;
        }
    }
}

fn take_logs(model: &mut Model, news: LogNews) {
    match news {
        LogNews::Sources(names) => {
            let hidden =
                |name: &String| model.logs.sources.iter().any(|source| source.hidden && source.name == *name);
            let sources =
                names.into_iter().map(|name| Source { hidden: hidden(&name), name, came: 0 }).collect();
            model.logs.sources = sources;
            model.logs.refilter();
        }
        LogNews::Lines(lines) => model.logs.push(lines),
        LogNews::CaughtUp => model.logs.caught_up = true,
        LogNews::Note(note) => model.logs.note = Some(note),
        LogNews::Ended(trouble) => {
            model.logs.caught_up = true;
            model.logs.note = match trouble {
                Some(trouble) => Some(trouble.message),
                None => Some("the run has ended, this is all of its log".to_owned()),
            };
        }
    }
}

fn take_tunnel(model: &mut Model, id: u64, news: TunnelNews) {
    let Some(tunnel) = model.tunnels.all.iter_mut().find(|tunnel| tunnel.id == id) else { return };
    match news {
        TunnelNews::Ready { bastion, local, usage } => {
            tunnel.state = State::Up;
            (tunnel.bastion, tunnel.local, tunnel.usage) = (bastion, Some(local), Some(usage));
        }
        TunnelNews::Count { at, snapshot } => tunnel.count(at, snapshot),
        TunnelNews::Note { text, up } => {
            tunnel.said = Some(crate::tui::text::cells(&text));
            if tunnel.state != State::Opening {
                tunnel.state = if up { State::Up } else { State::Away };
            }
        }
        TunnelNews::Ended { trouble } => {
            tunnel.state = State::Closed(trouble.as_ref().map(|trouble| trouble.message.clone()));
            if let Some(trouble) = trouble {
                model.complain(trouble);
            }
        }
    }
}

/// Everything that was known is about another place.
fn switch(model: &mut Model, place: Location) -> Vec<Effect> {
    let window = model.logs.window;
    let fresh = Model::new(place, model.read_only, model.now, model.zone, (model.width, model.height));
    model.place = fresh.place;
    (model.overview, model.runs) = (fresh.overview, fresh.runs);
    (model.data, model.reports) = (fresh.data, fresh.reports);
    model.active = Remote::default();
    model.logs = Logs { window, wrap: model.logs.wrap, stamps: model.logs.stamps, ..Logs::default() };
    model.stopping.clear();
    model.say(format!("this is {} now", model.place));
    ask(model)
}

fn short(run: Uuid) -> String {
    run.to_string().chars().take(8).collect()
}
