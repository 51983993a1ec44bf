//! The merged log lines of all sources. Only visible rows are processed, whatever the size of the buffer.

use ratatui::style::Style;
use ratatui::text::Span;
use regex::Regex;

use super::histogram;
use super::pane::Pane;
use crate::tui::domain::{Millis, to_datetime};
use crate::tui::layout;
use crate::tui::model::Model;
use crate::tui::model::logs::{LATE_MARK, LogLevel, LogRow, Timestamps, Viewport, WINDOWS};
use crate::tui::text::{pad, sanitize, short_id, split_at_width, width, wrap};
use crate::tui::theme::Theme;
use common::text::thousands;

pub(super) fn draw(model: &Model, pane: &mut Pane) {
    draw_heading(model, pane);
    let logs = &model.logs;
    let strip = layout::strip_rows(model);
    if strip > 0 {
        histogram::draw(logs.buffer.histogram(), &mut pane.rows(1, strip));
    }
    let mut pane = pane.below(1 + strip);
    if logs.buffer.shown() == 0 {
        return pane.dim(1, &empty_text(model));
    }
    let view = Viewport { width: pane.width(), height: pane.height() };
    let (first, mut hidden) = logs.first_visible(view);
    let mut at = 0;
    for position in first..logs.buffer.shown() {
        let Some((_, row)) = logs.buffer.at(position) else { break };
        let start = at;
        let lines = lines_of(model, row, pane.theme, view.width);
        for line in lines.iter().skip(hidden).take(view.height - at) {
            line.draw(logs.search.as_ref(), &mut pane.rows(at, 1));
            at += 1;
        }
        hidden = hidden.saturating_sub(lines.len());
        if position == logs.at && !logs.following {
            (start..at).for_each(|row| pane.style_row(row, pane.theme.selected()));
        }
        if at == view.height {
            break;
        }
    }
}

/// A line of the screen: columns before the text, or a margin of their width, and a part of the text.
struct ScreenLine<'a> {
    columns: Vec<(String, Style)>,
    text_column: usize,
    text: &'a str,
    style: Style,
    suffix: Option<String>,
}

impl ScreenLine<'_> {
    fn draw(&self, search: Option<&Regex>, pane: &mut Pane) {
        let (area, theme) = (pane.area, pane.theme);
        let right = area.right();
        let room = |x: u16| usize::from(right.saturating_sub(x));
        let mut x = area.x + 1;
        for (text, style) in &self.columns {
            x = pane.buffer.set_stringn(x, area.y, text, room(x), *style).0;
        }
        let start = x.max(area.x + u16::try_from(self.text_column).unwrap_or(0)).min(right);
        let (text, rest) = split_at_width(self.text, room(start));
        x = pane.buffer.set_stringn(start, area.y, text, room(start), self.style).0;
        let matches = search.iter().flat_map(|search| search.find_iter(text));
        for found in matches.filter(|found| !found.is_empty()) {
            let [offset, length] =
                [&text[..found.start()], found.as_str()].map(|text| u16::try_from(width(text)).unwrap_or(0));
            let area = ratatui::layout::Rect { x: start + offset, width: length, ..area };
            pane.buffer.set_style(area, theme.search_match());
        }
        if !rest.is_empty() && right > area.x {
            pane.buffer.set_string(right - 1, area.y, "…", theme.dim());
        } else if let Some(suffix) = &self.suffix {
            pane.buffer.set_stringn(x, area.y, suffix, room(x), theme.dim());
        }
    }
}

