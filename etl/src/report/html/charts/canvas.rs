//! The SVG of one chart on one screen, and the values of its answer.

use crate::report::answer::{Answer, Value};
use crate::report::format;
use crate::report::html::markup::{coordinate, escape};
use crate::report::language::Language;

#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Screen {
    /// The full or half width of the page, in pixels if the chart is not scaled.
    Wide { width: f64 },
    /// A phone.
    Narrow,
}

pub(super) struct Canvas<'a> {
    pub(super) answer: &'a Answer,
    pub(super) language: Language,
    screen: Screen,
    pub(super) height: f64,
    elements: String,
}

impl<'a> Canvas<'a> {
    pub(super) fn new(answer: &'a Answer, language: Language, screen: Screen) -> Self {
        Self { answer, language, screen, height: 1.0, elements: String::new() }
    }

    pub(super) fn into_svg(self) -> String {
        format!(
            "<svg class=\"{}\" viewBox=\"0 0 {} {}\" role=\"img\" aria-label=\"{}\">{}</svg>",
            if self.is_narrow() { "narrow" } else { "wide" },
            self.width(),
            self.height,
            escape(self.answer.question.title.get(self.language)),
            self.elements
        )
    }

    pub(super) fn is_narrow(&self) -> bool {
        self.screen == Screen::Narrow
    }

    pub(super) fn width(&self) -> f64 {
        match self.screen {
            Screen::Wide { width } => width,
            Screen::Narrow => 343.0,
        }
    }

    /// Chooses a measure by the screen.
    pub(super) fn by_screen<T>(&self, narrow: T, wide: T) -> T {
        if self.is_narrow() { narrow } else { wide }
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
