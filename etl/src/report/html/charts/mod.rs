//! The charts of the page. Each is drawn twice, for a wide screen and for a phone, and the style sheet shows one of them: the text of a
//! single scaled chart would be too small on one screen or too large on the other.

mod canvas;
mod dot_plot;
mod heatmap;
mod pyramid;
mod scale;
mod time_series;

use self::canvas::Canvas;
use super::markup::escape;
use crate::report::answer::Answer;
use crate::report::language::Language;
use crate::report::question::Chart;

/// Whether a chart covers a year and needs the full width of the page.
pub(super) const fn is_wide(chart: &Chart) -> bool {
    matches!(chart, Chart::Trend { .. } | Chart::Heatmap { .. } | Chart::Band { .. } | Chart::Expected { .. })
}

/// Renders the figure of an answer, if its question has one.
pub(super) fn draw(answer: &Answer, language: Language) -> Option<String> {
    let chart = &answer.question.chart;
    let legend = match chart {
        Chart::None | Chart::Bars => return None,
        Chart::DotPlot { series, .. } if series.len() > 1 => dot_plot::legend(answer, series, language),
        _ => String::new(),
    };
    let svg = |is_narrow: bool, width: f64| {
        let mut canvas = Canvas::new(answer, language, is_narrow, width);
        match chart {
            Chart::DotPlot { label, series, interval } => {
                dot_plot::draw(&mut canvas, label, series, *interval);
            }
            Chart::Pyramid { label, left, right } => pyramid::draw(&mut canvas, [label, left, right]),
            Chart::Heatmap { row, x, value } => heatmap::draw(&mut canvas, [row, x, value]),
            Chart::Columns { x, y } => time_series::draw(&mut canvas, x, &[y]),
            Chart::Trend { x, each, smooth } => time_series::draw(&mut canvas, x, &[each, smooth]),
            Chart::Band { x, y, interval } => time_series::draw(&mut canvas, x, &[y, interval.0, interval.1]),
            Chart::Expected { x, known, expected, interval } => {
                time_series::draw(&mut canvas, x, &[known, expected, interval.0, interval.1]);
            }
            Chart::Stack { x, solid, ghost } => time_series::draw(&mut canvas, x, &[solid, ghost]),
            Chart::None | Chart::Bars => {}
        }
        canvas.into_svg()
    };
    let unit = escape(answer.question.unit.get(language));
    let wide = svg(false, if is_wide(chart) { 1080.0 } else { 520.0 });
    let narrow = svg(true, 343.0);
    Some(format!("<figure><figcaption>{unit}{legend}</figcaption>{wide}{narrow}</figure>"))
}
