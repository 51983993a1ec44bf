//! Charts over time: columns, a line over thin columns, a line in its band, columns with expected values on top, or with a line and a band.

use chrono::{Datelike as _, NaiveDate};

use super::canvas::{Canvas, tooltip};
use super::scale::Scale;
use crate::report::answer::Value;
use crate::report::format;
use crate::report::html::markup::coordinate;
use crate::report::language::Language;
use crate::report::question::{Chart, ColumnKind};

const TOP: f64 = 22.0;
const BOTTOM: f64 = 24.0;
/// The end of an interval that is on the scale, as a multiple of the highest value.
const MAX_INTERVAL: f64 = 1.4;

/// Draws the question's chart of `measured` over `x`.
pub(super) fn draw(canvas: &mut Canvas<'_>, x: &str, measured: &[&str]) {
    let answer = canvas.answer;
    let measured: Vec<usize> = measured.iter().map(|name| canvas.position(name)).collect();
    let is_stacked = matches!(answer.question.chart, Chart::Stack { .. });
    // The scale follows the values: the interval of a few cases can be very wide, and is cut off.
    let interval = match answer.question.chart {
        Chart::Band { .. } => 1,
        Chart::Expected { .. } => 2,
        _ => measured.len(),
    };
    let (own, ends) = measured.split_at(interval);
    let numbers = |columns: &[usize], row: &[Value]| -> Vec<f64> {
        columns.iter().filter_map(|at| row[*at].as_f64()).collect()
    };
    let mut values: Vec<f64> = Vec::new();
    for row in &answer.rows {
        let numbers = numbers(own, row);
        if is_stacked { values.push(numbers.iter().sum()) } else { values.extend(numbers) }
    }
    let highest = MAX_INTERVAL * values.iter().copied().fold(0.0, f64::max);
    values.extend(answer.rows.iter().flat_map(|row| numbers(ends, row)).map(|end| end.min(highest)));
    let scale = Scale::of(&values, canvas.by_screen(3, 4));
    canvas.height = if canvas.width > 600.0 { 320.0 } else { canvas.by_screen(210.0, 250.0) };
    let mut chart = TimeSeries { x: canvas.position(x), scale, canvas };

    chart.grid();
    if answer.columns()[measured[0]].kind == ColumnKind::Ratio {
        chart.level(1.0);
    }
    match answer.question.chart {
        Chart::Trend { .. } => {
            chart.thin_columns(measured[0]);
            chart.line(measured[1]);
            chart.peak(measured[1]);
        }
        Chart::Band { .. } => {
            chart.band(measured[1], measured[2]);
            chart.line(measured[0]);
        }
        Chart::Expected { .. } => {
            chart.columns("col soft", measured[0], None);
            chart.band(measured[2], measured[3]);
            chart.line(measured[1]);
        }
        _ => chart.columns("col", measured[0], measured.get(1).copied()),
    }
    // In front of the columns, which would hide them.
    chart.tick_labels(measured[0]);
    chart.dates();
}

struct TimeSeries<'c, 'a> {
    canvas: &'c mut Canvas<'a>,
    x: usize,
    scale: Scale,
}

