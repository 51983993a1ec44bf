//! Heatmap: a cell for each row and day, darker for higher values.
//!
//! The classes are quantiles of the values above zero: on a linear scale a few extreme weeks would make all others look alike.

use chrono::{Datelike as _, NaiveDate};

use super::canvas::{Canvas, tooltip};
use crate::report::answer::Value;
use crate::report::format;
use crate::report::html::markup::coordinate;
use crate::report::question::ColumnKind;
use crate::report::table::distinct;

/// The opacity of each class.
const CLASSES: [f64; 6] = [0.08, 0.22, 0.4, 0.6, 0.8, 1.0];
const TOP: f64 = 44.0;
/// The width of a letter of a label.
const LETTER: f64 = 7.2;

#[expect(clippy::cast_precision_loss, reason = "a position on the screen")]
pub(super) fn draw(canvas: &mut Canvas<'_>, names: [&str; 3]) {
    let [row, x, value] = names.map(|name| canvas.position(name));
    let answer = canvas.answer;
    let rows = distinct(answer.rows.iter().map(|values| &values[row]));
    let day_of = |values: &Vec<Value>| if let Value::Date(day) = values[x] { Some(day) } else { None };
    let mut days: Vec<NaiveDate> = answer.rows.iter().filter_map(day_of).collect();
    days.dedup();
    let edges = class_edges(answer.rows.iter().filter_map(|values| values[value].as_f64()).collect());
    let (least, most, size) = canvas.by_screen((118.0, 150.0, 15.0), (160.0, 270.0, 21.0));
    let labels: Vec<String> = rows.iter().map(|name| canvas.format(name, row)).collect();
    let longest = labels.iter().map(|label| label.chars().count()).max().unwrap_or_default();
    let left = (longest as f64 * LETTER).clamp(least, most);
    let step = (canvas.width - left) / days.len().max(1) as f64;
    canvas.height = TOP + size * rows.len() as f64 + 2.0;

    legend(canvas, &edges, value, left);
    months(canvas, &days, left, step);
    for (nth, (name, label)) in rows.iter().zip(&labels).enumerate() {
        let class = (**name == Value::Missing).then_some("strong");
        canvas.text(
            class,
            (0.0, TOP + size * nth as f64 + size / 2.0 + 4.0),
            &shortened(label, left / LETTER),
        );
    }
    for values in &answer.rows {
        let across = day_of(values).and_then(|day| days.binary_search(&day).ok());
        let down = rows.iter().position(|name| **name == values[row]);
        let (Some(across), Some(down), Some(number)) = (across, down, values[value].as_f64()) else {
            continue;
        };
        let class = edges.iter().filter(|edge| number > **edge).count();
        let formatted = [row, x, value].map(|at| canvas.format(&values[at], at));
        let tooltip = tooltip(&format!("{}, {}: {}", formatted[0], formatted[1], formatted[2]));
        canvas.push(&format!(
            "<rect class=\"h\" fill-opacity=\"{}\" x=\"{:.2}\" y=\"{}\" width=\"{:.2}\" height=\"{}\">{}</rect>",
            if number > 0.0 { CLASSES[class.min(CLASSES.len() - 1)] } else { 0.03 },
            left + step * across as f64,
            coordinate(TOP + size * down as f64),
            (step - 1.0).max(step * 0.8),
            coordinate(size - 1.0),
            canvas.by_screen("", tooltip.as_str())
        ));
    }
}

/// Returns as much of a label as there is room for.
#[expect(
    clippy::cast_precision_loss,
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "a few letters"
)]
fn shortened(label: &str, letters: f64) -> String {
    if label.chars().count() as f64 <= letters {
        return label.to_owned();
    }
    let start: String = label.chars().take(letters as usize - 1).collect();
    format!("{}…", start.trim_end())
}

/// Returns the values between the classes.
fn class_edges(mut values: Vec<f64>) -> Vec<f64> {
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

/// Draws the classes with the values between them.
#[expect(
    clippy::cast_precision_loss,
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "positions on the screen, counts"
)]
fn legend(canvas: &mut Canvas<'_>, edges: &[f64], value: usize, left: f64) {
    let width = canvas.by_screen(36.0, 56.0);
    let left = left.min(canvas.width - width * (edges.len() + 1) as f64);
    let labels: Vec<String> = edges
        .iter()
        .map(|edge| match canvas.answer.columns()[value].kind {
            ColumnKind::Count => Value::Number(*edge as i64),
            _ => Value::Rate(*edge),
        })
        .map(|edge| canvas.format(&edge, value))
        .collect();
    // Of long labels only every second is shown, or fewer.
    let longest = labels.iter().map(|label| label.chars().count()).max().unwrap_or_default();
    let every = ((longest as f64 * LETTER / width).ceil() as usize).max(1);
    for (nth, opacity) in CLASSES.iter().enumerate().take(edges.len() + 1) {
        let x = left + width * nth as f64;
        canvas.push(&format!(
            "<rect class=\"h\" fill-opacity=\"{opacity}\" x=\"{}\" y=\"0\" width=\"{}\" height=\"8\"/>",
            coordinate(x),
            coordinate(width - 1.0)
        ));
        if let Some(label) = labels.get(nth).filter(|_| nth % every == 0) {
            canvas.text("middle", (x + width, 21.0), label);
        }
    }
}

/// Draws the name of each month, as many as there is room for.
#[expect(clippy::cast_precision_loss, reason = "a position on the screen")]
fn months(canvas: &mut Canvas<'_>, days: &[NaiveDate], left: f64, step: f64) {
    let mut free_from = f64::NEG_INFINITY;
    let mut month = None;
    for (nth, day) in days.iter().enumerate() {
        let x = left + step * nth as f64;
        if month != Some(day.month()) && x >= free_from && x + 24.0 < canvas.width {
            let name = format::short_month(*day, month.is_none(), canvas.language);
            canvas.text(None, (x, TOP - 6.0), &name);
            free_from = x + if name.len() > 4 { 62.0 } else { 34.0 };
        }
        month = Some(day.month());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shortened_label_fits() {
        assert_eq!(shortened("Córdoba", 7.0), "Córdoba");
        assert_eq!(shortened("Sputnik V COVID19", 9.5), "Sputnik…");
    }

    #[test]
    fn class_edges_are_quantiles_of_values_above_zero() {
        let mut values: Vec<f64> = (1..=12_u32).map(f64::from).collect();
        values.extend([0.0; 20]);
        assert_eq!(class_edges(values), [3.0, 5.0, 7.0, 9.0, 11.0]);
        assert_eq!(class_edges(vec![0.0, 0.0]), [0.0; 0]);
        assert_eq!(class_edges(vec![4.0; 9]), [4.0]);
    }
}
