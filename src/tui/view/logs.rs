//! All sources, merged. Only what is in sight is looked at, however many lines there are.

use ratatui::Frame;
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::Style;
use ratatui::text::{Line, Span};
use regex::Regex;

use super::super::model::Model;
use super::super::model::logs::{Logs, Row, Stamps, WINDOWS};
use super::super::text::{broken, cells, cut, pad, width};
use super::super::theme::Theme;
use super::{empty, line};
use common::text::thousands;
use logs::{Millis, to_datetime};

pub(super) fn draw(model: &Model, theme: Theme, frame: &mut Frame, area: Rect) {
    line(frame, area, 0, heading(model, theme));
    let list = Rect { y: area.y + 1, height: area.height - 1, ..area };
    let logs = &model.logs;
    if logs.buffer.shown() == 0 {
        return nothing(model, theme, frame, list);
    }
    let (columns, height) = (usize::from(list.width), usize::from(list.height));
    let (first, mut hidden) = logs.first_in_sight(columns, height);
    let mut y = list.y;
    for position in first..logs.buffer.shown() {
        let Some((number, row)) = logs.buffer.at(position) else { break };
        let lines = lines_of(model, number, row, theme, columns);
        let skipped = hidden.min(lines.len());
        hidden -= skipped;
        let start = y;
        for line in lines.into_iter().skip(skipped) {
            if y >= list.y + list.height {
                break;
            }
            line.draw(model, theme, frame.buffer_mut(), Rect { y, height: 1, ..list });
            y += 1;
        }
        if position == logs.at && !logs.following {
            let selected = Rect { y: start, height: y - start, ..list };
            frame.buffer_mut().set_style(selected, theme.selected());
        }
        if y >= list.y + list.height {
            break;
        }
    }
}

/// A line of the screen: the columns before the text, or nothing in their place, and a piece of text.
struct Piece<'a> {
    before: Vec<(String, Style)>,
    indent: usize,
    text: &'a str,
    style: Style,
    after: Option<String>,
}

impl Piece<'_> {
    fn draw(&self, model: &Model, theme: Theme, buffer: &mut Buffer, area: Rect) {
        let right = area.x + area.width;
        let mut x = area.x + 1;
        for (text, style) in &self.before {
            x = buffer.set_stringn(x, area.y, text, usize::from(right.saturating_sub(x)), *style).0;
        }
        x = x.max(area.x + u16::try_from(self.indent).unwrap_or(0)).min(right);
        let room = usize::from(right.saturating_sub(x));
        let (text, rest) = cut(self.text, room);
        let start = x;
        x = buffer.set_stringn(x, area.y, text, room, self.style).0;
        if let Some(search) = &model.logs.search {
            highlight(buffer, search, text, (start, area.y), theme.found());
        }
        if !rest.is_empty() && right > area.x {
            buffer.set_string(right - 1, area.y, "…", theme.faint());
        } else if let Some(after) = &self.after {
            buffer.set_stringn(x, area.y, after, usize::from(right.saturating_sub(x)), theme.faint());
        }
    }
}

fn highlight(buffer: &mut Buffer, search: &Regex, text: &str, (x, y): (u16, u16), style: Style) {
    for found in search.find_iter(text).filter(|found| !found.is_empty()) {
        let start = x + u16::try_from(width(&text[..found.start()])).unwrap_or(0);
        let length = u16::try_from(width(found.as_str())).unwrap_or(0);
        buffer.set_style(Rect { x: start, y, width: length, height: 1 }, style);
    }
}

