//! What is above a screen: help, questions, inputs, choices and texts.

use ratatui::layout::{Margin, Rect};
use ratatui::text::{Line, Span};
use ratatui::widgets::{Block, Clear, Widget as _};

use super::pane::Pane;
use crate::tui::domain::{Severity, complete_condition};
use crate::tui::layout;
use crate::tui::model::logs::LogSource;
use crate::tui::model::overlay::{Confirm, Overlay, Purpose, TextInput};
use crate::tui::model::{Cursor, Model};
use crate::tui::palette;
use crate::tui::text::{sanitize, split_at_width, truncate, width, wrap, wrap_words};
use common::text::thousands;

/// Commands that the palette suggests at most.
const MAX_SUGGESTIONS: usize = 8;

pub(super) fn draw(model: &Model, pane: &mut Pane) {
    match &model.overlay {
        None => {}
        Some(Overlay::Input(input)) => draw_input(model, input, pane),
        Some(Overlay::Help(cursor)) => {
            let title = format!("keys of {}", model.screen.name());
            draw_text(model, &title, &help(model, pane), cursor.top, pane);
        }
        Some(Overlay::Text { title, lines, cursor }) => {
            let room = layout::overlay_columns(model);
            let lines: Vec<_> = lines.iter().flat_map(|line| wrap(line, room)).map(Line::raw).collect();
            draw_text(model, &sanitize(title), &lines, cursor.top, pane);
        }
        Some(Overlay::Confirm(confirm)) => draw_confirm(model, confirm, pane),
        Some(Overlay::Sources(cursor)) => {
            let row = |source: &LogSource| {
                let symbol = if source.hidden { "[ ]" } else { "[x]" };
                format!("{symbol} {:<10} {:>8} events", sanitize(&source.name), source.received)
            };
            let rows = model.logs.sources.iter().map(row).collect();
            draw_choice(model, "log sources", rows, cursor.at, pane);
        }
        Some(Overlay::Patterns(cursor)) => draw_patterns(model, cursor, pane),
        Some(Overlay::Targets(cursor)) => {
            let row = |target: &String| {
                let symbol = if *target == model.location.target { "●" } else { " " };
                format!("{symbol} {target}")
            };
            draw_choice(model, "target", model.targets.iter().map(row).collect(), cursor.at, pane);
        }
    }
}

/// Draws a box for this many lines, and returns its inside.
fn draw_box<'a>(model: &Model, title: &str, lines: usize, pane: &'a mut Pane) -> Pane<'a> {
    let area = layout::overlay(model, lines);
    let border = pane.theme.accent();
    let outside = pane.part(area);
    Clear.render(outside.area, outside.buffer);
    let title = format!(" {} ", truncate(title, outside.width().saturating_sub(6)));
    Block::bordered().title(title).border_style(border).render(outside.area, outside.buffer);
    pane.part(area.inner(Margin::new(2, 1)))
}

fn draw_text(model: &Model, title: &str, lines: &[Line], top: usize, pane: &mut Pane) {
    let more_style = pane.theme.dim();
    let mut inside = draw_box(model, title, lines.len(), pane);
    let top = top.min(lines.len().saturating_sub(inside.height()));
    for (row, line) in (0..inside.height()).zip(&lines[top..]) {
        inside.line(row, line.clone());
    }
    let below = lines.len().saturating_sub(top + inside.height());
    if below > 0 {
        // Over the bottom border.
        let border = Rect { y: inside.area.bottom(), height: 1, ..inside.area };
        pane.part(border).line(0, Line::styled(format!(" {below} more "), more_style).right_aligned());
    }
}

fn help(model: &Model, pane: &Pane) -> Vec<Line<'static>> {
    let rows = layout::help(model);
    let widest = rows.iter().map(|(keys, _)| width(keys)).max().unwrap_or(0);
    let row = |(keys, help): (&'static str, &str)| {
        let gap = " ".repeat(widest - width(keys) + 2);
        Line::from(vec![Span::styled(keys, pane.theme.accent()), Span::raw(format!("{gap}{help}"))])
    };
    rows.into_iter().map(row).collect()
}

