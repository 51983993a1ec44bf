//! The Overview: health, freshness and the latest runs.

use ratatui::style::Modifier;
use ratatui::text::{Line, Span};

use super::pane::Pane;
use super::runs;
use super::table::{column, fixed, table};
use crate::tui::domain::Component;
use crate::tui::layout;
use crate::tui::model::Model;
use crate::tui::model::freshness::freshness;
use crate::tui::text::{pad, sanitize, truncate, width};
use common::text::age;

/// Rows of the components while there are none, for the reason.
const EMPTY_ROWS: usize = 5;

pub(super) fn draw(model: &Model, pane: &mut Pane) {
    let components = model.overview.components.items();
    let start = layout::components_row(model);
    draw_freshness(model, pane, start > 2);
    if start > 2 {
        draw_stages(model, components, &mut pane.rows(3, 3));
        pane.remote_title(start - 2, "COMPONENTS", &model.overview.components, model);
    }
    let count = if components.is_empty() { EMPTY_ROWS } else { components.len() };
    draw_components(model, &mut pane.rows(start - 1, count + 1));
    let below = start + count + 1;
    if below + 2 < pane.height() {
        draw_latest_runs(model, &mut pane.below(below));
    }
}

fn draw_freshness(model: &Model, pane: &mut Pane, with_delay: bool) {
    let theme = pane.theme;
    let history = &model.runs.history;
    let freshness = freshness(model.overview.components.items(), history.items());
    let published = freshness.published_at.map(|at| format!("published {}", age(at, model.now)));
    let (text, style) = match (freshness.updated_on, published) {
        (Some(date), Some(published)) => (format!("data of {date}, {published}"), theme.text()),
        (None, Some(published)) => (published, theme.text()),
        _ if history.value.is_some() => ("nothing is published yet".to_owned(), theme.text()),
        _ if history.error.is_some() => ("unknown".to_owned(), theme.error()),
        _ => ("…".to_owned(), theme.dim()),
    };
    pane.line(0, vec![Span::styled(" FRESHNESS  ", theme.title()), Span::styled(text, style)]);
    let delay = match freshness.delayed_by {
        Some(reason) => Line::styled(format!("            delayed: {reason}"), theme.warning()),
        None if freshness.published_at.is_some() => Line::styled("            up to date", theme.success()),
        None => Line::default(),
    };
    if with_delay {
        pane.line(1, delay);
    }
}

/// The name of a component among the stages of the pipeline; none if it is not a stage.
fn stage_name(component: &Component) -> Option<&str> {
    match component.name.as_str() {
        "report" | "bastion" | "alarms" => None,
        "last etl" => Some("etl"),
        "last report" => Some("report"),
        name => Some(name),
    }
}

/// Draws the stages of the pipeline side by side, with their state and age.
fn draw_stages(model: &Model, components: &[Component], pane: &mut Pane) {
    let theme = pane.theme;
    let stages: Vec<_> =
        components.iter().filter_map(|component| Some((stage_name(component)?, component))).collect();
    if stages.is_empty() {
        return;
    }
    let room = pane.width().saturating_sub(1);
    let arrow = if room / stages.len() >= 15 { " ─▶ " } else { "→ " };
    // No arrow follows the last stage.
    let each = ((room + width(arrow)) / stages.len()).min(26);
    let mut rows = [vec![Span::raw(" ")], vec![Span::raw(" ")], vec![Span::raw(" ")]];
    for (at, (name, stage)) in stages.iter().enumerate() {
        let (symbol, style) = theme.component_state(stage.state);
        let name = truncate(&sanitize(name), each.saturating_sub(width(arrow)));
        let arrow = if at + 1 < stages.len() { arrow } else { "" };
        let gap = " ".repeat(each.saturating_sub(width(&name) + width(arrow)));
        rows[0].push(Span::styled(name, style.add_modifier(Modifier::BOLD)));
        rows[0].push(Span::raw(gap));
        rows[0].push(Span::styled(arrow, theme.dim()));
        rows[1].push(Span::styled(pad(&format!("{symbol} {}", stage.state), each), style));
        let since = stage.since.map(|since| age(since, model.now)).unwrap_or_default();
        let since = if width(&since) < each { since.as_str() } else { since.trim_end_matches(" ago") };
        rows[2].push(Span::styled(pad(since, each), theme.dim()));
    }
    for (row, spans) in rows.into_iter().enumerate() {
        pane.line(row, spans);
    }
}

fn draw_components(model: &Model, pane: &mut Pane) {
    let theme = pane.theme;
    let components = model.overview.components.items();
    if components.is_empty() {
        return pane.no_value(1, &model.overview.components);
    }
    let row = |component: &Component| {
        let (symbol, style) = theme.component_state(component.state);
        let since = component.since.map_or_else(|| "-".to_owned(), |since| age(since, model.now));
        vec![
            column("", 1, 0).cell(symbol, style),
            fixed("COMPONENT", 0).cell(sanitize(&component.name), theme.text()),
            fixed("STATE", 0).cell(component.state.to_string(), style),
            fixed("SINCE", 1).cell(since, theme.text()),
            column("DETAIL", 8, 0).cell(sanitize(&component.detail), theme.text()),
        ]
    };
    let rows: Vec<_> = components.iter().map(row).collect();
    table(pane, &rows, Some(model.overview.cursor.at));
}

fn draw_latest_runs(model: &Model, pane: &mut Pane) {
    let tunnels = match model.tunnels.open_count() {
        0 => "no open tunnels".to_owned(),
        1 => "1 open tunnel".to_owned(),
        count => format!("{count} open tunnels"),
    };
    let active = match model.runs.active.items().len() {
        0 => "none active".to_owned(),
        count => format!("{count} active"),
    };
    pane.title("LATEST RUNS", &format!("{active} · {tunnels}"));
    let rows = model.runs.rows();
    if !rows.is_empty() {
        let shown = rows.len().min(pane.height().saturating_sub(2));
        runs::draw_rows(model, &rows[..shown], &mut pane.below(1));
    } else if model.runs.history.value.is_some() {
        pane.dim(1, "no runs yet; press p to run the pipeline");
    } else {
        pane.no_value(1, &model.runs.history);
    }
}
