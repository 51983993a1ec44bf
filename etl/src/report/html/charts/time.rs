//! Along time: columns, a line over thin columns, a line in its band, what is there and what is to come.

use chrono::{Datelike as _, NaiveDate};

use super::scale::Scale;
use super::{Drawing, Screen, amount, hint};
use crate::report::answer::{Answer, Value};
use crate::report::format;
use crate::report::html::markup::number;
use crate::report::language::Language;
use crate::report::question::{Chart, Column};

const TOP: f64 = 22.0;
const BOTTOM: f64 = 24.0;

/// The place of everything on one screen.
struct Plane<'a> {
    answer: &'a Answer,
    screen: Screen,
    language: Language,
    x: usize,
    scale: Scale,
    height: f64,
}

/// Draws what the question's chart says.
pub(super) fn draw(answer: &Answer, screen: Screen, language: Language) -> Drawing {
    let at = |name: &str| answer.question.position(name).unwrap_or_default();
    let (x, measured): (&str, Vec<usize>) = match answer.question.chart {
        Chart::Columns { x, y } => (x, vec![at(y)]),
        Chart::Trend { x, each, smooth } => (x, vec![at(each), at(smooth)]),
        Chart::Band { x, y, interval } => (x, vec![at(y), at(interval.0), at(interval.1)]),
        Chart::Stack { x, solid, ghost } => (x, vec![at(solid), at(ghost)]),
        _ => return Drawing { height: 1.0, marks: String::new() },
    };
    let stacked = matches!(answer.question.chart, Chart::Stack { .. });
    let values = answer.rows.iter().flat_map(|row| {
        let amounts = measured.iter().filter_map(|at| amount(&row[*at]));
        if stacked { vec![amounts.sum()] } else { amounts.collect() }
    });
    let scale = Scale::of(values.collect::<Vec<f64>>().into_iter(), if screen.is_narrow() { 3 } else { 4 });
    let wide = screen.width() > 600.0;
    let height = if wide {
        320.0
    } else if screen.is_narrow() {
        210.0
    } else {
        250.0
    };
    let plane = Plane { answer, screen, language, x: at(x), scale, height };

    let mut marks = plane.grid();
    match answer.question.chart {
        Chart::Trend { .. } => {
            marks.push_str(&plane.thin_columns(measured[0]));
            marks.push_str(&plane.line(measured[1]));
            marks.push_str(&plane.peak(measured[1]));
        }
        Chart::Band { .. } => {
            marks.push_str(&plane.band(measured[1], measured[2]));
            marks.push_str(&plane.line(measured[0]));
        }
        Chart::Stack { .. } => marks.push_str(&plane.columns(measured[0], Some(measured[1]))),
        _ => marks.push_str(&plane.columns(measured[0], None)),
    }
    // In front of the columns, which would hide them.
    marks.push_str(&plane.amounts(measured[0]));
    marks.push_str(&plane.days());
    Drawing { height, marks }
}