fn draw_confirm(model: &Model, confirm: &Confirm, pane: &mut Pane) {
    let theme = pane.theme;
    let room = layout::overlay_columns(model).saturating_sub(13);
    let mut lines = vec![Line::styled(confirm.question, theme.warning()), Line::default()];
    for (name, value) in &confirm.details {
        for (index, piece) in wrap_words(&sanitize(value), room).into_iter().enumerate() {
            let name = if index == 0 { *name } else { "" };
            lines.push(vec![Span::styled(format!("{name:<13}"), theme.dim()), Span::raw(piece)].into());
        }
    }
    lines.push(Line::default());
    let [yes, no] = ["y", "n"].map(|key| Span::styled(key, theme.accent()));
    lines.push(vec![yes, Span::raw(" yes   "), no, Span::raw(" no (default)")].into());
    draw_text(model, "confirm", &lines, 0, pane);
}

fn draw_choice(model: &Model, title: &str, rows: Vec<String>, at: usize, pane: &mut Pane) {
    let mut inside = draw_box(model, title, rows.len(), pane);
    for (row, text) in rows.into_iter().enumerate() {
        inside.line(row, text);
    }
    inside.style_row(at, inside.theme.selected());
}

/// Draws an input into the row above the footer, with an error or suggestions above it.
fn draw_input(model: &Model, input: &TextInput, pane: &mut Pane) {
    let theme = pane.theme;
    let (prompt, placeholder) = match input.purpose {
        Purpose::Palette => (":", ""),
        Purpose::Search => ("search: ", "regular expression"),
        Purpose::Filter => ("filter: ", "regular expression; leave empty to show all lines"),
        Purpose::Where => {
            ("where: ", "level >= warn and reason = \"malformed\"; leave empty to show all lines")
        }
        Purpose::Time => ("go to: ", "14:30, 10m ago as 10m, or 2026-03-01 14:30"),
        Purpose::Tunnel if !model.location.capabilities.bastion => {
            ("tunnel: ", "5432:db.example:5432 ec2-user@bastion.example")
        }
        Purpose::Tunnel => {
            ("tunnel: ", "master, replica, metabase, or 5432:db.example:5432 ec2-user@bastion.example")
        }
        Purpose::SaveLogs => ("save as: ", "file name"),
    };
    let at = pane.height() - 2;
    let mut row = pane.rows(at, 1);
    Clear.render(row.area, row.buffer);
    let room = row.width().saturating_sub(width(prompt) + 3);
    let mut spans = vec![Span::styled(format!(" {prompt}"), theme.accent())];
    let [before, under, after] = visible_input(input.input.value(), input.input.cursor(), room);
    spans.extend([Span::raw(before), Span::styled(under, theme.selected()), Span::raw(after)]);
    if input.input.value().is_empty() {
        spans.push(Span::styled(format!(" {}", truncate(placeholder, room)), theme.dim()));
    }
    row.line(0, spans);
    if let Some(error) = &input.error {
        let mut above = pane.rows(at - 1, 1);
        Clear.render(above.area, above.buffer);
        above.text(0, &format!("✗ {}", sanitize(error)), theme.error());
    } else if input.purpose == Purpose::Palette {
        let matching = palette::matching(input.input.value());
        draw_suggestions(matching.into_iter().map(|(words, help)| (words.to_owned(), help)), at, pane);
    } else if input.purpose == Purpose::Where {
        let completion = complete_condition(input.input.value(), &model.logs.field_names);
        draw_suggestions(
            completion.candidates.into_iter().map(|word| (sanitize(&word), String::new())),
            at,
            pane,
        );
    }
}

