//! What stands above a screen: keys, a question, a line to type in, a choice, something to read.

use ratatui::Frame;
use ratatui::layout::Rect;
use ratatui::text::{Line, Span};
use ratatui::widgets::{Block, Clear};

use super::super::layout;
use super::super::model::{Confirm, Input, Model, Overlay, Purpose};
use super::super::text::{broken, cells, fit, prose, width};
use super::super::theme::Theme;
use super::super::update::fitting;

pub(super) fn draw(model: &Model, theme: Theme, frame: &mut Frame) {
    match &model.overlay {
        None => {}
        Some(Overlay::Input(input)) => type_in(model, input, theme, frame),
        Some(Overlay::Help { top }) => {
            let lines = help(model, theme);
            let name = format!("keys of {}", model.screen.name());
            scrolled(model, theme, frame, &name, lines, *top);
        }
        Some(Overlay::Text { title, lines, top }) => {
            let room = layout::overlay_width(model);
            let lines = lines.iter().flat_map(|line| broken(line, room));
            let lines = lines.map(|line| Line::raw(line.to_owned())).collect();
            scrolled(model, theme, frame, &cells(title), lines, *top);
        }
        Some(Overlay::Confirm(confirm)) => ask(model, confirm, theme, frame),
        Some(Overlay::Sources { at }) => {
            let row = |source: &super::super::model::logs::Source| {
                let sign = if source.hidden { "[ ]" } else { "[x]" };
                format!("{sign} {:<10} {:>8} events", cells(&source.name), source.came)
            };
            choose(model, theme, frame, "sources of logs", model.logs.sources.iter().map(row).collect(), *at);
        }
        Some(Overlay::Targets { at }) => {
            let row = |target: &String| {
                let sign = if *target == model.place.target { "●" } else { " " };
                format!("{sign} {}", cells(target))
            };
            choose(model, theme, frame, "target", model.targets.iter().map(row).collect(), *at);
        }
    }
}

/// Draws the box and gives the room in it.
fn boxed(model: &Model, theme: Theme, frame: &mut Frame, title: &str, lines: usize) -> Rect {
    let layout::Area { x, y, width, height } = layout::overlay(model, lines);
    let area = Rect { x, y, width, height };
    frame.render_widget(Clear, area);
    let title = format!(" {} ", fit(title, usize::from(width).saturating_sub(6)));
    frame.render_widget(Block::bordered().title(title).border_style(theme.accent()), area);
    Rect { x: x + 2, y: y + 1, width: width.saturating_sub(4), height: height.saturating_sub(2) }
}

fn scrolled(model: &Model, theme: Theme, frame: &mut Frame, title: &str, lines: Vec<Line>, top: usize) {
    let count = lines.len();
    let area = boxed(model, theme, frame, title, count);
    let top = top.min(count.saturating_sub(usize::from(area.height)));
    for (row, line) in (0..area.height).zip(lines.into_iter().skip(top)) {
        super::line(frame, area, row, line);
    }
    let below = count.saturating_sub(top + usize::from(area.height));
    if below > 0 {
        let more = Line::styled(format!(" {below} more "), theme.faint()).right_aligned();
        super::line(frame, Rect { y: area.y + area.height, height: 1, ..area }, 0, more);
    }
}

fn help(model: &Model, theme: Theme) -> Vec<Line<'static>> {
    let rows = layout::help(model);
    let widest = rows.iter().map(|(keys, _)| width(keys)).max().unwrap_or(0);
    rows.into_iter()
        .map(|(keys, words)| {
            let gap = " ".repeat(widest - width(&keys) + 2);
            Line::from(vec![Span::styled(keys, theme.accent()), Span::raw(format!("{gap}{words}"))])
        })
        .collect()
}

