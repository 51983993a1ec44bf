//! What each command does.

use super::{answers, ask, go, input, logs, palette, runs};
use crate::ops::pipeline::FULL_PIPELINE;
use crate::tui::command::Command;
use crate::tui::effect::Effect;
use crate::tui::model::list::{Cursor, Move};
use crate::tui::model::{Confirm, Input, Model, Overlay, Purpose, ReportPage, Screen};
use crate::tui::model::{data, remote::Remote};
use crate::tui::msg::Trouble;
use target::{Component, ComponentState, JobKind};

/// Does it.
pub(super) fn run(model: &mut Model, command: Command) -> Vec<Effect> {
    // What went wrong has been read when the next key is pressed.
    if model.notice.as_ref().is_some_and(|notice| notice.bad) {
        model.notice = None;
    }
    if command.changes() && model.read_only {
        model.complain(Trouble {
            message: "this is read-only".to_owned(),
            hint: Some("leave out --read-only to start, stop and change things".to_owned()),
        });
        return Vec::new();
    }
    let page = isize::try_from(model.page()).unwrap_or(1);
    match command {
        Command::Go(screen) => return show(model, screen),
        Command::NextScreen => return show(model, model.screen.step(1)),
        Command::PreviousScreen => return show(model, model.screen.step(-1)),
        Command::Close if model.page_is_open() => close_page(model),
        Command::Close | Command::Quit => model.quit = true,
        Command::Back | Command::No if model.overlay.is_some() => input::cancel(model),
        Command::Back => back(model),
        Command::Help => model.overlay = Some(Overlay::Help { top: 0 }),
        Command::Palette => open_input(model, Purpose::Palette, ""),
        Command::Targets => {
            let at = model.targets.iter().position(|target| *target == model.place.target).unwrap_or(0);
            model.overlay = Some(Overlay::Targets { at });
        }
        Command::Refresh => return refresh(model),
        Command::Suspend => return vec![Effect::Suspend],
        Command::Redraw => return vec![Effect::Redraw],
        Command::Up => go(model, Move::By(-1)),
        Command::Down => go(model, Move::By(1)),
        Command::PageUp => go(model, Move::By(-page)),
        Command::PageDown => go(model, Move::By(page)),
        Command::Top => go(model, Move::Top),
        Command::Bottom => go(model, Move::Bottom),
        Command::Open => return open(model),
        Command::Copy => return copy(model),
        Command::BringUp if model.place.target == "aws" => model.complain(Trouble {
            message: "the stacks are created on the command line, which shows first what would change"
                .to_owned(),
            hint: Some("covidctl --target aws up".to_owned()),
        }),
        Command::BringUp => confirm(model, "Bring the target up?", vec![], vec![Effect::Up]),
        Command::StartEtl => runs::start(model, vec![JobKind::Etl], None),
        Command::StartReport => runs::start(model, vec![JobKind::Report], None),
        Command::StartPipeline => runs::start(model, FULL_PIPELINE.to_vec(), None),
        Command::Stop => runs::stop(model),
        Command::Again => runs::again(model),
        Command::RunLogs => return runs::logs(model),
        Command::Save if model.screen == Screen::Reports => return save_report(model),
        Command::OpenTunnel => open_input(model, Purpose::Tunnel, ""),
        Command::CloseTunnel => close_tunnel(model),
        Command::Yes => {
            if let Some(Overlay::Confirm(confirm)) = model.overlay.take() {
                answers::note_changes(model, &confirm.then);
                return confirm.then;
            }
        }
        Command::No => {}
        Command::Submit => return input::submit(model),
        Command::Complete => palette::complete(model),
        Command::Toggle => input::toggle(model),
        Command::Follow
        | Command::Search
        | Command::Next
        | Command::Previous
        | Command::Filter
        | Command::Sources
        | Command::Wrap
        | Command::Stamps
        | Command::Fold
        | Command::Mark
        | Command::Shorter
        | Command::Longer
        | Command::Clear
        | Command::Save => return logs::run(model, command),
    }
    Vec::new()
}

