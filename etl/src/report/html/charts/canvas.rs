//! The SVG of one chart on one screen, and the values of its answer.

use crate::report::answer::{Answer, Value};
use crate::report::format;
use crate::report::html::markup::{coordinate, escape};
use crate::report::language::Language;

pub(super) struct Canvas<'a> {
    pub(super) answer: &'a Answer,
    pub(super) language: Language,
    /// Whether it is for a phone.
    is_narrow: bool,
    /// In pixels if the chart is not scaled.
    pub(super) width: f64,
    pub(super) height: f64,
    elements: String,
}

impl<'a> Canvas<'a> {
    pub(super) fn new(answer: &'a Answer, language: Language, is_narrow: bool, width: f64) -> Self {
        Self { answer, language, is_narrow, width, height: 1.0, elements: String::new() }
    }

    pub(super) fn into_svg(self) -> String {
        format!(
            "<svg class=\"{}\" viewBox=\"0 0 {} {}\" role=\"img\" aria-label=\"{}\">{}</svg>",
            self.by_screen("narrow", "wide"),
            self.width,
            self.height,
            escape(self.answer.question.title.get(self.language)),
            self.elements
        )
    }

    /// Chooses a measure by the screen.
    pub(super) fn by_screen<T>(&self, narrow: T, wide: T) -> T {
        if self.is_narrow { narrow } else { wide }
    }

    /// Returns the position of a column, which a test guarantees to exist.
    pub(super) fn position(&self, column: &str) -> usize {
        self.answer.question.position(column).unwrap_or_default()
    }

    pub(super) fn title(&self, column: usize) -> &'static str {
        self.answer.columns()[column].title.get(self.language)
    }

    /// Formats the value of a column.
    pub(super) fn format(&self, value: &Value, column: usize) -> String {
        format::value(value, &self.answer.columns()[column], self.language)
    }

    pub(super) fn push(&mut self, element: &str) {
        self.elements.push_str(element);
    }

    pub(super) fn text<'c>(&mut self, class: impl Into<Option<&'c str>>, (x, y): (f64, f64), text: &str) {
        let class = class.into().map_or_else(String::new, |class| format!(" class=\"{class}\""));
        let (x, y) = (coordinate(x), coordinate(y));
        self.push(&format!("<text{class} x=\"{x}\" y=\"{y}\">{}</text>", escape(text)));
    }

    /// Draws a rectangle from its left, top, width and height, with a tooltip or an empty string.
    pub(super) fn rect(&mut self, class: &str, measures: [f64; 4], tooltip: &str) {
        let [x, y, width, height] = measures.map(coordinate);
        self.push(&format!(
            "<rect class=\"{class}\" x=\"{x}\" y=\"{y}\" width=\"{width}\" height=\"{height}\">{tooltip}</rect>"
        ));
    }

    pub(super) fn path(&mut self, class: &str, data: &str) {
        self.push(&format!("<path class=\"{class}\" d=\"{data}\"/>"));
    }
}

/// Returns the element that a browser shows as a tooltip.
pub(super) fn tooltip(text: &str) -> String {
    format!("<title>{}</title>", escape(text))
}
