//! One question on the page: title, chart, table and caveats.

use super::charts;
use super::markup::{coordinate, escape};
use crate::report::answer::{Answer, QuestionResult};
use crate::report::language::{Language, Localized, tr};
use crate::report::question::{Chart, Layout, Question};
use crate::report::table::{Table, TableColumn, heading, properties, visible_rows};

const FAILED: Localized = tr("Esta pregunta falló", "This question failed");
const SEE_DATA: Localized = tr("Ver los datos", "See the data");
const ALL_ROWS: Localized = tr("Todas las filas:", "All rows:");

/// The number of columns from which a table needs the full width.
const MANY_COLUMNS: usize = 6;

/// Renders the section of a question: its answer, its absence or its failure.
pub(super) fn render(result: &QuestionResult, is_wide: bool, language: Language) -> String {
    let question = result.question;
    let (class, content) = match &result.answer {
        Ok(answer) if answer.rows.is_empty() => {
            ("nothing", format!("<p class=\"nothing\">{}</p>", escape(question.if_empty.get(language))))
        }
        Ok(answer) => ("answer", render_answer(answer, language)),
        Err(failure) => {
            let (failed, failure) = (FAILED.get(language), escape(&failure.to_string()));
            ("failed", format!("<p class=\"failed\"><strong>{failed}.</strong> {failure}</p>"))
        }
    };
    format!(
        "<section id=\"{name}\" class=\"{class}{wide}\"><h3>{title}</h3>{content}</section>\n",
        name = question.name,
        wide = if is_wide { " wide" } else { "" },
        title = escape(question.title.get(language)),
    )
}

/// Whether a question needs the full width of the page, for a chart over a year or for a table of many columns.
pub(super) fn is_wide(question: &Question) -> bool {
    let columns = question.columns.iter().filter(|column| column.is_in_table()).count();
    let is_wide_table = question.layout == Layout::TableWithTotals && columns >= MANY_COLUMNS;
    match question.chart {
        Chart::None => question.layout == Layout::Table && columns >= MANY_COLUMNS,
        Chart::Bars => is_wide_table,
        _ => charts::is_wide(&question.chart),
    }
}

fn render_answer(answer: &Answer, language: Language) -> String {
    let question = answer.question;
    let heading =
        heading(answer, language).map(|heading| format!("<p class=\"when\">{}</p>", escape(&heading)));
    let table = match question.layout {
        Layout::List => render_list(answer, language),
        _ => render_table(&Table::of(answer, language)),
    };
    let table = format!("<div class=\"scroll\" tabindex=\"0\">{table}</div>");
    let shown = match charts::draw(answer, language) {
        Some(figure) => {
            format!("{figure}<details><summary>{}</summary>{table}</details>", SEE_DATA.get(language))
        }
        None => table,
    };
    let all_rows = (visible_rows(answer).len() < answer.rows.len())
        .then(|| format!(" {} <code>{}</code>.", ALL_ROWS.get(language), question.file_name()));
    format!(
        "{}{shown}<p class=\"note\">{}{}</p>",
        heading.unwrap_or_default(),
        escape(question.note.get(language)),
        all_rows.unwrap_or_default()
    )
}

fn render_list(answer: &Answer, language: Language) -> String {
    let property = |(term, value): (&str, String)| {
        format!("<div><dt>{}</dt><dd>{}</dd></div>", escape(term), escape(&value))
    };
    format!("<dl>{}</dl>", properties(answer, language).into_iter().map(property).collect::<String>())
}

fn render_table(table: &Table) -> String {
    let row = |element: &str, cells: &mut dyn Iterator<Item = &String>, bar: &str| {
        let cell = |(text, column): (&String, &TableColumn)| {
            format!("<{element}{}>{}</{element}>", class(column), escape(text))
        };
        let cells: String = cells.zip(&table.columns).map(cell).collect();
        format!("<tr>{cells}{bar}</tr>")
    };
    let with_bar = |bar: &'static str| if table.bars.is_some() { bar } else { "" };
    let head =
        row("th", &mut table.columns.iter().map(|column| &column.title), with_bar("<th class=\"bar\"></th>"));
    let values = table.bars.as_deref().unwrap_or_default();
    let max = values.iter().copied().max().unwrap_or(0);
    let mut bars = values.iter().map(|value| bar_cell(*value, max));
    let rows: String = table
        .rows
        .iter()
        .map(|cells| row("td", &mut cells.iter(), &bars.next().unwrap_or_default()))
        .collect();
    let foot = table
        .totals
        .as_ref()
        .map(|cells| format!("<tfoot>{}</tfoot>", row("td", &mut cells.iter(), with_bar("<td></td>"))));
    let foot = foot.unwrap_or_default();
    format!("<table><thead>{head}</thead><tbody>{rows}</tbody>{foot}</table>")
}

const fn class(column: &TableColumn) -> &'static str {
    match (column.is_numeric, column.is_secondary) {
        (false, false) => "",
        (true, false) => " class=\"n\"",
        (false, true) => " class=\"late\"",
        (true, true) => " class=\"n late\"",
    }
}

/// Renders a bar as long as the value's percentage of the maximum. A value above 0 is always visible.
#[expect(clippy::cast_precision_loss, reason = "a length on the screen")]
fn bar_cell(value: i64, max: i64) -> String {
    let percent = if value > 0 { (100.0 * value as f64 / max as f64).max(0.5) } else { 0.0 };
    format!(
        "<td class=\"bar\"><svg viewBox=\"0 0 100 10\" preserveAspectRatio=\"none\" aria-hidden=\"true\">\
         <rect width=\"{}\" height=\"10\"/></svg></td>",
        coordinate(percent)
    )
}
