//! One question on the page: its title, its drawing, its table, and what must be known about the numbers.

use super::charts;
use super::markup::escaped;
use super::table;
use crate::report::answer::{Answer, Finding};
use crate::report::language::{Language, Words};
use crate::report::question::{Chart, Place, Question, Shape};
use crate::report::table::{extent, heading};

const FAILED: Words = Words::new("Esta pregunta falló", "This question failed");
const SEE_DATA: Words = Words::new("Ver los datos", "See the data");
const ALL_ROWS: Words = Words::new("Todas las filas:", "All rows:");

/// More columns than half of a page holds beside bars.
const MANY_COLUMNS: usize = 6;

/// The section of a finding. It is always there: an answer, an absence or a failure.
pub(super) fn render(finding: &Finding, wide: bool, language: Language) -> String {
    let question = finding.question;
    let (kind, content) = match &finding.outcome {
        Ok(answer) if answer.rows.is_empty() => {
            ("nothing", format!("<p class=\"nothing\">{}</p>", escaped(question.nothing.to(language))))
        }
        Ok(answer) => ("answer", answered(answer, language)),
        Err(failure) => (
            "failed",
            format!(
                "<p class=\"failed\"><strong>{}.</strong> {}</p>",
                FAILED.to(language),
                escaped(&failure.to_string())
            ),
        ),
    };
    let wide = if wide { " wide" } else { "" };
    format!(
        "<section id=\"{name}\" class=\"{kind}{wide}\"><h3>{title}</h3>{content}</section>\n",
        name = question.name,
        title = escaped(question.title.to(language)),
    )
}

/// What needs the whole width of the page: what is drawn along a year, and a table of many numbers with bars behind them.
pub(super) fn is_wide(question: &Question) -> bool {
    match question.chart {
        Chart::Trend { .. } | Chart::Heat { .. } | Chart::Band { .. } => true,
        Chart::Bars => {
            let shown =
                question.columns.iter().filter(|column| matches!(column.place, Place::Body | Place::Bar));
            question.shape == Shape::Totalled && shown.count() >= MANY_COLUMNS
        }
        _ => false,
    }
}

fn answered(answer: &Answer, language: Language) -> String {
    let question = answer.question;
    let heading =
        heading(answer, language).map(|heading| format!("<p class=\"when\">{}</p>", escaped(&heading)));
    let table = format!("<div class=\"scroll\" tabindex=\"0\">{}</div>", table::table(answer, language));
    let shown = match charts::draw(answer, language) {
        Some(figure) => {
            format!("{figure}<details><summary>{}</summary>{table}</details>", SEE_DATA.to(language))
        }
        None => table,
    };
    let more = (extent(answer).len() < answer.rows.len())
        .then(|| format!(" {} <code>{}</code>.", ALL_ROWS.to(language), question.file_name()));
    format!(
        "{}{shown}<p class=\"note\">{}{}</p>",
        heading.unwrap_or_default(),
        escaped(question.note.to(language)),
        more.unwrap_or_default()
    )
}
