//! The checks of `covidctl doctor`, worst first, with the cure of the selected one; metrics as sparklines with their thresholds.

use ratatui::style::Style;
use ratatui::text::Span;

use super::pane::Pane;
use super::table::{column, fixed, list};
use crate::tui::domain::{Check, CheckOutcome};
use crate::tui::layout;
use crate::tui::model::Model;
use crate::tui::model::health::MachineMetrics;
use crate::tui::text::sanitize;
use crate::tui::theme::Theme;

const BARS: [&str; 8] = ["▁", "▂", "▃", "▄", "▅", "▆", "▇", "█"];

/// A metric: its name, its samples in per cent or another unit, the unit, and the value from which it is a warning.
type Metric = (&'static str, Vec<f64>, &'static str, Option<f64>);

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
    let mut below = pane.below(rows + 3);
    for (row, metric) in metrics(model).into_iter().enumerate() {
        draw_metric(metric, &mut below.rows(row, 1));
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

fn metrics(model: &Model) -> Vec<Metric> {
    let machine = |of: fn(&MachineMetrics) -> f64| model.health.samples.iter().map(of).collect();
    let database = &model.database;
    let mut metrics: Vec<Metric> = Vec::new();
    if !model.health.samples.is_empty() {
        metrics.push(("load", machine(|metrics| metrics.load), "% of the processors", Some(100.0)));
        metrics.push(("memory", machine(|metrics| metrics.memory), "% in use", Some(90.0)));
        metrics.push(("disk", machine(|metrics| metrics.disk), "% in use", Some(90.0)));
    }
    metrics.push((
        "connections",
        database.connections.iter().copied().collect(),
        "% of the limit",
        Some(80.0),
    ));
    metrics.push(("transactions", database.transactions.iter().copied().collect(), "a second", None));
    metrics
}

/// Draws a metric: the newest samples to the right, the value, and whether it is beyond its threshold.
fn draw_metric((name, samples, unit, threshold): Metric, pane: &mut Pane) {
    let theme = pane.theme;
    let columns = pane.width().saturating_sub(56).clamp(8, 60);
    let newest = &samples[samples.len().saturating_sub(columns)..];
    // Per cent fill a hundred; a rate without a limit fills its own highest value.
    let highest = if threshold.is_some() { 100.0 } else { newest.iter().copied().fold(1.0, f64::max) };
    let bar = |value: &f64| {
        let eighth = (value / highest * 7.0).round().clamp(0.0, 7.0);
        BARS.iter().zip(0_u8..).find(|(_, at)| f64::from(*at) >= eighth).map_or("█", |(bar, _)| *bar)
    };
    let bars: String = newest.iter().map(bar).collect();
    let is_beyond = newest.last().zip(threshold).is_some_and(|(value, threshold)| *value >= threshold);
    let style = if is_beyond { theme.warning() } else { theme.accent() };
    let value = newest.last().map_or_else(|| "-".to_owned(), |value| format!("{value:.1}"));
    let limit = threshold.map_or_else(String::new, |threshold| format!(", warning from {threshold}"));
    pane.line(
        0,
        vec![
            Span::styled(format!(" {name:<13}"), theme.dim()),
            Span::styled(format!("{bars:>columns$}"), style),
            Span::styled(format!(" {value:>7} {unit}{limit}"), if is_beyond { style } else { theme.text() }),
        ],
    );
}
