//! What each command does.

use super::{database, health, logs, navigate, requests, runs};
use crate::tui::domain::{Component, ComponentState, FULL_PIPELINE, JobKind};
use crate::tui::layout;
use crate::tui::model::overlay::{Overlay, Purpose};
use crate::tui::model::tunnels::Tunnel;
use crate::tui::model::{Command, Cursor, Effect, Model, Motion, Remote, Request, Route, Screen, UserError};
use crate::tui::text::{sanitize, short_id, truncate, wrap_words};

pub(super) fn run(model: &mut Model, command: Command) -> Vec<Effect> {
    let page = isize::try_from(layout::page_rows(model)).unwrap_or(1);
    match command {
        _ if command.changes_target() && model.read_only => {
            let hint = "restart without --read-only to start and stop runs";
            model.notify_error(UserError::new("not allowed: this is read-only", hint));
        }
        Command::Show(screen) => model.show(screen),
        Command::NextScreen => model.show(model.screen.step(1)),
        Command::PreviousScreen => model.show(model.screen.step(-1)),
        Command::Close if model.page_is_open() => model.close_page(),
        Command::Close | Command::Quit => model.quit = true,
        Command::Back => model.go_back(),
        Command::No => model.close_overlay(),
        Command::Yes => return confirmed(model),
        Command::Help => model.overlay = Some(Overlay::Help(Cursor::default())),
        Command::Palette => model.open_input(Purpose::Palette, ""),
        Command::Targets => {
            let current = model.targets.iter().position(|target| *target == model.location.target);
            model.overlay = Some(Overlay::Targets(Cursor { at: current.unwrap_or(0), top: 0 }));
        }
        Command::Refresh => return requests::refresh(model),
        Command::Suspend => return vec![Effect::Suspend],
        Command::Redraw => return vec![Effect::Redraw],
        Command::Up => navigate::navigate(model, Motion::By(-1)),
        Command::Down => navigate::navigate(model, Motion::By(1)),
        Command::PageUp => navigate::navigate(model, Motion::By(-page)),
        Command::PageDown => navigate::navigate(model, Motion::By(page)),
        Command::Top => navigate::navigate(model, Motion::Top),
        Command::Bottom => navigate::navigate(model, Motion::Bottom),
        Command::Open => return open(model).into_iter().collect(),
        Command::Copy => return copy(model).into_iter().collect(),
        Command::Save if model.screen == Screen::Reports => {
            let name = model.reports.selected().map(str::to_owned);
            return name.map(Effect::SaveReport).into_iter().collect();
        }
        Command::BringUp if model.has_services() => {
            model.confirm("Bring the target up?", vec![], vec![Effect::BringUp]);
        }
        Command::BringUp => model.notify_error(UserError::new(
            "stacks are created on the command line, which shows the changes first",
            format!("covidctl --target {} up", model.location.target),
        )),
        Command::StartEtl => runs::start(model, vec![JobKind::Etl], None),
        Command::StartReport => runs::start(model, vec![JobKind::Report], None),
        Command::StartAll => runs::start(model, FULL_PIPELINE.to_vec(), None),
        Command::Stop => runs::stop(model),
        Command::Rerun => runs::rerun(model),
        Command::RunLogs => {
            return model.runs.selected().map(|run| runs::follow(model, Some(run))).unwrap_or_default();
        }
        Command::CancelQuery => database::end_session(model, false),
        Command::EndSession => database::end_session(model, true),
        Command::Changes => return health::changes(model).into_iter().collect(),
        Command::Cost => health::cost(model),
        Command::CompareRun => return runs::compare(model).into_iter().collect(),
        Command::OpenTunnel => model.open_input(Purpose::Tunnel, ""),
        Command::CloseTunnel => close_tunnel(model),
        // The rest belongs to the Logs screen.
        _ => return logs::run(model, command),
    }
    Vec::new()
}

fn confirmed(model: &mut Model) -> Vec<Effect> {
    let Some(Overlay::Confirm(confirm)) = model.overlay.take() else { return Vec::new() };
    for effect in &confirm.effects {
        match effect {
            Effect::StopRun(run) => {
                model.runs.stopping.push(*run);
                model.notify(format!("stopping run {}", short_id(run)));
            }
            Effect::Request(id, Request::Cost) => model.health.cost.start(*id, model.now),
            _ => {}
        }
    }
    confirm.effects
}

fn open(model: &mut Model) -> Option<Effect> {
    match model.screen {
        Screen::Overview => open_component(model),
        Screen::Runs => return runs::open(model),
        Screen::Logs => logs::open(model),
        Screen::Data => return open_rejected(model),
        Screen::Reports => {
            let name = model.reports.selected()?.to_owned();
            let reports = &mut model.reports;
            (reports.text, reports.page_cursor) = (Remote::default(), Cursor::default());
            reports.page = Some(name.clone());
            return Some(requests::start(model, Request::Report(name)));
        }
        Screen::Tunnels => {}
        Screen::Database => database::open(model),
        Screen::Health => health::open_check(model),
    }
    None
}

