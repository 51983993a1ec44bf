//! The phases of a run as a row of a Gantt chart, with what is usual beside it, and the last ninety days as a heat row.

use chrono::{DateTime, FixedOffset, TimeDelta, Utc};
use ratatui::style::Style;
use ratatui::text::{Line, Span};

use super::pane::Pane;
use crate::tui::domain::Run;
use crate::tui::model::Model;
use crate::tui::text::sanitize;
use common::text::span;

/// Earlier runs that the usual duration of a phase is the median of.
const USUAL_RUNS: usize = 10;

/// A phase is slower than usual if it took this many times as long, and at least this much longer.
const SLOW_FACTOR: i32 = 2;
const SLOW_MINIMUM: TimeDelta = TimeDelta::seconds(2);

/// Days of the heat row.
const DAYS: i64 = 90;

/// Phases with their duration, and the median of earlier runs if there are any.
type Phase<'a> = (&'a str, TimeDelta, Option<TimeDelta>);

/// Rows that the phases of a run take.
pub(super) fn rows(run: &Run) -> usize {
    if run.phases.is_empty() { 0 } else { 3 }
}

/// Draws the bar of the phases, their durations, and what was slower than usual.
pub(super) fn draw(model: &Model, run: &Run, pane: &mut Pane) {
    let phases = with_usual(run, model.runs.history.items());
    let theme = pane.theme;
    let styles = [theme.accent(), theme.text()];
    let width = pane.width().saturating_sub(14);
    let label = |text: &'static str| Span::styled(format!("  {text:<10} "), theme.dim());
    let bar = bar(&phases, width).into_iter().zip(styles.into_iter().cycle());
    let bar = bar.map(|(text, style)| Span::styled(text, style));
    pane.line(0, std::iter::once(label("phases")).chain(bar).collect::<Line>());
    pane.line(1, vec![label(""), Span::raw(durations(&phases, width))]);
    let slow = slower(&phases);
    let (text, style): (String, Style) = match slow.as_slice() {
        [] if phases.iter().all(|(_, _, usual)| usual.is_none()) => {
            ("no earlier run to compare with".to_owned(), theme.dim())
        }
        [] => ("no phase was slower than usual".to_owned(), theme.dim()),
        slow => (slow.join("; "), theme.warning()),
    };
    pane.line(2, vec![label(""), Span::styled(text, style)]);
}

/// Adds to each phase the median duration of the same phase in the successful runs of the same kind before.
fn with_usual<'a>(run: &'a Run, history: &[Run]) -> Vec<Phase<'a>> {
    let before = history.iter().filter(|other| {
        other.kind == run.kind && other.status == "succeeded" && other.started_at < run.started_at
    });
    let before: Vec<_> = before.filter(|run| !run.phases.is_empty()).take(USUAL_RUNS).collect();
    let usual = |name: &str| {
        let durations = before.iter().flat_map(|run| run.phase_durations());
        let mut same: Vec<_> = durations.filter(|(other, _)| *other == name).map(|(_, took)| took).collect();
        same.sort();
        same.get(same.len() / 2).copied()
    };
    run.phase_durations().into_iter().map(|(name, took)| (name, took, usual(name))).collect()
}

