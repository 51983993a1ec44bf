//! Population pyramid: two bars for each row, to the left and right of its label, the oldest at the top.

use super::canvas::{Canvas, tooltip};
use crate::report::answer::Value;

const TOP: f64 = 24.0;

#[expect(clippy::cast_precision_loss, reason = "a position on the screen")]
pub(super) fn draw(canvas: &mut Canvas<'_>, names: [&str; 3]) {
    let [label, left, right] = names.map(|name| canvas.position(name));
    // An unknown age has no position between the ages.
    let rows: Vec<&Vec<Value>> =
        canvas.answer.rows.iter().filter(|row| row[label] != Value::Missing).collect();
    let values = rows.iter().flat_map(|row| [left, right].map(|at| row[at].as_f64().unwrap_or(0.0)));
    let max = values.fold(1.0, f64::max);
    let (spine, line_height) = canvas.by_screen((26.0, 23.0), (30.0, 25.0));
    let middle = canvas.width / 2.0;
    let room = middle - spine - canvas.by_screen(52.0, 64.0);
    canvas.height = TOP + line_height * rows.len() as f64 + 4.0;

    canvas.text("strong end", (middle - spine, 13.0), canvas.title(left));
    canvas.text("strong", (middle + spine, 13.0), canvas.title(right));
    for (nth, row) in rows.iter().rev().enumerate() {
        let y = TOP + line_height * nth as f64;
        let text_y = y + line_height / 2.0 + 3.5;
        let name = canvas.format(&row[label], label);
        canvas.text("strong middle", (middle, text_y), &name);
        for at in [left, right] {
            let width = room * row[at].as_f64().unwrap_or(0.0) / max;
            let (class, text_class, x, text_x) = if at == left {
                ("left", Some("end"), middle - spine - width, middle - spine - width - 6.0)
            } else {
                ("right", None, middle + spine, middle + spine + width + 6.0)
            };
            let value = canvas.format(&row[at], at);
            let tooltip = tooltip(&format!("{name}, {}: {value}", canvas.title(at)));
            canvas.rect(class, [x, y + 2.0, width, line_height - 4.0], &tooltip);
            canvas.text(text_class, (text_x, text_y), &value);
        }
    }
}
