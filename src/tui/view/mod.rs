//! Draws the model: a function of it and of nothing else, so that the same model always looks the same.
//!
//! Header, body, notice, keys, and at most one box above them. Each screen is a file.

mod chart;
mod data;
mod logs;
mod overlay;
mod overview;
mod reports;
mod runs;
mod table;
mod tunnels;

use ratatui::Frame;
use ratatui::layout::Rect;
use ratatui::style::Style;
use ratatui::text::{Line, Span};

use super::command::Command;
use super::keys;
use super::layout::{self, FOOTER, HEADER};
use super::model::remote::{Fetch, Remote};
use super::model::{Model, Overlay, Purpose, Screen};
use super::text::{cells, fit, prose, width};
use super::theme::Theme;
use common::text::age;

/// Below this size nothing can be read.
const SMALLEST: (u16, u16) = (40, 10);

/// Draws all of it.
pub fn view(model: &Model, theme: Theme, frame: &mut Frame) {
    let area = frame.area();
    if area.width < SMALLEST.0 || area.height < SMALLEST.1 {
        let text = format!("covidctl needs {} x {}", SMALLEST.0, SMALLEST.1);
        line(frame, area, 0, Line::styled(fit(&text, usize::from(area.width)), theme.bad()));
        return;
    }
    header(model, theme, frame, area);
    let body = Rect { y: area.y + HEADER, height: area.height - HEADER - FOOTER, ..area };
    match model.screen {
        Screen::Overview => overview::draw(model, theme, frame, body),
        Screen::Runs => runs::draw(model, theme, frame, body),
        Screen::Logs => logs::draw(model, theme, frame, body),
        Screen::Data => data::draw(model, theme, frame, body),
        Screen::Reports => reports::draw(model, theme, frame, body),
        Screen::Tunnels => tunnels::draw(model, theme, frame, body),
    }
    notice(model, theme, frame, area);
    footer(model, theme, frame, area);
    overlay::draw(model, theme, frame);
}

fn header(model: &Model, theme: Theme, frame: &mut Frame, area: Rect) {
    let clock = model.now.with_timezone(&model.zone).format("%H:%M:%S").to_string();
    let mut right = vec![Span::styled(clock, theme.faint())];
    if model.read_only {
        right.insert(0, Span::styled("READ-ONLY  ", theme.warn()));
    }
    let taken: usize = right.iter().map(|span| width(&span.content)).sum();
    let room = usize::from(area.width).saturating_sub(taken + 2);
    let place = format!("{} ({})", model.place.target, model.place.location);
    let left = vec![
        Span::styled(" covidctl ", theme.title()),
        Span::styled(fit(&cells(&place), room.saturating_sub(10)), theme.text()),
    ];
    line(frame, area, 0, Line::from(left));
    let right = Line::from(right).right_aligned();
    line(frame, Rect { width: area.width.saturating_sub(1), ..area }, 0, right);
    let tabs: Line = layout::tabs()
        .map(|(screen, ..)| {
            let style = if screen == model.screen { theme.selected() } else { theme.text() };
            Span::styled(layout::tab(screen), style)
        })
        .collect();
    line(frame, area, 1, tabs);
}

/// The line above the keys: what just happened, or what goes on.
fn notice(model: &Model, theme: Theme, frame: &mut Frame, area: Rect) {
    let room = usize::from(area.width).saturating_sub(2);
    let text = if let Some(notice) = &model.notice {
        let (sign, style) = if notice.bad { ("✗ ", theme.bad()) } else { ("· ", theme.good()) };
        let hint = notice.hint.as_ref().map(|hint| format!("  hint: {}", cells(hint))).unwrap_or_default();
        let text = cells(&notice.text);
        // The hint is worth more than the end of a long sentence.
        let text_room = room.saturating_sub(2 + width(&hint)).max(room / 2);
        let text = fit(&text, text_room);
        let hint = fit(&hint, room.saturating_sub(2 + width(&text)));
        Line::from(vec![
            Span::raw(" "),
            Span::styled(sign, style),
            Span::styled(text, style),
            Span::styled(hint, theme.accent()),
        ])
    } else if let Some(step) = &model.step {
        let took = (model.now - step.since).num_seconds().max(0);
        let text = fit(&format!("{} ({took} s)", cells(&step.text)), room.saturating_sub(2));
        Line::from(vec![Span::raw(" "), Span::styled("● ", theme.warn()), Span::raw(text)])
    } else {
        return;
    };
    line(frame, area, area.height - 2, text);
}

