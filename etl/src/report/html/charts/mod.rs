//! The drawings, each for a wide screen and for a phone: one is shown, the style sheet says which. A drawing that were only scaled
//! would have words that nobody can read on the one or that shout on the other.

mod dots;
mod heat;
mod pyramid;
mod scale;
mod time;

use super::markup::escaped;
use crate::report::answer::{Answer, Value};
use crate::report::language::Language;
use crate::report::question::Chart;

/// For which screen a drawing is.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Screen {
    /// The whole page, or half of it.
    Wide {
        /// In the drawing's own units, which are pixels when it is not scaled.
        width: f64,
    },
    /// A phone.
    Narrow,
}

impl Screen {
    fn width(self) -> f64 {
        match self {
            Self::Wide { width } => width,
            Self::Narrow => 343.0,
        }
    }

    fn is_narrow(self) -> bool {
        self == Self::Narrow
    }
}

/// What is drawn on one screen.
struct Drawing {
    height: f64,
    marks: String,
}

/// The figure of an answer, where its question has one.
pub(super) fn draw(answer: &Answer, language: Language) -> Option<String> {
    let question = answer.question;
    let (width, legend) = match question.chart {
        Chart::None | Chart::Bars => return None,
        Chart::Trend { .. } | Chart::Heat { .. } | Chart::Band { .. } => (1080.0, String::new()),
        Chart::Dots { series, .. } if series.len() > 1 => (520.0, dots::legend(answer, series, language)),
        _ => (520.0, String::new()),
    };
    let svg = |screen: Screen| {
        let drawing = match question.chart {
            Chart::None | Chart::Bars => return String::new(),
            Chart::Dots { label, series, interval } => {
                dots::draw(answer, (label, series, interval), screen, language)
            }
            Chart::Pyramid { label, left, right } => {
                pyramid::draw(answer, [label, left, right], screen, language)
            }
            Chart::Heat { line, x, value } => heat::draw(answer, [line, x, value], screen, language),
            Chart::Columns { .. } | Chart::Trend { .. } | Chart::Band { .. } | Chart::Stack { .. } => {
                time::draw(answer, screen, language)
            }
        };
        let class = if screen.is_narrow() { "narrow" } else { "wide" };
        format!(
            "<svg class=\"{class}\" viewBox=\"0 0 {} {}\" role=\"img\" aria-label=\"{}\">{}</svg>",
            screen.width(),
            drawing.height,
            escaped(question.title.to(language)),
            drawing.marks
        )
    };
    let unit = escaped(question.unit.to(language));
    let wide = svg(Screen::Wide { width });
    Some(format!("<figure><figcaption>{unit}{legend}</figcaption>{wide}{}</figure>", svg(Screen::Narrow)))
}

/// How much a value is, where it is a number.
#[expect(clippy::cast_precision_loss, reason = "a place on the screen")]
fn amount(value: &Value) -> Option<f64> {
    match value {
        Value::Number(number) => Some(*number as f64),
        Value::Percent(number) | Value::Rate(number) => Some(*number),
        _ => None,
    }
}

/// What the browser shows when something is pointed at.
fn hint(text: &str) -> String {
    format!("<title>{}</title>", escaped(text))
}