/// Shows the screen of the selected component, or its whole detail.
fn open_component(model: &mut Model) {
    let Some(component) = model.overview.selected() else { return };
    if let Some(screen) = screen_of(component) {
        return model.show(screen);
    }
    let title = format!("{}: {}", component.name, component.state);
    let lines = wrap_words(&sanitize(&component.detail), layout::overlay_columns(model));
    model.overlay = Some(Overlay::text(title, lines));
}

/// The screen with more about a component; none if its detail is all there is, or explains a failure.
fn screen_of(component: &Component) -> Option<Screen> {
    match component.name.as_str() {
        "last etl" | "last report" => Some(Screen::Runs),
        name if name.starts_with("run ") => Some(Screen::Runs),
        _ if matches!(component.state, ComponentState::Failed | ComponentState::Unknown) => None,
        "lambda" => Some(Screen::Logs),
        "datasets" => Some(Screen::Data),
        "report" => Some(Screen::Reports),
        "bastion" => Some(Screen::Tunnels),
        _ => None,
    }
}

/// Opens the rejected rows of the selected reason, or the whole of the selected row.
fn open_rejected(model: &mut Model) -> Option<Effect> {
    if let Some(page) = &model.data.page {
        let row = model.data.rejected.items().get(model.data.page_cursor.at)?;
        let lines = row.raw.lines().map(sanitize).collect();
        model.overlay = Some(Overlay::text(format!("line {} · {}", row.line, page.reason), lines));
        return None;
    }
    let run = model.data.summary.value.as_ref()?.published.as_ref()?.run_id;
    let issue = model.data.issues().get(model.data.cursor.at)?.clone();
    if issue.kind != "rejected" {
        model.notify("repaired rows were loaded and are not stored separately");
        return None;
    }
    let request = Request::Rejected { run, dataset: issue.dataset.clone(), reason: issue.reason.clone() };
    let data = &mut model.data;
    (data.page, data.rejected, data.page_cursor) = (Some(issue), Remote::default(), Cursor::default());
    Some(requests::start(model, request))
}

fn copy(model: &mut Model) -> Option<Effect> {
    let selected = match model.screen {
        Screen::Overview => model.overview.selected().map(|component| component.detail.clone()),
        Screen::Runs => model.runs.selected().map(|run| run.to_string()),
        Screen::Logs => logs::selected_text(model),
        Screen::Data if model.data.page.is_none() => None,
        Screen::Data => model.data.rejected.items().get(model.data.page_cursor.at).map(|row| row.raw.clone()),
        Screen::Reports if model.reports.page.is_some() => model.reports.text.value.clone(),
        Screen::Reports => model.reports.selected().map(str::to_owned),
        Screen::Tunnels => model.tunnels.selected().and_then(|tunnel| tunnel.usage.clone()),
        Screen::Database => model.database.selected().and_then(|session| session.query.clone()),
        Screen::Health => {
            model.health.selected().map(|check| check.hint.clone().unwrap_or(check.detail.clone()))
        }
    };
    let Some(text) = selected.filter(|text| !text.is_empty()) else {
        model.notify("nothing to copy");
        return None;
    };
    model.notify(format!("copied: {}", truncate(&sanitize(&text), 40)));
    Some(Effect::Copy(text))
}

pub(super) fn open_tunnel(model: &mut Model, route: Route) -> Effect {
    let (forwarding, bastion) = match &route {
        Route::Named(target) => (target.clone(), String::new()),
        Route::Through { forwarding, bastion } => (forwarding.clone(), bastion.clone()),
    };
    let tunnel = model.next_request().0;
    let opened = Tunnel { id: tunnel, forwarding, bastion, ..Tunnel::default() };
    let tunnels = &mut model.tunnels;
    let own = tunnels.all.iter().filter(|tunnel| tunnel.process.is_none()).count();
    tunnels.all.insert(own, opened);
    tunnels.cursor.at = own;
    model.show(Screen::Tunnels);
    Effect::OpenTunnel { tunnel, route }
}

fn close_tunnel(model: &mut Model) {
    let Some(tunnel) = model.tunnels.selected().filter(|tunnel| tunnel.is_open()).cloned() else {
        return model.notify("no open tunnel is selected");
    };
    let open = tunnel.counters.map_or(0, |(_, snapshot)| snapshot.open);
    let mut details = vec![
        ("tunnel", tunnel.local.unwrap_or(tunnel.forwarding)),
        ("connections", format!("{open} open, will be closed")),
    ];
    let effect = match tunnel.process {
        None => Effect::CloseTunnel(tunnel.id),
        Some(process) => {
            details.push(("opened by", format!("tunnel start, process {}", process.pid)));
            Effect::StopTunnelProcess(process)
        }
    };
    model.confirm("Close this tunnel?", details, vec![effect]);
}