/// Shows a screen, and asks what it needs.
pub(super) fn show(model: &mut Model, screen: Screen) -> Vec<Effect> {
    model.overlay = None;
    model.screen = screen;
    ask(model)
}

/// Opens the line in which something is typed.
pub(super) fn open_input(model: &mut Model, purpose: Purpose, text: &str) {
    model.overlay = Some(Overlay::Input(Input { purpose, text: text.to_owned(), error: None }));
}

/// Asks before something is done; the question says where.
pub(super) fn confirm(
    model: &mut Model,
    question: &str,
    mut touches: Vec<(String, String)>,
    then: Vec<Effect>,
) {
    touches.push(("target".to_owned(), model.place.target.clone()));
    touches.push(("place".to_owned(), model.place.location.clone()));
    model.overlay = Some(Overlay::Confirm(Confirm { question: question.to_owned(), touches, then }));
}

fn close_page(model: &mut Model) {
    match model.screen {
        Screen::Runs => model.runs.page = None,
        Screen::Data => model.data.page = None,
        Screen::Reports => model.reports.page = None,
        Screen::Overview | Screen::Logs | Screen::Tunnels => {}
    }
}

fn back(model: &mut Model) {
    if model.page_is_open() {
        close_page(model);
    } else if model.screen == Screen::Logs && model.logs.search.is_some() {
        model.logs.search = None;
    } else if model.screen == Screen::Logs && model.logs.filter.is_some() {
        model.logs.filter = None;
        model.logs.refilter();
    } else if model.notice.is_some() {
        model.notice = None;
    } else if model.screen != Screen::Overview {
        model.screen = Screen::Overview;
    }
}

fn refresh(model: &mut Model) -> Vec<Effect> {
    let (parts, active, runs) = (model.ticket(), model.ticket(), model.ticket());
    model.overview.parts.ask(parts, model.now);
    model.active.ask(active, model.now);
    model.runs.history.ask(runs, model.now);
    let mut effects = vec![
        Effect::LoadParts { ticket: parts },
        Effect::LoadActive { ticket: active },
        Effect::LoadRuns { ticket: runs },
    ];
    match model.screen {
        Screen::Data => {
            // Whoever asks for it gets the charts anew, too.
            if let Some(answer) = &mut model.data.answer.last {
                answer.charts = None;
            }
            effects.push(super::ask_for_data(model));
        }
        Screen::Reports => {
            let ticket = model.ticket();
            model.reports.list.ask(ticket, model.now);
            effects.push(Effect::LoadReports { ticket });
        }
        Screen::Logs => effects.push(logs::follow(model)),
        Screen::Overview | Screen::Runs | Screen::Tunnels => {}
    }
    effects
}

fn open(model: &mut Model) -> Vec<Effect> {
    match model.screen {
        Screen::Overview => {
            let parts = model.overview.parts.last.as_deref().unwrap_or_default();
            let Some(part) = parts.get(model.overview.cursor.at).cloned() else { return Vec::new() };
            if let Some(screen) = screen_of(&part) {
                return show(model, screen);
            }
            let title = format!("{}: {}", part.name, part.state);
            let detail = crate::tui::text::cells(&part.detail);
            let lines = crate::tui::text::prose(&detail, crate::tui::layout::overlay_width(model));
            model.overlay = Some(Overlay::Text { title, lines, top: 0 });
            Vec::new()
        }
        Screen::Runs => runs::open(model),
        Screen::Logs => {
            logs::open(model);
            Vec::new()
        }
        Screen::Data => open_rejected(model),
        Screen::Reports => {
            let list = model.reports.list.last.as_deref().unwrap_or_default();
            let Some(name) = list.get(model.reports.cursor.at).map(|report| report.name.clone()) else {
                return Vec::new();
            };
            let ticket = model.ticket();
            let mut text = Remote::default();
            text.ask(ticket, model.now);
            model.reports.page = Some(ReportPage { name: name.clone(), text, cursor: Cursor::default() });
            vec![Effect::ReadReport { ticket, name }]
        }
        Screen::Tunnels => Vec::new(),
    }
}

