//! The report for people: a head that says which data it is made of, then question by question the answer and its caveats.

use std::ops::RangeInclusive;

use super::answer::{Finding, Value};
use super::format;
use super::language::{Language, Words};
use super::question::{Column, Shape};
use super::table;
use super::{Answer, Options};

const TITLE: Words =
    Words::new("Covid-19 en Argentina: casos confirmados", "Covid-19 in Argentina: confirmed cases");
pub(super) const SOURCE: Words = Words::new(
    "Fuente: Ministerio de Salud de la Nación: casos registrados en la República Argentina (Covid19Casos); donde la carga los tiene, también pruebas \
     (Covid19Determinaciones) y vacunas (Covid19VacunasAgrupadas).",
    "Source: Argentina's Ministry of Health: registered Covid-19 cases (Covid19Casos); where the load has them, tests (Covid19Determinaciones) and \
     vaccinations (Covid19VacunasAgrupadas), too.",
);
pub(super) const DEFINITION: Words = Words::new(
    "Confirmado es el caso que el ministerio clasifica así; descartados, sospechosos y sin clasificar no se cuentan, \
     aunque hayan fallecido. Las fechas son las de registro (fecha_apertura), no las de síntomas ni de diagnóstico. Los \
     casos se registran con demora y se reclasifican: los últimos días siempre están incompletos.",
    "A case is confirmed where the ministry classifies it so; discarded, suspected and unclassified cases are not \
     counted, even if they died. Dates are those of registration (fecha_apertura), not of symptoms or diagnosis. Cases \
     are registered late and reclassified: the latest days are always incomplete.",
);
pub(super) const DATA_AS_OF: Words = Words::new("Datos al", "Data as of");
const LOAD: Words = Words::new("Carga", "Load");
const REPORT: Words = Words::new("Informe", "Report");
const MADE_ON: Words = Words::new("Hecho el", "Made on");
const FAILED: Words = Words::new("FALLÓ:", "FAILED:");

/// How wide the stored text is.
pub(super) const STORED_WIDTH: usize = 80;

/// Narrower lines would break the numbers, and wider ones are hard to read.
const WIDTHS: RangeInclusive<usize> = 60..=160;

/// Prose is no wider, whatever room there is.
const WIDEST_PROSE: usize = 100;

/// The whole text for lines of this width, ending in a line break.
pub(super) fn render(options: &Options, findings: &[Finding], width: usize) -> String {
    let language = options.language;
    let width = width.clamp(*WIDTHS.start(), *WIDTHS.end());
    let wrapped = |paragraph: &str| wrapped(paragraph, width.min(WIDEST_PROSE));
    let mut lines = head(options, findings, width);
    for (index, finding) in findings.iter().enumerate() {
        let title = format!("{}. {}", index + 1, finding.question.title.to(language));
        lines.push(String::new());
        lines.push("─".repeat(width));
        lines.extend(wrapped(&title));
        lines.push(String::new());
        lines.extend(section(finding, language, width));
    }
    lines.push(String::new());
    lines.join("\n")
}

fn head(options: &Options, findings: &[Finding], width: usize) -> Vec<String> {
    let language = options.language;
    let wrapped = |paragraph: &str| wrapped(paragraph, width.min(WIDEST_PROSE));
    let mut lines = vec!["═".repeat(width), TITLE.to(language).to_owned(), "═".repeat(width)];
    lines.extend(facts(options, findings).into_iter().map(|(title, fact)| format!("{title:<10}  {fact}")));
    if let Some(warning) = incomplete(findings, language) {
        lines.push(String::new());
        lines.extend(wrapped(&warning));
    }
    for note in [DEFINITION, SOURCE] {
        lines.push(String::new());
        lines.extend(wrapped(note.to(language)));
    }
    lines
}