/// Divides a bar among the phases by their duration; each has at least one cell, with the first letter of its name.
fn bar(phases: &[Phase<'_>], width: usize) -> Vec<String> {
    let total: i64 = phases.iter().map(|(_, took, _)| took.num_milliseconds().max(0)).sum();
    let room = i64::try_from(width.saturating_sub(phases.len())).unwrap_or(0);
    let cells = |took: TimeDelta| {
        let share = took.num_milliseconds().max(0) * room / total.max(1);
        usize::try_from(share).unwrap_or(0) + 1
    };
    let letter = |name: &str| sanitize(name).chars().next().unwrap_or('?').to_string();
    phases.iter().map(|(name, took, _)| letter(name).repeat(cells(*took))).collect()
}

/// Lists the phases with their durations; without the shortest ones if there is no room for all.
fn durations(phases: &[Phase<'_>], width: usize) -> String {
    let mut shown: Vec<&Phase<'_>> = phases.iter().collect();
    loop {
        let words = shown.iter().map(|(name, took, _)| format!("{} {}", sanitize(name), span(*took)));
        let rest = (shown.len() < phases.len()).then(|| "…".to_owned());
        let text = words.chain(rest).collect::<Vec<_>>().join(" · ");
        let shortest = (0..shown.len()).min_by_key(|at| shown[*at].1);
        match shortest {
            Some(shortest) if text.chars().count() > width => drop(shown.remove(shortest)),
            _ => return text,
        }
    }
}

/// Says which phases were slower than usual.
fn slower(phases: &[Phase<'_>]) -> Vec<String> {
    let slow = phases.iter().filter_map(|(name, took, usual)| {
        let usual = (*usual)?;
        let is_slow = *took >= usual * SLOW_FACTOR && *took - usual >= SLOW_MINIMUM;
        is_slow.then(|| format!("{} took {}, usually {}", sanitize(name), span(*took), span(usual)))
    });
    slow.collect()
}

/// Draws a cell for each of the last ninety days, or for each pair of them if there is less room: how its runs ended.
pub(super) fn draw_days(model: &Model, pane: &mut Pane) {
    let theme = pane.theme;
    let label = " 90 days ";
    let room = i64::try_from(pane.width().saturating_sub(label.len() + 1)).unwrap_or(0);
    let days_per_cell = if room >= DAYS { 1 } else { (DAYS + room.max(1) - 1) / room.max(1) };
    let cells = DAYS / days_per_cell;
    let history = model.runs.history.items();
    let cell = |cell: i64| {
        let ago = (cells - 1 - cell) * days_per_cell;
        let ended: Vec<&str> = history
            .iter()
            .filter(|run| {
                let day = days_ago(run.started_at, model.now, model.zone);
                (ago..ago + days_per_cell).contains(&day)
            })
            .map(|run| run.status.as_str())
            .collect();
        match ended.as_slice() {
            [] => Span::styled("·", theme.dim()),
            ended if ended.contains(&"failed") => Span::styled("x", theme.error()),
            ended if ended.contains(&"succeeded") => Span::styled("■", theme.success()),
            _ => Span::styled("-", theme.text()),
        }
    };
    let label = Span::styled(label, theme.dim());
    pane.line(0, std::iter::once(label).chain((0..cells).map(cell)).collect::<Line>());
}

/// Days between the local dates of two times.
fn days_ago(time: DateTime<Utc>, now: DateTime<Utc>, zone: FixedOffset) -> i64 {
    let date = |time: DateTime<Utc>| time.with_timezone(&zone).date_naive();
    (date(now) - date(time)).num_days()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn seconds(seconds: i64) -> TimeDelta {
        TimeDelta::seconds(seconds)
    }

    #[test]
    fn bar_divides_cells_by_duration() {
        let phases = [("wait", seconds(0), None), ("load", seconds(30), None), ("keys", seconds(10), None)];
        assert_eq!(bar(&phases, 11).concat(), "wlllllllkkk");
        assert_eq!(bar(&[], 10).concat(), "");
        assert!(bar(&phases, 1).iter().all(|part| part.len() == 1), "every phase is visible");
    }

    #[test]
    fn durations_leave_out_the_shortest_phases_if_there_is_no_room() {
        let phases =
            [("provision", seconds(12), None), ("wait", seconds(0), None), ("load", seconds(30), None)];
        assert_eq!(durations(&phases, 50), "provision 12.0 s · wait 0.0 s · load 30.0 s");
        assert_eq!(durations(&phases, 40), "provision 12.0 s · load 30.0 s · …");
        assert_eq!(durations(&phases, 5), "…");
    }

    #[test]
    fn slower_phases_are_said_in_words() {
        let phases = [
            ("wait", seconds(1), Some(seconds(0))),
            ("load", seconds(60), Some(seconds(20))),
            ("keys", seconds(11), Some(seconds(10))),
            ("publish", seconds(100), None),
        ];
        assert_eq!(slower(&phases), ["load took 1 min 0 s, usually 20.0 s"]);
    }
}