impl Plane<'_> {
    #[expect(clippy::cast_precision_loss, reason = "a place on the screen")]
    fn step(&self) -> f64 {
        self.screen.width() / self.answer.rows.len().max(1) as f64
    }

    /// The left edge of a row's column.
    #[expect(clippy::cast_precision_loss, reason = "a place on the screen")]
    fn left(&self, row: usize) -> f64 {
        self.step() * row as f64
    }

    fn y(&self, value: f64) -> f64 {
        let room = self.height - TOP - BOTTOM;
        self.height - BOTTOM - room * self.scale.part(value)
    }

    fn column(&self, at: usize) -> &'static Column {
        &self.answer.columns()[at]
    }

    /// A line for each round amount.
    fn grid(&self) -> String {
        let line = |value: f64| {
            let class = if value.abs() < 1e-9 { "base" } else { "grid" };
            let (y, width) = (number(self.y(value)), number(self.screen.width()));
            format!("<path class=\"{class}\" d=\"M0 {y}H{width}\"/>")
        };
        self.scale.lines().into_iter().map(line).collect()
    }

    /// What the lines stand for, above them at the left.
    fn amounts(&self, measured: usize) -> String {
        let kind = self.column(measured).kind;
        let text = |value: f64| {
            let y = number(self.y(value) - 4.0);
            format!(
                "<text class=\"amount\" x=\"0\" y=\"{y}\">{}</text>",
                self.scale.word(value, kind, self.language)
            )
        };
        self.scale.lines().into_iter().filter(|value| value.abs() > 1e-9).map(text).collect()
    }

    fn columns(&self, measured: usize, ghost: Option<usize>) -> String {
        let partial = self.answer.question.position("partial");
        let (step, zero) = (self.step(), self.y(0.0));
        let width = (step * 0.78).max(1.0);
        let mut marks = String::new();
        for (nth, row) in self.answer.rows.iter().enumerate() {
            let Some(value) = amount(&row[measured]) else { continue };
            let left = self.left(nth) + (step - width) / 2.0;
            let is_partial = partial.is_some_and(|at| row[at] == Value::Flag(true));
            let class = if is_partial { "col half" } else { "col" };
            let top = self.y(value);
            marks.push_str(&self.rect(
                class,
                (left, width),
                (top.min(zero), (top - zero).abs()),
                (row, measured),
            ));
            if let Some((ghost, more)) = ghost.and_then(|at| Some((at, amount(&row[at])?)))
                && more > 0.0
            {
                let above = self.y(value + more);
                marks.push_str(&self.rect("ghost", (left, width), (above, top - above), (row, ghost)));
            }
        }
        marks
    }

    fn rect(
        &self,
        class: &str,
        (left, width): (f64, f64),
        (top, height): (f64, f64),
        told: (&[Value], usize),
    ) -> String {
        // What is there must be seen.
        let height = if height > 0.0 { height.max(0.6) } else { height };
        format!(
            "<rect class=\"{class}\" x=\"{}\" y=\"{}\" width=\"{}\" height=\"{}\">{}</rect>",
            number(left),
            number(top),
            number(width),
            number(height),
            self.told(told.0, told.1)
        )
    }

    /// One path: hundreds of days need no element each.
    fn thin_columns(&self, measured: usize) -> String {
        let (step, zero) = (self.step(), self.y(0.0));
        let mut path = String::new();
        for (nth, row) in self.answer.rows.iter().enumerate() {
            if let Some(value) = amount(&row[measured]).filter(|value| *value > 0.0) {
                let width = format!("{:.2}", step * 0.72);
                path.extend([format!(
                    "M{:.2} {}V{}h{width}V{}",
                    self.left(nth),
                    number(zero),
                    number(self.y(value)),
                    number(zero)
                )]);
            }
        }
        format!("<path class=\"col soft\" d=\"{path}\"/>")
    }

    /// A line that breaks where there is no value, and says its last one.
    fn line(&self, measured: usize) -> String {
        let mut path = String::new();
        let mut pen = 'M';
        let mut last = None;
        for (nth, row) in self.answer.rows.iter().enumerate() {
            let Some(value) = amount(&row[measured]) else {
                pen = 'M';
                continue;
            };
            let (x, y) = (self.left(nth) + self.step() / 2.0, self.y(value));
            path.extend([format!("{pen}{} {}", number(x), number(y))]);
            pen = 'L';
            last = Some((x, y, row));
        }
        let mut marks = format!("<path class=\"line\" d=\"{path}\"/>");
        if let Some((x, y, row)) = last {
            let word = format::value(&row[measured], self.column(measured), self.language);
            marks.extend([format!("<circle class=\"dot d1\" cx=\"{x}\" cy=\"{y}\" r=\"4\"/><text class=\"strong end\" x=\"{end}\" y=\"{above}\">{word}</text>",
                x = number(x),
                y = number(y),
                end = number(self.screen.width()),
                above = number((y - 10.0).max(11.0)),
            )]);
        }
        marks
    }

    /// Says when the line was highest, and how high.
    fn peak(&self, measured: usize) -> String {
        let rows = self.answer.rows.iter().enumerate();
        let values = rows.filter_map(|(nth, row)| Some((nth, row, amount(&row[measured])?)));
        let Some((nth, row, value)) = values.max_by(|one, other| one.2.total_cmp(&other.2)) else {
            return String::new();
        };
        let word = |at: usize| format::value(&row[at], self.column(at), self.language);
        let width = self.screen.width();
        let x = (self.left(nth) + self.step() / 2.0).clamp(70.0, width - 70.0);
        // The last value has a label of its own.
        if nth + 1 == self.answer.rows.len() {
            return String::new();
        }
        format!(
            "<text class=\"strong middle\" x=\"{}\" y=\"{}\">{} ({})</text>",
            number(x),
            number((self.y(value) - 9.0).max(11.0)),
            word(measured),
            word(self.x)
        )
    }

    fn band(&self, low: usize, high: usize) -> String {
        let edge = |at: usize| {
            let rows = self.answer.rows.iter().enumerate();
            rows.filter_map(move |(nth, row)| {
                let y = self.y(amount(&row[at])?);
                Some(format!("{} {}", number(self.left(nth) + self.step() / 2.0), number(y)))
            })
            .collect::<Vec<_>>()
        };
        let (there, mut back) = (edge(high), edge(low));
        back.reverse();
        let points: Vec<String> = there.into_iter().chain(back).collect();
        if points.is_empty() {
            String::new()
        } else {
            format!("<path class=\"band\" d=\"M{}Z\"/>", points.join("L"))
        }
    }

    /// The months below, and the year with the first one and with each January; as many as there is room for.
    fn days(&self) -> String {
        let room = if self.screen.is_narrow() { 44.0 } else { 54.0 };
        let mut marks = String::new();
        let mut free_from = f64::NEG_INFINITY;
        let mut month = None;
        let every_day =
            self.answer.rows.len() <= 16 && matches!(self.answer.question.chart, Chart::Stack { .. });
        for (nth, row) in self.answer.rows.iter().enumerate() {
            let Value::Date(day) = row[self.x] else { continue };
            let is_new = every_day || month != Some((day.year(), day.month()));
            let centre = self.left(nth) + self.step() / 2.0;
            if is_new && centre >= free_from {
                let first = month.is_none();
                let word = if every_day {
                    self.short_day(day)
                } else {
                    format::short_month(day, first, self.language)
                };
                let (class, x) = if first { ("", 0.0_f64.max(centre - 12.0)) } else { ("middle", centre) };
                if x + 14.0 < self.screen.width() {
                    let (x, y) = (number(x), number(self.height - 6.0));
                    marks.extend([format!("<text class=\"{class}\" x=\"{x}\" y=\"{y}\">{word}</text>")]);
                    free_from = centre + if first && !every_day { room * 1.6 } else { room };
                }
            }
            month = Some((day.year(), day.month()));
        }
        marks
    }

    fn short_day(&self, day: NaiveDate) -> String {
        match self.language {
            Language::Spanish => format!("{}/{}", day.day(), day.month()),
            Language::English => format!("{}-{:02}", day.month(), day.day()),
        }
    }

    /// What pointing at a mark says, on a screen where one can point.
    fn told(&self, row: &[Value], measured: usize) -> String {
        if self.screen.is_narrow() {
            return String::new();
        }
        let word = |at: usize| format::value(&row[at], self.column(at), self.language);
        hint(&format!("{}: {}", word(self.x), word(measured)))
    }
}