/// Which data, which load, which report, and when.
pub(super) fn facts(options: &Options, findings: &[Finding]) -> [(&'static str, String); 4] {
    let language = options.language;
    let started_on = format::date(options.started_at.date_naive(), language);
    [
        (DATA_AS_OF, data_as_of(findings, language)),
        (LOAD, loaded("run_id", findings, language)),
        (REPORT, options.run_id.to_string()),
        (MADE_ON, format!("{started_on} {}", options.started_at.format("%H:%M UTC"))),
    ]
    .map(|(title, fact)| (title.to(language), fact))
}

/// The date of the data.
pub(super) fn data_as_of(findings: &[Finding], language: Language) -> String {
    loaded("dataset_updated_on", findings, language)
}

/// What to say first where not every question was answered.
pub(super) fn incomplete(findings: &[Finding], language: Language) -> Option<String> {
    let failed = findings.iter().filter(|finding| finding.outcome.is_err()).count();
    let of = findings.len();
    (failed > 0).then(|| match language {
        Language::Spanish => format!("INCOMPLETO: fallaron {failed} de {of} preguntas; abajo dice por qué."),
        Language::English => format!("INCOMPLETE: {failed} of {of} questions failed; see why below."),
    })
}

/// A fact about the published load, from the answer that has it.
fn loaded(name: &str, findings: &[Finding], language: Language) -> String {
    let mut known = findings.iter().filter_map(|finding| finding.outcome.as_ref().ok());
    let fact = known.find_map(|answer| fact(answer, name));
    fact.map_or_else(|| "—".to_owned(), |(column, value)| format::value(value, column, language))
}

fn fact<'a>(answer: &'a Answer, name: &str) -> Option<(&'static Column, &'a Value)> {
    let row = answer.rows.first()?;
    answer.columns().iter().zip(row).find(|(column, _)| column.name == name)
}

fn section(finding: &Finding, language: Language, width: usize) -> Vec<String> {
    let question = finding.question;
    let wrapped = |paragraph: &str| wrapped(paragraph, width.min(WIDEST_PROSE));
    let answer = match &finding.outcome {
        Ok(answer) if answer.rows.is_empty() => return wrapped(question.nothing.to(language)),
        Ok(answer) => answer,
        Err(failure) => return wrapped(&format!("{} {failure}", FAILED.to(language))),
    };
    let mut lines = Vec::new();
    if let Some(heading) = table::heading(answer, language) {
        lines.extend(wrapped(&heading));
        lines.push(String::new());
    }
    lines.extend(table::lines(answer, language, width));
    lines.extend(more(answer, language));
    lines.push(String::new());
    lines.extend(wrapped(question.note.to(language)));
    lines.push(format!("→ {}", question.file_name()));
    lines
}

/// What to say where not every row is shown.
fn more(answer: &Answer, language: Language) -> Option<String> {
    let shown = match answer.question.shape {
        Shape::Grid { .. } => return None,
        _ => table::extent(answer).len(),
    };
    let hidden = answer.rows.len() - shown;
    let (count, file) =
        (format::count(i64::try_from(hidden).unwrap_or(i64::MAX), language), answer.question.file_name());
    (hidden > 0).then(|| match language {
        Language::Spanish => format!("… y {count} filas más en {file}"),
        Language::English => format!("… and {count} more rows in {file}"),
    })
}

/// A paragraph in lines of at most so many characters; a word that is longer alone is cut.
fn wrapped(paragraph: &str, width: usize) -> Vec<String> {
    let mut lines: Vec<String> = Vec::new();
    let mut used = 0;
    for word in paragraph.split_whitespace().flat_map(|word| pieces(word, width)) {
        let length = word.chars().count();
        match lines.last_mut() {
            Some(line) if used + 1 + length <= width => {
                line.push(' ');
                line.push_str(&word);
                used += 1 + length;
            }
            _ => {
                lines.push(word);
                used = length;
            }
        }
    }
    lines
}

/// A word in pieces that fit in a line.
fn pieces(word: &str, width: usize) -> Vec<String> {
    let characters: Vec<char> = format::visible(word).chars().collect();
    characters.chunks(width).map(|piece| piece.iter().collect()).collect()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn wrapping_keeps_every_word_and_the_width(
            words in proptest::collection::vec("[a-zñ«»]{1,30}", 0..60),
            width in 30_usize..200,
        ) {
            let lines = wrapped(&words.join(" "), width);
            prop_assert!(lines.iter().all(|line| line.chars().count() <= width));
            let again: Vec<&str> = lines.iter().flat_map(|line| line.split(' ')).collect();
            prop_assert_eq!(again, words);
        }
    }

    #[test]
    fn a_word_longer_than_a_line_is_cut_into_lines() {
        let lines = wrapped(&"x".repeat(100), 80);
        assert_eq!(lines.iter().map(String::len).collect::<Vec<_>>(), [80, 20]);
    }
}