/// Draws the patterns of the log with their counts.
fn draw_patterns(model: &Model, cursor: &Cursor, pane: &mut Pane) {
    let patterns = &model.logs.patterns;
    let title = format!("{} patterns; Enter shows the lines", patterns.len());
    let mut inside = draw_box(model, &title, patterns.len(), pane);
    let theme = inside.theme;
    for (row, pattern) in patterns.iter().skip(cursor.top).take(inside.height()).enumerate() {
        let level = pattern.level.map_or("", Severity::name);
        let style = match pattern.level {
            Some(Severity::Error) => theme.error(),
            Some(Severity::Warn) => theme.warning(),
            _ => theme.text(),
        };
        let count = thousands(i64::try_from(pattern.count).unwrap_or(i64::MAX));
        let text = truncate(&sanitize(&pattern.template), inside.width().saturating_sub(15));
        inside.line(
            row,
            vec![Span::raw(format!("{count:>8} ")), Span::styled(format!("{level:<5} {text}"), style)],
        );
    }
    inside.style_row(cursor.at - cursor.top, theme.selected());
}

/// The visible part of an input: the text before the cursor, the character under it, and the text after it, in at most `room` cells
/// before and after the cursor together.
fn visible_input(value: &str, cursor: usize, room: usize) -> [String; 3] {
    let at = value.char_indices().nth(cursor).map_or(value.len(), |(at, _)| at);
    let (before, rest) = value.split_at(at);
    let (before, rest) = (sanitize(before), sanitize(rest));
    let mut visible = before.as_str();
    while width(visible) > room {
        visible = visible.char_indices().nth(1).map_or("", |(next, _)| &visible[next..]);
    }
    let under_len = rest.chars().next().map_or(0, char::len_utf8);
    let (under, after) = rest.split_at(under_len);
    let under = if under.is_empty() { " " } else { under };
    let (after, _) = split_at_width(after, (room + 1).saturating_sub(width(visible) + width(under)));
    [visible.to_owned(), under.to_owned(), after.to_owned()]
}

/// Draws suggestions with their descriptions into the rows above `at`.
fn draw_suggestions(matching: impl Iterator<Item = (String, String)>, at: usize, pane: &mut Pane) {
    let command = pane.theme.accent();
    let mut matching: Vec<_> = matching.collect();
    matching.truncate(MAX_SUGGESTIONS.min(at.saturating_sub(3)));
    let first = at - matching.len();
    for (row, (words, help)) in (first..).zip(matching) {
        let mut pane = pane.rows(row, 1);
        Clear.render(pane.area, pane.buffer);
        pane.line(0, vec![Span::styled(format!("  {words:<14}"), command), Span::raw(format!("  {help}"))]);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn assert_visible(value: &str, cursor: usize, room: usize, wanted: [&str; 3]) {
        let visible = visible_input(value, cursor, room);
        assert_eq!(visible, wanted, "`{value}` with the cursor at {cursor} in {room} cells");
        assert!(
            width(&visible.concat()) <= room + 1,
            "{visible:?} is wider than {room} cells and the cursor"
        );
    }

    #[test]
    fn visible_input_scrolls_with_the_cursor() {
        assert_visible("", 0, 5, ["", " ", ""]);
        assert_visible("abc", 3, 5, ["abc", " ", ""]);
        assert_visible("abc", 1, 5, ["a", "b", "c"]);
        assert_visible("abcdefgh", 8, 5, ["defgh", " ", ""]);
        assert_visible("abcdefgh", 0, 5, ["", "a", "bcdef"]);
        assert_visible("abcdefgh", 6, 5, ["bcdef", "g", ""]);
    }

    #[test]
    fn visible_input_counts_the_cells_of_wide_characters() {
        assert_visible("测试测试", 4, 5, ["测试", " ", ""]);
        assert_visible("测试测试", 1, 5, ["测", "试", "测"]);
        assert_visible("a\u{202e}b", 3, 20, ["a\\u{202e}b", " ", ""]);
    }
}