fn lines_of<'a>(model: &Model, row: &'a LogRow, theme: Theme, width: usize) -> Vec<ScreenLine<'a>> {
    let logs = &model.logs;
    let Some(source) = row.source else {
        let columns = vec![(format!("── {} {}", row.text, "─".repeat(width)), theme.accent())];
        return vec![ScreenLine { columns, text_column: 0, text: "", style: theme.accent(), suffix: None }];
    };
    let name = logs.sources.get(source).map_or("", |source| source.name.as_str());
    let mut columns = Vec::with_capacity(4);
    columns.extend(timestamp(model, row.time).map(|timestamp| (timestamp, theme.dim())));
    columns.push((pad(name, logs.source_width()) + " ", theme.log_source(name)));
    columns.push((format!("{:<6}", row.level.name()), theme.log_level(row.level)));
    columns.extend(row.late.map(|late| (pad(&late_mark(late), LATE_MARK), theme.warning())));
    let text_column = logs.text_column();
    let room = width.saturating_sub(text_column).max(8);
    let pieces = |line: &'a str| if logs.wrap { wrap(line, room) } else { vec![line] };
    let line = |text, style| ScreenLine { columns: Vec::new(), text_column, text, style, suffix: None };
    let style = if row.level == LogLevel::Error { theme.error() } else { theme.text() };
    let mut lines: Vec<_> = pieces(&row.text).into_iter().map(|text| line(text, style)).collect();
    if let Some(first) = lines.first_mut() {
        first.columns = columns;
    }
    if logs.unfolded {
        let more = row.more.iter().flat_map(|text| pieces(text));
        lines.extend(more.map(|text| line(text, theme.dim())));
    } else if let Some(last) = lines.last_mut().filter(|_| !row.more.is_empty()) {
        let (number, plural) = (row.folded(), if row.folded() == 1 { "" } else { "s" });
        last.suffix = Some(format!("  (+{number} line{plural})"));
    }
    lines
}

fn timestamp(model: &Model, time: Millis) -> Option<String> {
    let time = to_datetime(time).with_timezone(&model.zone);
    match model.logs.timestamps {
        Timestamps::Time => Some(time.format("%H:%M:%S ").to_string()),
        Timestamps::Full => Some(time.format("%Y-%m-%d %H:%M:%S%.3f ").to_string()),
        Timestamps::Hidden => None,
    }
}

fn late_mark(late: Millis) -> String {
    match late {
        0..1000 => format!("+{late}ms late"),
        1000..600_000 => format!("+{}s late", late / 1000),
        _ => format!("+{}m late", late / 60_000),
    }
}

fn draw_heading(model: &Model, pane: &mut Pane) {
    let (logs, theme) = (&model.logs, pane.theme);
    let (state, style) =
        if logs.following { (" following", theme.success()) } else { (" paused", theme.warning()) };
    let count = |number: usize| thousands(i64::try_from(number).unwrap_or(i64::MAX));
    let (shown, kept) = (logs.buffer.shown(), logs.buffer.len());
    let of = if shown == kept { String::new() } else { format!(" of {}", count(kept)) };
    let window = WINDOWS[logs.window].1;
    let mut spans = vec![
        Span::styled(" LOGS ", theme.title()),
        Span::styled(state, style),
        Span::raw(format!(" · {}{of} lines · last {window}", count(shown))),
    ];
    let mut add = |text: Option<String>, style| {
        spans.extend(text.map(|text| Span::styled(format!(" · {text}"), style)));
    };
    let dropped = usize::try_from(logs.buffer.dropped).unwrap_or(usize::MAX);
    add((dropped > 0).then(|| format!("{} older lines dropped", count(dropped))), theme.dim());
    add(logs.run.map(|run| format!("run {}", short_id(&run))), theme.accent());
    let pattern = |pattern: &Regex| sanitize(pattern.as_str());
    let filter = &logs.buffer.filter;
    add(
        filter.pattern.as_ref().map(|pattern| format!("pattern {}", sanitize(&pattern.template))),
        theme.accent(),
    );
    add(
        filter.condition.as_ref().map(|condition| format!("where {}", sanitize(condition.text()))),
        theme.accent(),
    );
    add(filter.grep.as_ref().map(|filter| format!("filter {}", pattern(filter))), theme.accent());
    add(logs.search.as_ref().map(|search| format!("search {}", pattern(search))), theme.accent());
    let hidden = logs.sources.iter().filter(|source| source.hidden);
    let hidden: Vec<&str> = hidden.map(|source| source.name.as_str()).collect();
    add((!hidden.is_empty()).then(|| format!("without {}", hidden.join(", "))), theme.warning());
    add(logs.status.as_deref().map(sanitize), theme.dim());
    pane.line(0, spans);
}

fn empty_text(model: &Model) -> String {
    let logs = &model.logs;
    if !logs.buffer.is_empty() {
        "no line matches; press Esc to remove the filter, or o to choose sources".to_owned()
    } else if logs.caught_up {
        format!("no lines in the last {}; press ] to look further back", WINDOWS[logs.window].1)
    } else {
        "loading".to_owned()
    }
}
