//! Is it healthy, is it fresh, what runs.

use ratatui::Frame;
use ratatui::layout::Rect;
use ratatui::style::Modifier;
use ratatui::text::{Line, Span};

use super::super::layout;
use super::super::model::Model;
use super::super::model::freshness::freshness;
use super::super::text::{cells, fit, pad, width};
use super::super::theme::Theme;
use super::table::{Table, cell, column};
use super::{empty, line, runs, title, titled, unanswered};
use common::text::age;
use target::Component;

pub(super) fn draw(model: &Model, theme: Theme, frame: &mut Frame, area: Rect) {
    let parts = model.overview.parts.last.as_deref().unwrap_or_default();
    let [fresh, held] = fresh(model, parts, theme);
    line(frame, area, 0, fresh);
    let start = u16::try_from(layout::overview_parts(model)).unwrap_or(0);
    if start > 2 {
        line(frame, area, 1, held);
        strip(model, parts, theme, frame, Rect { y: area.y + 3, height: 3, ..area });
        line(frame, area, start - 2, titled("PARTS", &model.overview.parts, model, theme));
    }
    // Where there are none, the reason takes some lines.
    let count = if parts.is_empty() { 5 } else { u16::try_from(parts.len()).unwrap_or(0) };
    let list = Rect { y: area.y + start - 1, height: (count + 1).min(area.height - start + 1), ..area };
    list_of_parts(model, parts, theme, frame, list);
    let below = start + count + 1;
    if below + 2 < area.height {
        let rest = Rect { y: area.y + below, height: area.height - below, ..area };
        last_runs(model, theme, frame, rest);
    }
}

/// How fresh the data are, and what holds them back.
fn fresh(model: &Model, parts: &[Component], theme: Theme) -> [Line<'static>; 2] {
    let known = freshness(parts, model.runs.history.last.as_deref().unwrap_or_default());
    let mut spans = vec![Span::styled(" FRESHNESS", theme.title())];
    match (known.updated_on, known.loaded_at) {
        (Some(date), Some(at)) => {
            spans.push(Span::raw(format!("  data of {date}, published {}", age(at, model.now))));
        }
        (None, Some(at)) => spans.push(Span::raw(format!("  published {}", age(at, model.now)))),
        _ if model.runs.history.last.is_some() => spans.push(Span::raw("  nothing is published yet")),
        _ if model.runs.history.trouble().is_some() => spans.push(Span::styled("  not known", theme.bad())),
        _ => spans.push(Span::styled("  …", theme.faint())),
    }
    let held = match known.held_by {
        Some(why) => Line::styled(format!("            held back: {why}"), theme.warn()),
        None if known.loaded_at.is_some() => Line::styled("            nothing holds it back", theme.good()),
        None => Line::default(),
    };
    [Line::from(spans), held]
}

/// What the data pass through has a place in the strip, under a short name; the rest stands in the list alone.
fn stage(part: &Component) -> Option<&str> {
    match part.name.as_str() {
        "report" | "bastion" | "alarms" => None,
        "last etl" => Some("etl"),
        "last report" => Some("report"),
        name => Some(name),
    }
}

/// The pipeline as a strip: each stage with its state and age.
fn strip(model: &Model, parts: &[Component], theme: Theme, frame: &mut Frame, area: Rect) {
    let stages: Vec<(&str, &Component)> =
        parts.iter().filter_map(|part| Some((stage(part)?, part))).collect();
    if stages.is_empty() {
        return;
    }
    let room = usize::from(area.width).saturating_sub(1);
    let arrow = if room / stages.len() >= 15 { " ─▶ " } else { "→ " };
    // The last one has no arrow behind it.
    let each = ((room + width(arrow)) / stages.len()).min(26);
    let mut rows = [vec![Span::raw(" ")], vec![Span::raw(" ")], vec![Span::raw(" ")]];
    for (at, (name, part)) in stages.iter().enumerate() {
        let (sign, style) = theme.state(part.state);
        let name = fit(&cells(name), each.saturating_sub(width(arrow)));
        let arrow = if at + 1 < stages.len() { arrow } else { "" };
        let gap = " ".repeat(each.saturating_sub(width(&name) + width(arrow)));
        rows[0].push(Span::styled(name, style.add_modifier(Modifier::BOLD)));
        rows[0].push(Span::raw(gap));
        rows[0].push(Span::styled(arrow, theme.faint()));
        rows[1].push(Span::styled(pad(&format!("{sign} {}", part.state), each), style));
        let since = part.since.map(|since| age(since, model.now)).unwrap_or_default();
        let since = if width(&since) < each { since.as_str() } else { since.trim_end_matches(" ago") };
        rows[2].push(Span::styled(pad(since, each), theme.faint()));
    }
    for (row, spans) in (0..).zip(rows) {
        line(frame, area, row, Line::from(spans));
    }
}

fn list_of_parts(model: &Model, parts: &[Component], theme: Theme, frame: &mut Frame, area: Rect) {
    if parts.is_empty() {
        return unanswered(&model.overview.parts, theme, frame, area, 1);
    }
    let row = |part: &Component| {
        let (sign, style) = theme.state(part.state);
        let since = part.since.map_or_else(|| "-".to_owned(), |since| age(since, model.now));
        vec![
            cell(sign, style),
            cell(cells(&part.name), theme.text()),
            cell(part.state.to_string(), style),
            cell(since, theme.text()),
            cell(cells(&part.detail), theme.text()),
        ]
    };
    let columns = [
        column("", 1, 0),
        column("PART", usize::MAX, 0),
        column("STATE", usize::MAX, 0),
        column("SINCE", usize::MAX, 1),
        column("DETAIL", 8, 0),
    ];
    let rows = parts.iter().map(row).collect();
    Table { columns: &columns, rows, selected: Some(model.overview.cursor.at) }.draw(theme, frame, area);
}

fn last_runs(model: &Model, theme: Theme, frame: &mut Frame, area: Rect) {
    let open = model.tunnels.open();
    let tunnels = match open {
        0 => "no tunnel is open".to_owned(),
        1 => "1 tunnel is open".to_owned(),
        _ => format!("{open} tunnels are open"),
    };
    let active = model.active.last.as_ref().map_or(0, Vec::len);
    let runs = if active == 0 { "none in progress".to_owned() } else { format!("{active} in progress") };
    line(frame, area, 0, title("LAST RUNS", &fit(&format!("{runs} · {tunnels}"), 60), theme));
    let most = usize::from(area.height).saturating_sub(2);
    let rows = model.run_rows();
    if rows.is_empty() {
        return match model.runs.history.last {
            Some(_) => empty(frame, area, 1, "there was none yet; p starts the pipeline", theme.faint()),
            None => unanswered(&model.runs.history, theme, frame, area, 1),
        };
    }
    let list = Rect { y: area.y + 1, height: area.height - 1, ..area };
    runs::table(model, &rows[..rows.len().min(most)], None, theme).draw(theme, frame, list);
}
