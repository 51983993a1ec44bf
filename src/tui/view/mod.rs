//! Draws the model: header, body, notice, footer, and at most one overlay. A pure function of the model and the theme.

mod chart;
mod data;
mod database;
mod health;
mod histogram;
mod logs;
mod overlay;
mod overview;
mod pane;
mod reports;
mod run_phases;
mod runs;
mod table;
mod tunnels;

use ratatui::Frame;
use ratatui::layout::Rect;
use ratatui::text::{Line, Span};

use self::pane::Pane;
use super::keys::{self, Binding};
use super::layout::{self, FOOTER, HEADER};
use super::model::overlay::{Overlay, Purpose, TextInput};
use super::model::{Command, Model, Screen};
use super::text::{sanitize, truncate, width};
use super::theme::Theme;

/// The smallest usable terminal: columns and rows.
const MIN_SIZE: (u16, u16) = (40, 10);

pub fn view(model: &Model, theme: Theme, frame: &mut Frame) {
    let area = frame.area();
    let mut pane = Pane { buffer: frame.buffer_mut(), area, theme };
    if area.width < MIN_SIZE.0 || area.height < MIN_SIZE.1 {
        let text = format!("covidctl needs {} x {}", MIN_SIZE.0, MIN_SIZE.1);
        return pane.line(0, Line::styled(truncate(&text, usize::from(area.width)), theme.error()));
    }
    header(model, &mut pane);
    let body = Rect { x: 0, y: HEADER, height: area.height - HEADER - FOOTER, ..area };
    let mut body = pane.part(body);
    match model.screen {
        Screen::Overview => overview::draw(model, &mut body),
        Screen::Runs => runs::draw(model, &mut body),
        Screen::Logs => logs::draw(model, &mut body),
        Screen::Data => data::draw(model, &mut body),
        Screen::Reports => reports::draw(model, &mut body),
        Screen::Tunnels => tunnels::draw(model, &mut body),
        Screen::Database => database::draw(model, &mut body),
        Screen::Health => health::draw(model, &mut body),
    }
    notice(model, &mut pane);
    footer(model, &mut pane);
    overlay::draw(model, &mut pane);
}

fn header(model: &Model, pane: &mut Pane) {
    let theme = pane.theme;
    let clock = model.now.with_timezone(&model.zone).format("%H:%M:%S ").to_string();
    let read_only = if model.read_only { "READ-ONLY  " } else { "" };
    let room = pane.width().saturating_sub(clock.len() + read_only.len() + 1 + 10);
    let location = truncate(&sanitize(&model.location.to_string()), room);
    pane.line(0, vec![Span::styled(" covidctl ", theme.title()), Span::styled(location, theme.text())]);
    let right = vec![Span::styled(read_only, theme.warning()), Span::styled(clock, theme.dim())];
    pane.line(0, Line::from(right).right_aligned());
    let tab = |(screen, ..): (Screen, u16, u16)| {
        let style = if screen == model.screen { theme.selected() } else { theme.text() };
        Span::styled(layout::tab(screen, model.width), style)
    };
    pane.line(1, layout::tabs(model.width).map(tab).collect::<Line>());
}

/// Draws the line above the footer: the notice, or the current step.
fn notice(model: &Model, pane: &mut Pane) {
    let theme = pane.theme;
    let room = pane.width().saturating_sub(4);
    let spans = if let Some(notice) = &model.notice {
        let (symbol, style) =
            if notice.is_error { (" ✗ ", theme.error()) } else { (" · ", theme.success()) };
        let hint = notice.hint.as_ref().map(|hint| format!("  hint: {}", sanitize(hint))).unwrap_or_default();
        // The text is cut before the hint, down to half of the line.
        let text_room = room.saturating_sub(width(&hint)).max(room / 2 + 1);
        let text = truncate(&sanitize(&notice.text), text_room);
        let hint = truncate(&hint, room.saturating_sub(width(&text)));
        vec![Span::styled(symbol, style), Span::styled(text, style), Span::styled(hint, theme.accent())]
    } else if let Some(step) = &model.step {
        let seconds = (model.now - step.since).num_seconds().max(0);
        let text = truncate(&format!("{} ({seconds} s)", sanitize(&step.text)), room);
        vec![Span::styled(" ● ", theme.warning()), Span::raw(text)]
    } else {
        return;
    };
    pane.line(pane.height() - 2, spans);
}

fn footer(model: &Model, pane: &mut Pane) {
    let mut spans = vec![Span::raw(" ")];
    let mut used = 1;
    // The help comes first, so that it always fits.
    let (help, others): (Vec<&Binding>, Vec<&Binding>) =
        keys::in_layer(model.layer()).partition(|binding| binding.command == Command::Help);
    for binding in help.into_iter().chain(others) {
        let Some(word) = footer_word(model, binding) else { continue };
        let key = binding.keys.split(' ').next().unwrap_or_default();
        let taken = width(key) + 1 + width(word) + 2;
        if used + taken > pane.width() {
            break;
        }
        used += taken;
        spans.push(Span::styled(key, pane.theme.accent()));
        spans.push(Span::raw(format!(" {word}  ")));
    }
    pane.line(pane.height() - 1, spans);
}

fn footer_word(model: &Model, binding: &Binding) -> Option<&'static str> {
    let completes = matches!(
        &model.overlay,
        Some(Overlay::Input(TextInput { purpose: Purpose::Palette | Purpose::Where, .. }))
    );
    match binding.command {
        command if model.read_only && command.changes_target() => None,
        Command::BringUp if !model.has_services() => None,
        Command::Complete if !completes => None,
        Command::Close if model.page_is_open() => Some("back"),
        Command::Open if model.page_is_open() => Some("whole row"),
        Command::Follow if !model.logs.following => Some("follow"),
        _ => binding.footer,
    }
}