/// Where one sees more of a part. Of some there is no more than their detail, and what is wrong has to be read in full first.
fn screen_of(part: &Component) -> Option<Screen> {
    match part.name.as_str() {
        "last etl" | "last report" => Some(Screen::Runs),
        name if name.starts_with("run ") => Some(Screen::Runs),
        _ if matches!(part.state, ComponentState::Failed | ComponentState::Unknown) => None,
        "lambda" => Some(Screen::Logs),
        "datasets" => Some(Screen::Data),
        "report" => Some(Screen::Reports),
        "bastion" => Some(Screen::Tunnels),
        _ => None,
    }
}

fn open_rejected(model: &mut Model) -> Vec<Effect> {
    if let Some(page) = &model.data.page {
        let rows = page.rows.last.as_deref().unwrap_or_default();
        if let Some(row) = rows.get(page.cursor.at) {
            let title = format!("line {} · {}", row.line, page.reason);
            let lines = row.raw.lines().map(crate::tui::text::cells).collect();
            model.overlay = Some(Overlay::Text { title, lines, top: 0 });
        }
        return Vec::new();
    }
    let published = model.data.answer.last.as_ref().and_then(|answer| answer.published.as_ref());
    let issue = model.data.issues().get(model.data.cursor.at).map(|issue| (*issue).clone());
    let (Some(run), Some(issue)) = (published.map(|run| run.run_id), issue) else { return Vec::new() };
    if issue.kind != "rejected" {
        model.say("repaired rows were loaded, and are not kept apart");
        return Vec::new();
    }
    let ticket = model.ticket();
    let mut rows = Remote::default();
    rows.ask(ticket, model.now);
    let (dataset, reason) = (issue.dataset, issue.reason);
    model.data.page = Some(data::Page {
        dataset: dataset.clone(),
        reason: reason.clone(),
        rows,
        cursor: Cursor::default(),
    });
    vec![Effect::LoadRejected { ticket, run, dataset, reason }]
}

fn copy(model: &mut Model) -> Vec<Effect> {
    let text = match model.screen {
        Screen::Overview => {
            let parts = model.overview.parts.last.as_deref().unwrap_or_default();
            parts.get(model.overview.cursor.at).map(|part| part.detail.clone())
        }
        Screen::Runs => model.selected_run().map(|run| run.to_string()),
        Screen::Logs => logs::selected_text(model),
        Screen::Data => model
            .data
            .page
            .as_ref()
            .and_then(|page| page.rows.last.as_ref()?.get(page.cursor.at).map(|row| row.raw.clone())),
        Screen::Reports => match &model.reports.page {
            Some(page) => page.text.last.clone(),
            None => model
                .reports
                .list
                .last
                .as_ref()
                .and_then(|list| list.get(model.reports.cursor.at))
                .map(|report| report.name.clone()),
        },
        Screen::Tunnels => model.tunnels.selected().and_then(|tunnel| tunnel.usage.clone()),
    };
    let Some(text) = text.filter(|text| !text.is_empty()) else {
        model.say("there is nothing to copy here");
        return Vec::new();
    };
    let start = crate::tui::text::fit(&crate::tui::text::cells(&text), 40);
    model.say(format!("copied: {start}"));
    vec![Effect::Copy { text }]
}

fn save_report(model: &mut Model) -> Vec<Effect> {
    let list = model.reports.list.last.as_deref().unwrap_or_default();
    let selected = list.get(model.reports.cursor.at).map(|report| report.name.clone());
    let name = model.reports.page.as_ref().map(|page| page.name.clone()).or(selected);
    name.map(|name| Effect::SaveReport { name }).into_iter().collect()
}

fn close_tunnel(model: &mut Model) {
    let Some(tunnel) = model.tunnels.selected().filter(|tunnel| tunnel.is_open()).cloned() else {
        return model.say("no open tunnel is selected");
    };
    let open = tunnel.counted.map_or(0, |(_, snapshot)| snapshot.open);
    let touches = vec![
        ("tunnel".to_owned(), tunnel.local.unwrap_or(tunnel.forwarding)),
        ("connections".to_owned(), format!("{open} open, they are cut")),
    ];
    confirm(model, "Close this tunnel?", touches, vec![Effect::CloseTunnel { id: tunnel.id }]);
}
