//! Dot plot: a line for each row with one dot per series on a common scale, and the interval of the first series as a whisker.

use super::canvas::{Canvas, tooltip};
use super::scale::Scale;
use crate::report::answer::Answer;
use crate::report::html::markup::{coordinate, escape};
use crate::report::language::Language;

const TOP: f64 = 20.0;
/// An upper bound for a label in bold.
const WIDTH_OF_CHARACTER: f64 = 7.6;

/// Renders the legend of several series.
pub(super) fn legend(answer: &Answer, series: &[&str], language: Language) -> String {
    let entry = |(nth, name): (usize, &&str)| {
        let title = answer.question.position(name).map_or("", |at| answer.columns()[at].title.get(language));
        format!("<b class=\"c{}\"><i></i><span>{}</span></b>", nth + 1, escape(title))
    };
    format!("<span class=\"legend\">{}</span>", series.iter().enumerate().map(entry).collect::<String>())
}

#[expect(clippy::cast_precision_loss, reason = "a position on the screen")]
pub(super) fn draw(canvas: &mut Canvas<'_>, label: &str, series: &[&str], interval: Option<(&str, &str)>) {
    let (answer, language) = (canvas.answer, canvas.language);
    let label = canvas.position(label);
    let dots: Vec<usize> = series.iter().map(|name| canvas.position(name)).collect();
    let whisker = interval.map(|(low, high)| (canvas.position(low), canvas.position(high)));
    // The scale follows the dots alone: the interval of a few cases can be very wide, and is cut off.
    let values = answer.rows.iter().flat_map(|row| dots.iter().filter_map(|at| row[*at].as_f64()));
    let scale = Scale::of(&values.collect::<Vec<f64>>(), canvas.by_screen(3, 5));
    let (left, right) = canvas.by_screen((90.0, 40.0), (104.0, 48.0));
    let longest = answer.rows.iter().map(|row| canvas.format(&row[label], label).chars().count()).max();
    let left = (WIDTH_OF_CHARACTER * longest.unwrap_or(0) as f64).max(left);
    let (width, line_height) = (canvas.width, canvas.by_screen(23.0, 25.0));
    let x = |value: f64| left + (width - left - right) * scale.fraction(value).clamp(0.0, 1.0);
    canvas.height = TOP + line_height * answer.rows.len() as f64 + 6.0;

    let bottom = coordinate(canvas.height - 4.0);
    for value in scale.ticks() {
        let class = if value == 0.0 { "base" } else { "grid" };
        canvas.path(class, &format!("M{} {TOP}V{bottom}", coordinate(x(value))));
        let tick = scale.tick_label(value, answer.columns()[dots[0]].kind, language);
        canvas.text("middle", (x(value), 12.0), &tick);
    }
    for (nth, row) in answer.rows.iter().enumerate() {
        let y = TOP + line_height * (nth as f64 + 0.5);
        let name = canvas.format(&row[label], label);
        canvas.text("strong", (0.0, y + 4.5), &name);
        let ends = whisker.and_then(|(low, high)| Some((row[low].as_f64()?, row[high].as_f64()?)));
        if let Some((low, high)) = ends {
            let [low, y, high] = [x(low), y, x(high)].map(coordinate);
            canvas.path("whisker", &format!("M{low} {y}H{high}"));
        }
        for (series, &dot) in dots.iter().enumerate().rev() {
            let Some(value) = row[dot].as_f64() else { continue };
            let formatted = canvas.format(&row[dot], dot);
            canvas.push(&format!(
                "<circle class=\"dot d{}\" cx=\"{}\" cy=\"{}\" r=\"5.5\">{}</circle>",
                series + 1,
                coordinate(x(value)),
                coordinate(y),
                tooltip(&format!("{name}, {}: {formatted}", canvas.title(dot)))
            ));
            if dots.len() == 1 {
                let beside = x(ends.map_or(value, |(_, high)| high.max(value))) + 9.0;
                canvas.text(None, (beside.min(width - right + 4.0), y + 4.5), &formatted);
            }
        }
    }
}
