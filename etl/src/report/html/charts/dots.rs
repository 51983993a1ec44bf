//! A line for each row, and on it one dot per series, on a common scale; with a whisker where the first series has an interval.

use super::scale::Scale;
use super::{Drawing, Screen, amount, hint};
use crate::report::answer::Answer;
use crate::report::format;
use crate::report::html::markup::{escaped, number};
use crate::report::language::Language;

const TOP: f64 = 20.0;

/// A label, series and the ends of a whisker, by the columns' names.
type Named = (&'static str, &'static [&'static str], Option<(&'static str, &'static str)>);

/// Which colour is which series.
pub(super) fn legend(answer: &Answer, series: &[&str], language: Language) -> String {
    let entry = |(nth, name): (usize, &&str)| {
        let title = answer.question.position(name).map_or("", |at| answer.columns()[at].title.to(language));
        format!("<b class=\"c{}\"><i></i><span>{}</span></b>", nth + 1, escaped(title))
    };
    format!("<span class=\"legend\">{}</span>", series.iter().enumerate().map(entry).collect::<String>())
}

#[expect(clippy::cast_precision_loss, reason = "a place on the screen")]
pub(super) fn draw(
    answer: &Answer,
    (label, series, interval): Named,
    screen: Screen,
    language: Language,
) -> Drawing {
    let at = |name: &str| answer.question.position(name).unwrap_or_default();
    let (label, dots) = (at(label), series.iter().map(|name| at(name)).collect::<Vec<_>>());
    let whisker = interval.map(|(low, high)| (at(low), at(high)));
    // A whisker of a handful of cases may be as wide as the world: the scale follows the dots, and the whisker is cut.
    let most = answer.rows.iter().flat_map(|row| dots.iter().filter_map(|at| amount(&row[*at])));
    let scale = Scale::of(most.collect::<Vec<f64>>().into_iter(), if screen.is_narrow() { 3 } else { 5 });
    let (left, right) = if screen.is_narrow() { (90.0, 40.0) } else { (104.0, 48.0) };
    let room = screen.width() - left - right;
    let x = |value: f64| left + room * scale.part(value).clamp(0.0, 1.0);
    let line = if screen.is_narrow() { 23.0 } else { 25.0 };
    let height = TOP + line * answer.rows.len() as f64 + 6.0;

    let mut marks = String::new();
    for value in scale.lines() {
        let word = scale.word(value, answer.columns()[dots[0]].kind, language);
        let class = if value == 0.0 { "base" } else { "grid" };
        marks.extend([format!("<path class=\"{class}\" d=\"M{x} {TOP}V{bottom}\"/><text class=\"middle\" x=\"{x}\" y=\"12\">{word}</text>",
            x = number(x(value)),
            bottom = number(height - 4.0)
        )]);
    }
    for (nth, row) in answer.rows.iter().enumerate() {
        let y = TOP + line * (nth as f64 + 0.5);
        let name = format::value(&row[label], &answer.columns()[label], language);
        marks.extend([format!(
            "<text class=\"strong\" x=\"0\" y=\"{}\">{}</text>",
            number(y + 4.5),
            escaped(&name)
        )]);
        let ends = whisker.and_then(|(low, high)| Some((amount(&row[low])?, amount(&row[high])?)));
        if let Some((low, high)) = ends {
            marks.extend([format!(
                "<path class=\"whisker\" d=\"M{} {y}H{}\"/>",
                number(x(low)),
                number(x(high)),
                y = number(y)
            )]);
        }
        for (series, dot) in dots.iter().enumerate().rev() {
            let Some(value) = amount(&row[*dot]) else { continue };
            let column = &answer.columns()[*dot];
            let word = format::value(&row[*dot], column, language);
            let told = hint(&format!("{name}, {}: {word}", column.title.to(language)));
            marks.extend([format!(
                "<circle class=\"dot d{}\" cx=\"{}\" cy=\"{}\" r=\"5.5\">{told}</circle>",
                series + 1,
                number(x(value)),
                number(y)
            )]);
            if dots.len() == 1 {
                let beside = x(ends.map_or(value, |(_, high)| high.max(value))) + 9.0;
                marks.extend([format!(
                    "<text x=\"{}\" y=\"{}\">{word}</text>",
                    number(beside.min(screen.width() - right + 4.0)),
                    number(y + 4.5)
                )]);
            }
        }
    }
    Drawing { height, marks }
}
