//! The checks of `covidctl doctor`, worst first, with the cure of the selected one; metrics as sparklines with their thresholds.

use ratatui::style::Style;
use ratatui::text::Span;

use super::pane::Pane;
use super::table::{column, fixed, list};
use crate::tui::domain::{Check, CheckOutcome, Metric, WarningRange};
use crate::tui::layout;
use crate::tui::model::Model;
use crate::tui::model::health::MachineMetrics;
use crate::tui::text::sanitize;
use crate::tui::theme::Theme;

const BARS: [&str; 8] = ["▁", "▂", "▃", "▄", "▅", "▆", "▇", "█"];

/// Columns of the names of metrics, at least and at most.
const NAME_COLUMNS: (usize, usize) = (13, 24);

pub(super) fn draw(model: &Model, pane: &mut Pane) {
    let health = &model.health;
    pane.remote_title(0, "HEALTH", &health.checks, model);
    let rows = layout::check_list_rows(model);
    let theme = pane.theme;
    if health.checks.value.is_none() {
        pane.no_value(2, &health.checks);
    } else {
        let cursor = (health.cursor, model.has_focus());
        list(&mut pane.rows(1, rows + 1), cursor, health.checks.items(), |check: &Check| {
            let (word, style) = outcome(check.outcome, theme);
            vec![
                fixed("", 0).cell(word, style),
                fixed("CHECK", 0).cell(check.name.clone(), theme.text()),
                column("DETAIL", 10, 0).cell(sanitize(&check.detail.replace('\n', " ")), style),
            ]
        });
        draw_cure(health.selected(), &mut pane.rows(rows + 2, 1));
    }
    let error = health.metrics.error.as_ref();
    if let Some(error) = error {
        let text = format!(" {}", sanitize(&error.message.replace('\n', " ")));
        pane.line(rows + 3, vec![Span::styled(text, theme.warning())]);
    }
    let mut below = pane.below(rows + 3 + usize::from(error.is_some()));
    let mut metrics = metrics(model);
    // Those that are a warning are seen even if there is no room for all.
    if metrics.len() > layout::metric_rows(model) {
        metrics.sort_by_key(|metric| !metric.is_warning());
    }
    let longest = metrics.iter().map(|metric| metric.name.chars().count()).max().unwrap_or_default();
    let columns = (longest + 1).clamp(NAME_COLUMNS.0, NAME_COLUMNS.1);
    for (row, metric) in metrics.iter().take(layout::metric_rows(model)).enumerate() {
        draw_metric(metric, columns, &mut below.rows(row, 1));
    }
}

fn outcome(outcome: CheckOutcome, theme: Theme) -> (&'static str, Style) {
    match outcome {
        CheckOutcome::Ok => ("✓ ok", theme.success()),
        CheckOutcome::Warning => ("! warning", theme.warning()),
        CheckOutcome::Failed => ("✗ failed", theme.error()),
    }
}

fn draw_cure(check: Option<&Check>, pane: &mut Pane) {
    let theme = pane.theme;
    if let Some(hint) = check.and_then(|check| check.hint.as_deref()) {
        let text = sanitize(&hint.replace('\n', " "));
        pane.line(
            0,
            vec![Span::styled(" cure (c copies it): ", theme.dim()), Span::styled(text, theme.accent())],
        );
    }
}

/// The metrics that a service has kept, then those of this program's own samples.
fn metrics(model: &Model) -> Vec<Metric> {
    let metric = |name: &str, values: Vec<f64>, unit, limit: Option<f64>| Metric {
        name: name.to_owned(),
        unit,
        values,
        warning: limit.map(WarningRange::From),
    };
    let machine = |of: fn(&MachineMetrics) -> f64| model.health.samples.iter().map(of).collect();
    let database = &model.database;
    let mut metrics =
        model.health.metrics.value.as_ref().map_or_else(Vec::new, |metrics| metrics.kept.clone());
    if !model.health.samples.is_empty() {
        metrics.push(metric("load", machine(|metrics| metrics.load), "% of the processors", Some(100.0)));
        metrics.push(metric("memory", machine(|metrics| metrics.memory), "% in use", Some(90.0)));
        metrics.push(metric("disk", machine(|metrics| metrics.disk), "% in use", Some(90.0)));
    }
    let connections = database.connections.iter().copied().collect();
    metrics.push(metric("connections", connections, "% of the limit", Some(80.0)));
    metrics.push(metric("transactions", database.transactions.iter().copied().collect(), "a second", None));
    metrics
}

/// Draws a metric: the newest values to the right, the last of them, and which ones are a warning.
fn draw_metric(metric: &Metric, name_columns: usize, pane: &mut Pane) {
    let theme = pane.theme;
    let columns = pane.width().saturating_sub(43 + name_columns).clamp(8, 60);
    let newest = &metric.values[metric.values.len().saturating_sub(columns)..];
    // Per cent fill a hundred; another unit fills its own highest value.
    let highest =
        if metric.unit.starts_with('%') { 100.0 } else { newest.iter().copied().fold(1.0, f64::max) };
    let bar = |value: &f64| {
        let eighth = (value / highest * 7.0).round().clamp(0.0, 7.0);
        BARS.iter().zip(0_u8..).find(|(_, at)| f64::from(*at) >= eighth).map_or("█", |(bar, _)| *bar)
    };
    let bars: String = newest.iter().map(bar).collect();
    let (style, text) =
        if metric.is_warning() { (theme.warning(), theme.warning()) } else { (theme.accent(), theme.text()) };
    let value = newest.last().map_or_else(|| "-".to_owned(), |value| format!("{value:.1}"));
    let limit = metric.warning.map_or_else(String::new, |warning| format!(", {warning}"));
    let name: String = sanitize(&metric.name).chars().take(name_columns).collect();
    pane.line(
        0,
        vec![
            Span::styled(format!(" {name:<name_columns$}"), theme.dim()),
            Span::styled(format!("{bars:>columns$}"), style),
            Span::styled(format!(" {value:>7} {}{limit}", metric.unit), text),
        ],
    );
}