fn footer(model: &Model, theme: Theme, frame: &mut Frame, area: Rect) {
    let mut spans = vec![Span::raw(" ")];
    let mut used = 1;
    // The way to all keys is always there.
    let (help, others): (Vec<&keys::Binding>, Vec<&keys::Binding>) =
        keys::in_layer(model.layer()).partition(|binding| binding.command == Command::Help);
    for binding in help.into_iter().chain(others) {
        let Some(word) = binding.footer else { continue };
        if model.read_only && binding.command.changes() {
            continue;
        }
        let word = match binding.command {
            Command::BringUp if model.place.target == "aws" => continue,
            Command::Close if model.page_is_open() => "back",
            Command::Open if model.page_is_open() => "all of it",
            Command::Follow if !model.logs.following => "follow",
            Command::Complete if !matches!(&model.overlay, Some(Overlay::Input(input)) if input.purpose == Purpose::Palette) =>
            {
                continue;
            }
            _ => word,
        };
        let key = binding.keys[0].to_string();
        let taken = width(&key) + 1 + width(word) + 2;
        if used + taken > usize::from(area.width) {
            break;
        }
        used += taken;
        spans.push(Span::styled(key, theme.accent()));
        spans.push(Span::raw(format!(" {word}  ")));
    }
    line(frame, area, area.height - 1, Line::from(spans));
}

/// Draws one line of text into a row of an area.
fn line(frame: &mut Frame, area: Rect, row: u16, line: Line) {
    if row < area.height {
        frame.render_widget(line, Rect { y: area.y + row, height: 1, ..area });
    }
}

/// A section's title, with what there is to say about its value: how old it is, why there is no newer one.
fn titled<T>(title: &str, remote: &Remote<T>, model: &Model, theme: Theme) -> Line<'static> {
    let mut spans = vec![Span::styled(format!(" {title}"), theme.title())];
    let age = remote.at.map(|at| age(at, model.now)).unwrap_or_default();
    match (remote.trouble(), &remote.last) {
        // Where there is nothing to show, the reason has all the room: see `unanswered`.
        (Some(_), None) => spans.push(Span::styled("  ✗ not known", theme.bad())),
        (Some(trouble), Some(_)) => {
            spans.push(Span::styled(format!("  as of {age}"), theme.warn()));
            let used: usize = spans.iter().map(|span| width(&span.content)).sum();
            let room = usize::from(model.width).saturating_sub(used + 5);
            spans.push(Span::styled(format!("  ✗ {}", fit(&cells(&trouble.message), room)), theme.bad()));
        }
        (None, None) if matches!(remote.fetch, Fetch::Loading { .. }) => {
            spans.push(Span::styled("  …", theme.faint()));
        }
        (None, Some(_)) if remote.is_stale(model.now) => {
            spans.push(Span::styled(format!("  ● waiting for an answer; as of {age}"), theme.warn()));
        }
        _ => {}
    }
    Line::from(spans)
}

/// In the place of a value that is not there: why not, and what to do about it.
fn unanswered<T>(remote: &Remote<T>, theme: Theme, frame: &mut Frame, area: Rect, row: u16) {
    let Some(trouble) = remote.trouble() else { return empty(frame, area, row, "asking", theme.faint()) };
    let room = usize::from(area.width).saturating_sub(2);
    let lines = |text: &str, style| {
        prose(&cells(text), room).into_iter().map(move |piece| Line::styled(format!(" {piece}"), style))
    };
    let hint = trouble.hint.iter().flat_map(|hint| lines(&format!("hint: {hint}"), theme.accent()));
    for (row, text) in (row..).zip(lines(&trouble.message, theme.bad()).chain(hint)) {
        line(frame, area, row, text);
    }
}

/// A title with a remark.
fn title(title: &str, remark: &str, theme: Theme) -> Line<'static> {
    let remark = if remark.is_empty() { String::new() } else { format!("  {remark}") };
    Line::from(vec![Span::styled(format!(" {title}"), theme.title()), Span::styled(remark, theme.faint())])
}

/// A sentence where there is nothing to list.
fn empty(frame: &mut Frame, area: Rect, row: u16, text: &str, style: Style) {
    line(
        frame,
        area,
        row,
        Line::styled(format!(" {}", fit(text, usize::from(area.width).saturating_sub(2))), style),
    );
}

/// Whether something stands above the screen.
fn covered(model: &Model) -> bool {
    matches!(&model.overlay, Some(overlay) if !matches!(overlay, Overlay::Input(_)))
}