impl<'a> TimeSeries<'_, 'a> {
    fn rows(&self) -> impl Iterator<Item = (usize, &'a Vec<Value>)> + use<'a> {
        self.canvas.answer.rows.iter().enumerate()
    }

    /// Returns the rows that have a value in a column, with the value.
    fn measured(&self, at: usize) -> impl Iterator<Item = (usize, &'a Vec<Value>, f64)> + use<'a> {
        self.rows().filter_map(move |(nth, row)| Some((nth, row, row[at].as_f64()?)))
    }

    #[expect(clippy::cast_precision_loss, reason = "a position on the screen")]
    fn step(&self) -> f64 {
        self.canvas.width / self.canvas.answer.rows.len().max(1) as f64
    }

    /// Returns the left edge of a row's column.
    #[expect(clippy::cast_precision_loss, reason = "a position on the screen")]
    fn left(&self, row: usize) -> f64 {
        self.step() * row as f64
    }

    fn centre(&self, row: usize) -> f64 {
        self.left(row) + self.step() / 2.0
    }

    fn y(&self, value: f64) -> f64 {
        let room = self.canvas.height - TOP - BOTTOM;
        self.canvas.height - BOTTOM - room * self.scale.fraction(value)
    }

    fn grid(&mut self) {
        for value in self.scale.ticks() {
            let class = if value.abs() < 1e-9 { "base" } else { "grid" };
            let (y, width) = (coordinate(self.y(value)), coordinate(self.canvas.width));
            self.canvas.path(class, &format!("M0 {y}H{width}"));
        }
    }

    /// Draws a value that others are compared with.
    fn level(&mut self, value: f64) {
        let (y, width) = (coordinate(self.y(value)), coordinate(self.canvas.width));
        self.canvas.path("base", &format!("M0 {y}H{width}"));
    }

    /// Draws the labels of the grid lines, above them at the left.
    fn tick_labels(&mut self, measured: usize) {
        let kind = self.canvas.answer.columns()[measured].kind;
        for value in self.scale.ticks().into_iter().filter(|value| value.abs() > 1e-9) {
            let y = self.y(value) - 4.0;
            let label = self.scale.tick_label(value, kind, self.canvas.language);
            self.canvas.text("amount", (0.0, y), &label);
        }
    }

    fn columns(&mut self, class: &str, measured: usize, ghost: Option<usize>) {
        let partial = self.canvas.answer.question.position("partial");
        let (step, zero) = (self.step(), self.y(0.0));
        let width = (step * 0.78).max(1.0);
        for (nth, row, value) in self.measured(measured) {
            let left = self.left(nth) + (step - width) / 2.0;
            let is_partial = partial.is_some_and(|at| row[at] == Value::Flag(true));
            let class = if is_partial { "col half" } else { class };
            let top = self.y(value);
            self.column(class, [left, top.min(zero), width, (top - zero).abs()], (row, measured));
            if let Some((ghost, more)) = ghost.and_then(|at| Some((at, row[at].as_f64()?)))
                && more > 0.0
            {
                let above = self.y(value + more);
                self.column("ghost", [left, above, width, top - above], (row, ghost));
            }
        }
    }

    /// Draws a column, which is always visible if its value is not 0.
    fn column(&mut self, class: &str, [x, y, width, height]: [f64; 4], (row, measured): (&[Value], usize)) {
        let height = if height > 0.0 { height.max(0.6) } else { height };
        let [day, value] = [self.x, measured].map(|at| self.canvas.format(&row[at], at));
        let tooltip = self.canvas.by_screen(String::new(), tooltip(&format!("{day}: {value}")));
        self.canvas.rect(class, [x, y, width, height], &tooltip);
    }

    /// Draws all columns as one path: hundreds of days need no elements of their own.
    fn thin_columns(&mut self, measured: usize) {
        let (step, zero) = (self.step(), coordinate(self.y(0.0)));
        let column = |(nth, _, value)| {
            let (left, top) = (self.left(nth), coordinate(self.y(value)));
            format!("M{left:.2} {zero}V{top}h{:.2}V{zero}", step * 0.72)
        };
        let values = self.measured(measured).filter(|(_, _, value)| *value > 0.0);
        let columns: String = values.map(column).collect();
        self.canvas.path("col soft", &columns);
    }

    /// Draws a line that is interrupted by missing values, and labels its last value.
    fn line(&mut self, measured: usize) {
        let mut path = String::new();
        let mut pen = 'M';
        let mut last = None;
        for (nth, row) in self.rows() {
            let Some(value) = row[measured].as_f64() else {
                pen = 'M';
                continue;
            };
            let (x, y) = (self.centre(nth), self.y(value));
            path.extend([format!("{pen}{} {}", coordinate(x), coordinate(y))]);
            pen = 'L';
            last = Some((x, y, row));
        }
        self.canvas.path("line", &path);
        if let Some((x, y, row)) = last {
            let (cx, cy) = (coordinate(x), coordinate(y));
            self.canvas.push(&format!("<circle class=\"dot d1\" cx=\"{cx}\" cy=\"{cy}\" r=\"4\"/>"));
            let value = self.canvas.format(&row[measured], measured);
            self.canvas.text("strong end", (self.canvas.width, (y - 10.0).max(11.0)), &value);
        }
    }

    /// Labels the highest value of a line with its date, unless it is the last, which has a label already.
    fn peak(&mut self, measured: usize) {
        let highest = self.measured(measured).max_by(|one, other| one.2.total_cmp(&other.2));
        let Some((nth, row, value)) = highest else { return };
        if nth + 1 == self.canvas.answer.rows.len() {
            return;
        }
        let x = self.centre(nth).clamp(70.0, self.canvas.width - 70.0);
        let y = (self.y(value) - 9.0).max(11.0);
        let [value, day] = [measured, self.x].map(|at| self.canvas.format(&row[at], at));
        self.canvas.text("strong middle", (x, y), &format!("{value} ({day})"));
    }

    fn band(&mut self, low: usize, high: usize) {
        let point = |(nth, _, value)| {
            format!("{} {}", coordinate(self.centre(nth)), coordinate(self.y(value).max(TOP)))
        };
        let lower: Vec<String> = self.measured(low).map(point).collect();
        let points: Vec<String> = self.measured(high).map(point).chain(lower.into_iter().rev()).collect();
        if !points.is_empty() {
            self.canvas.path("band", &format!("M{}Z", points.join("L")));
        }
    }

    /// Draws the months below the chart, as many as there is room for, with the year at the first and at each January; or each day
    /// of a short stack.
    fn dates(&mut self) {
        let room = self.canvas.by_screen(44.0, 54.0);
        let mut free_from = f64::NEG_INFINITY;
        let mut month = None;
        let answer = self.canvas.answer;
        let every_day = answer.rows.len() <= 16 && matches!(answer.question.chart, Chart::Stack { .. });
        for (nth, row) in self.rows() {
            let Value::Date(day) = row[self.x] else { continue };
            let is_new = every_day || month != Some((day.year(), day.month()));
            let centre = self.centre(nth);
            if is_new && centre >= free_from {
                let is_first = month.is_none();
                let text = if every_day {
                    short_day(day, self.canvas.language)
                } else {
                    format::short_month(day, is_first, self.canvas.language)
                };
                let (class, x) = if is_first { ("", (centre - 12.0).max(0.0)) } else { ("middle", centre) };
                if x + 14.0 < self.canvas.width {
                    self.canvas.text(class, (x, self.canvas.height - 6.0), &text);
                    free_from = centre + if is_first && !every_day { room * 1.6 } else { room };
                }
            }
            month = Some((day.year(), day.month()));
        }
    }
}

fn short_day(day: NaiveDate, language: Language) -> String {
    match language {
        Language::Spanish => format!("{}/{}", day.day(), day.month()),
        Language::English => format!("{}-{:02}", day.month(), day.day()),
    }
}
