//! A cell for each line and day, the darker the more. The classes are quantiles of the values that are not zero, because a
//! few terrible weeks would make all others look alike.

use chrono::{Datelike as _, NaiveDate};

use super::{Drawing, Screen, amount, hint};
use crate::report::answer::{Answer, Value};
use crate::report::format;
use crate::report::html::markup::{escaped, number};
use crate::report::language::Language;

/// How opaque each class is.
const CLASSES: [f64; 6] = [0.08, 0.22, 0.4, 0.6, 0.8, 1.0];
const TOP: f64 = 44.0;

#[expect(clippy::cast_precision_loss, reason = "a place on the screen")]
pub(super) fn draw(answer: &Answer, names: [&str; 3], screen: Screen, language: Language) -> Drawing {
    let [line, x, value] = names.map(|name| answer.question.position(name).unwrap_or_default());
    let columns = answer.columns();
    let mut lines: Vec<&Value> = Vec::new();
    let mut days: Vec<NaiveDate> = Vec::new();
    for row in &answer.rows {
        if !lines.contains(&&row[line]) {
            lines.push(&row[line]);
        }
        if let Value::Date(day) = row[x]
            && days.last() != Some(&day)
        {
            days.push(day);
        }
    }
    let edges = edges(answer.rows.iter().filter_map(|row| amount(&row[value])).collect());
    let (left, size) = if screen.is_narrow() { (118.0, 15.0) } else { (160.0, 21.0) };
    let step = (screen.width() - left) / days.len().max(1) as f64;
    let height = TOP + size * lines.len() as f64 + 2.0;

    let mut marks = legend(&edges, answer, value, (left, screen), language);
    marks.push_str(&months(&days, (left, step), screen, language));
    for (nth, name) in lines.iter().enumerate() {
        let word = format::value(name, &columns[line], language);
        let class = if **name == Value::Missing { " class=\"strong\"" } else { "" };
        let y = TOP + size * nth as f64 + size / 2.0 + 4.0;
        marks.extend([format!("<text{class} x=\"0\" y=\"{}\">{}</text>", number(y), escaped(&word))]);
    }
    for row in &answer.rows {
        let Value::Date(day) = row[x] else { continue };
        let (Some(across), Some(down)) =
            (days.binary_search(&day).ok(), lines.iter().position(|name| **name == row[line]))
        else {
            continue;
        };
        let Some(amount) = amount(&row[value]) else { continue };
        let class = edges.iter().filter(|edge| amount > **edge).count();
        let told = if screen.is_narrow() {
            String::new()
        } else {
            let word = |at: usize| format::value(&row[at], &columns[at], language);
            hint(&format!("{}, {}: {}", word(line), word(x), word(value)))
        };
        marks.extend([format!("<rect class=\"h\" fill-opacity=\"{}\" x=\"{:.2}\" y=\"{}\" width=\"{:.2}\" height=\"{}\">{told}</rect>",
            if amount > 0.0 { CLASSES[class.min(CLASSES.len() - 1)] } else { 0.03 },
            left + step * across as f64,
            number(TOP + size * down as f64),
            (step - 1.0).max(step * 0.8),
            number(size - 1.0)
        )]);
    }
    Drawing { height, marks }
}

/// The values between which the classes lie.
fn edges(mut values: Vec<f64>) -> Vec<f64> {
    values.retain(|value| *value > 0.0);
    values.sort_by(f64::total_cmp);
    if values.is_empty() {
        return Vec::new();
    }
    let mut edges: Vec<f64> =
        (1..CLASSES.len()).map(|nth| values[values.len() * nth / CLASSES.len()]).collect();
    edges.dedup();
    edges
}

/// The classes with the values between them.
#[expect(clippy::cast_precision_loss, reason = "a place on the screen")]
fn legend(
    edges: &[f64],
    answer: &Answer,
    value: usize,
    (left, screen): (f64, Screen),
    language: Language,
) -> String {
    let width = if screen.is_narrow() { 36.0 } else { 56.0 };
    let mut marks = String::new();
    for (nth, opacity) in CLASSES.iter().enumerate().take(edges.len() + 1) {
        let x = left + width * nth as f64;
        marks.extend([format!(
            "<rect class=\"h\" fill-opacity=\"{}\" x=\"{}\" y=\"0\" width=\"{}\" height=\"8\"/>",
            opacity,
            number(x),
            number(width - 1.0)
        )]);
        if let Some(edge) = edges.get(nth) {
            let word = format::value(&Value::Rate(*edge), &answer.columns()[value], language);
            marks.extend([format!(
                "<text class=\"middle\" x=\"{}\" y=\"21\">{word}</text>",
                number(x + width)
            )]);
        }
    }
    marks
}

#[expect(clippy::cast_precision_loss, reason = "a place on the screen")]
fn months(days: &[NaiveDate], (left, step): (f64, f64), screen: Screen, language: Language) -> String {
    let mut marks = String::new();
    let mut free_from = f64::NEG_INFINITY;
    let mut month = None;
    for (nth, day) in days.iter().enumerate() {
        let x = left + step * nth as f64;
        if month != Some(day.month()) && x >= free_from && x + 24.0 < screen.width() {
            let word = format::short_month(*day, month.is_none(), language);
            marks.extend([format!("<text x=\"{}\" y=\"{}\">{word}</text>", number(x), number(TOP - 6.0))]);
            free_from = x + if word.len() > 4 { 62.0 } else { 34.0 };
        }
        month = Some(day.month());
    }
    marks
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_class_has_as_many_values_and_zero_is_none() {
        let mut values: Vec<f64> = (1..=12_u32).map(f64::from).collect();
        values.extend([0.0; 20]);
        assert_eq!(edges(values), [3.0, 5.0, 7.0, 9.0, 11.0]);
        assert_eq!(edges(vec![0.0, 0.0]), [0.0; 0]);
        assert_eq!(edges(vec![4.0; 9]), [4.0]);
    }
}