fn lines_of<'a>(model: &Model, number: u64, row: &'a Row, theme: Theme, columns: usize) -> Vec<Piece<'a>> {
    let logs = &model.logs;
    let Some(source) = row.source else {
        let before = vec![(format!("── {} {}", row.text, "─".repeat(columns)), theme.accent())];
        return vec![Piece { before, indent: 0, text: "", style: theme.accent(), after: None }];
    };
    let name = logs.sources.get(source).map_or("", |source| source.name.as_str());
    let names = logs.sources.iter().map(|source| source.name.len()).max().unwrap_or(0);
    let mut before = Vec::with_capacity(4);
    if let Some(stamp) = stamp(model, row.time) {
        before.push((stamp, theme.faint()));
    }
    before.push((pad(name, names) + " ", theme.source(name)));
    before.push((format!("{:<6}", row.level.word()), theme.level(row.level)));
    if let Some(late) = row.late {
        before.push((pad(&lateness(late), 12), theme.warn()));
    }
    let unfolded = logs.is_unfolded(number);
    let indent = logs.indent();
    let room = columns.saturating_sub(indent).max(8);
    let text = if row.level == super::super::model::logs::Level::Error { theme.bad() } else { theme.text() };
    let folded = (!row.more.is_empty() && !unfolded).then(|| format!("  (+{} lines)", row.more.len()));
    let pieces = |line: &'a str| if logs.wrap { broken(line, room) } else { vec![line] };
    let mut lines: Vec<Piece> = Vec::new();
    for piece in pieces(&row.text) {
        let before = std::mem::take(&mut before);
        lines.push(Piece { before, indent, text: piece, style: text, after: None });
    }
    if let Some(last) = lines.last_mut() {
        last.after = folded;
    }
    if unfolded {
        let more = row.more.iter().flat_map(|line| pieces(line));
        lines.extend(more.map(|piece| Piece {
            before: Vec::new(),
            indent,
            text: piece,
            style: theme.faint(),
            after: None,
        }));
    }
    lines
}

fn stamp(model: &Model, time: Millis) -> Option<String> {
    let time = to_datetime(time).with_timezone(&model.zone);
    match model.logs.stamps {
        Stamps::Day => Some(time.format("%H:%M:%S ").to_string()),
        Stamps::Whole => Some(time.format("%Y-%m-%d %H:%M:%S%.3f ").to_string()),
        Stamps::None => None,
    }
}

fn lateness(late: Millis) -> String {
    match late {
        0..1000 => format!("+{late}ms late"),
        1000..600_000 => format!("+{}s late", late / 1000),
        _ => format!("+{}m late", late / 60_000),
    }
}

/// What is shown, and of how much.
fn heading(model: &Model, theme: Theme) -> Line<'static> {
    let logs = &model.logs;
    let mut spans = vec![Span::styled(" LOGS ", theme.title())];
    let state = if logs.following { (" following", theme.good()) } else { (" paused", theme.warn()) };
    spans.push(Span::styled(state.0, state.1));
    let count = |number: usize| thousands(i64::try_from(number).unwrap_or(i64::MAX));
    let (shown, kept) = (logs.buffer.shown(), logs.buffer.len());
    let of = if shown == kept { String::new() } else { format!(" of {}", count(kept)) };
    spans.push(Span::raw(format!(" · {}{of} lines · last {}", count(shown), WINDOWS[logs.window].1)));
    if logs.buffer.dropped > 0 {
        let dropped = usize::try_from(logs.buffer.dropped).unwrap_or(usize::MAX);
        spans.push(Span::styled(format!(" · {} older ones left out", count(dropped)), theme.faint()));
    }
    if let Some(run) = logs.run {
        let run: String = run.to_string().chars().take(8).collect();
        spans.push(Span::styled(format!(" · run {run}"), theme.accent()));
    }
    if let Some(filter) = &logs.filter {
        spans.push(Span::styled(format!(" · filter {}", cells(filter.as_str())), theme.accent()));
    }
    if let Some(search) = &logs.search {
        spans.push(Span::styled(format!(" · search {}", cells(search.as_str())), theme.accent()));
    }
    let hidden: Vec<&str> =
        logs.sources.iter().filter(|source| source.hidden).map(|source| source.name.as_str()).collect();
    if !hidden.is_empty() {
        spans.push(Span::styled(format!(" · without {}", hidden.join(", ")), theme.warn()));
    }
    if let Some(note) = &logs.note {
        spans.push(Span::styled(format!(" · {}", cells(note)), theme.faint()));
    }
    Line::from(spans)
}

fn nothing(model: &Model, theme: Theme, frame: &mut Frame, area: Rect) {
    let Logs { buffer, caught_up, window, .. } = &model.logs;
    let text = if !buffer.is_empty() {
        "no line matches; Esc takes the filter away, o chooses the sources".to_owned()
    } else if *caught_up {
        format!("nothing was logged in the last {}; ] looks further back", WINDOWS[*window].1)
    } else {
        "reading".to_owned()
    };
    empty(frame, area, 1, &text, theme.faint());
}
