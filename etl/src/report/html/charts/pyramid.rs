//! Two bars for each row, to the left and to the right of its name; the oldest on top, as demographers draw it.

use super::{Drawing, Screen, amount, hint};
use crate::report::answer::{Answer, Value};
use crate::report::format;
use crate::report::html::markup::{escaped, number};
use crate::report::language::Language;

const TOP: f64 = 24.0;

#[expect(clippy::cast_precision_loss, reason = "a place on the screen")]
pub(super) fn draw(answer: &Answer, names: [&str; 3], screen: Screen, language: Language) -> Drawing {
    let [label, left, right] = names.map(|name| answer.question.position(name).unwrap_or_default());
    let columns = answer.columns();
    // Whose age is unknown has no place between the old and the young.
    let rows: Vec<&Vec<Value>> = answer.rows.iter().filter(|row| row[label] != Value::Missing).collect();
    let most = rows
        .iter()
        .flat_map(|row| [left, right].map(|at| amount(&row[at]).unwrap_or(0.0)))
        .fold(1.0, f64::max);
    let (spine, line) = if screen.is_narrow() { (26.0, 23.0) } else { (30.0, 25.0) };
    let middle = screen.width() / 2.0;
    let words = if screen.is_narrow() { 52.0 } else { 64.0 };
    let room = middle - spine - words;
    let height = TOP + line * rows.len() as f64 + 4.0;

    let mut marks = format!(
        "<text class=\"strong end\" x=\"{}\" y=\"13\">{}</text><text class=\"strong\" x=\"{}\" y=\"13\">{}</text>",
        number(middle - spine),
        escaped(columns[left].title.to(language)),
        number(middle + spine),
        escaped(columns[right].title.to(language))
    );
    for (nth, row) in rows.iter().rev().enumerate() {
        let y = TOP + line * nth as f64;
        let text_y = number(y + line / 2.0 + 3.5);
        let name = format::value(&row[label], &columns[label], language);
        marks.extend([format!(
            "<text class=\"strong middle\" x=\"{}\" y=\"{text_y}\">{}</text>",
            number(middle),
            escaped(&name)
        )]);
        for (at, class, anchor) in [(left, "left", " class=\"end\""), (right, "right", "")] {
            let width = room * amount(&row[at]).unwrap_or(0.0) / most;
            let is_left = class == "left";
            let x = if is_left { middle - spine - width } else { middle + spine };
            let word_x = if is_left { x - 6.0 } else { x + width + 6.0 };
            let word = format::value(&row[at], &columns[at], language);
            let told = hint(&format!("{name}, {}: {word}", columns[at].title.to(language)));
            marks.extend([format!("<rect class=\"{class}\" x=\"{}\" y=\"{}\" width=\"{}\" height=\"{}\">{told}</rect><text{anchor} x=\"{}\" y=\"{text_y}\">{word}</text>",
                number(x),
                number(y + 2.0),
                number(width),
                number(line - 4.0),
                number(word_x)
            )]);
        }
    }
    Drawing { height, marks }
}