fn ask(model: &Model, confirm: &Confirm, theme: Theme, frame: &mut Frame) {
    let room = layout::overlay_width(model);
    let mut lines: Vec<Line> = vec![Line::styled(confirm.question.clone(), theme.warn()), Line::raw("")];
    for (name, what) in &confirm.touches {
        for (index, piece) in prose(&cells(what), room.saturating_sub(13)).into_iter().enumerate() {
            let name = if index == 0 { name.as_str() } else { "" };
            lines
                .push(Line::from(vec![Span::styled(format!("{name:<13}"), theme.faint()), Span::raw(piece)]));
        }
    }
    lines.push(Line::raw(""));
    lines.push(Line::from(vec![
        Span::styled("y", theme.accent()),
        Span::raw(" yes   "),
        Span::styled("n", theme.accent()),
        Span::raw(" no (Enter is no, too)"),
    ]));
    let area = boxed(model, theme, frame, "sure?", lines.len());
    for (row, line) in (0..area.height).zip(lines) {
        super::line(frame, area, row, line);
    }
}

fn choose(model: &Model, theme: Theme, frame: &mut Frame, title: &str, rows: Vec<String>, at: usize) {
    let area = boxed(model, theme, frame, title, rows.len());
    for (row, text) in (0..area.height).zip(rows) {
        super::line(frame, area, row, Line::raw(text));
        if usize::from(row) == at {
            frame.buffer_mut().set_style(Rect { y: area.y + row, height: 1, ..area }, theme.selected());
        }
    }
}

/// A line at the bottom, above the keys, with what fits above it.
fn type_in(model: &Model, input: &Input, theme: Theme, frame: &mut Frame) {
    let screen = frame.area();
    let area = Rect { y: screen.height - 2, height: 1, ..screen };
    let (prompt, example) = match input.purpose {
        Purpose::Palette => (":", ""),
        Purpose::Search => ("search: ", "a regular expression"),
        Purpose::Filter => ("only lines that match: ", "a regular expression; nothing shows all"),
        Purpose::Tunnel if model.place.target == "aws" => {
            ("tunnel: ", "master, replica or metabase; or 5432:db.example:5432 ec2-user@bastion.example")
        }
        Purpose::Tunnel => ("tunnel: ", "5432:db.example:5432 ec2-user@bastion.example"),
        Purpose::SaveLogs => ("save as: ", "a file"),
    };
    frame.render_widget(Clear, area);
    let room = usize::from(area.width).saturating_sub(width(prompt) + 3);
    // The end is where one types.
    let typed = cells(&input.text);
    let mut shown = typed.as_str();
    while width(shown) > room {
        shown = shown.char_indices().nth(1).map_or("", |(next, _)| &shown[next..]);
    }
    let mut spans = vec![Span::styled(format!(" {prompt}"), theme.accent()), Span::raw(shown.to_owned())];
    spans.push(Span::styled(" ", theme.selected()));
    if typed.is_empty() {
        spans.push(Span::styled(format!(" {}", fit(example, room)), theme.faint()));
    }
    super::line(frame, area, 0, Line::from(spans));
    let above = Rect { y: area.y.saturating_sub(1), ..area };
    if let Some(error) = &input.error {
        frame.render_widget(Clear, above);
        super::line(
            frame,
            above,
            0,
            Line::styled(format!(" ✗ {}", fit(&cells(error), usize::from(area.width) - 4)), theme.bad()),
        );
    } else if input.purpose == Purpose::Palette {
        suggestions(input, theme, frame, area);
    }
}

fn suggestions(input: &Input, theme: Theme, frame: &mut Frame, area: Rect) {
    let fitting = fitting(&input.text);
    let most = 8.min(usize::from(area.y).saturating_sub(3));
    let count = fitting.len().min(most);
    for (index, (word, help)) in fitting.into_iter().take(count).enumerate() {
        let y = area.y - u16::try_from(count - index).unwrap_or(1);
        let row = Rect { y, height: 1, ..area };
        frame.render_widget(Clear, row);
        let help = format!("  {help}");
        super::line(
            frame,
            row,
            0,
            Line::from(vec![Span::styled(format!("  {word:<14}"), theme.accent()), Span::raw(help)]),
        );
    }
}
