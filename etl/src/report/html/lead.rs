//! The few numbers that stand on top of the page, each with what it is compared with.

use crate::report::answer::{Answer, Finding, Value};
use crate::report::format;
use crate::report::language::{Language, Words};

/// A number, what it is, and what else belongs to it.
pub(super) struct Figure {
    pub(super) value: String,
    pub(super) title: String,
    pub(super) detail: String,
}

/// The figures that the answers have; one whose question failed or is empty is left out.
pub(super) fn figures(findings: &[Finding], language: Language) -> Vec<Figure> {
    [
        year(findings, language),
        week(findings, language),
        incidence(findings, language),
        fatality(findings, language),
    ]
    .into_iter()
    .flatten()
    .collect()
}

fn answer<'a>(findings: &'a [Finding], name: &str) -> Option<&'a Answer> {
    findings.iter().find(|finding| finding.question.name == name)?.outcome.as_ref().ok()
}

/// A value in words.
fn said(answer: &Answer, row: &[Value], column: &str, language: Language) -> Option<String> {
    let at = answer.question.position(column)?;
    Some(format::value(&row[at], &answer.columns()[at], language))
}

fn value<'a>(answer: &Answer, row: &'a [Value], column: &str) -> Option<&'a Value> {
    row.get(answer.question.position(column)?)
}

fn year(findings: &[Finding], language: Language) -> Option<Figure> {
    let answer = answer(findings, "confirmed_by_year")?;
    let row = answer.rows.last()?;
    let word = Words::new("confirmados en", "confirmed in").to(language);
    let until = Words::new("hasta el", "until").to(language);
    Some(Figure {
        value: said(answer, row, "confirmed", language)?,
        title: format!("{word} {}", said(answer, row, "year", language)?),
        detail: format!("{until} {}", said(answer, row, "newest_on", language)?),
    })
}

/// The newest whole week.
fn week(findings: &[Finding], language: Language) -> Option<Figure> {
    let answer = answer(findings, "confirmed_by_week")?;
    let whole = |row: &&Vec<Value>| value(answer, row, "partial") == Some(&Value::Flag(false));
    let row = answer.rows.iter().rfind(whole)?;
    let title = Words::new("en la última semana completa (SE", "in the newest whole week (wk").to(language);
    let change = said(answer, row, "change_percent", language)?;
    let than = Words::new("que la semana anterior", "than the week before").to(language);
    let versus = Words::new("respecto de la semana anterior", "against the week before").to(language);
    let known = value(answer, row, "change_percent") != Some(&Value::Missing);
    Some(Figure {
        value: said(answer, row, "confirmed", language)?,
        title: format!("{title} {})", said(answer, row, "epidemiological_week", language)?),
        detail: if known { format!("{change} {versus}") } else { format!("— {than}") },
    })
}

fn incidence(findings: &[Finding], language: Language) -> Option<Figure> {
    let answer = answer(findings, "incidence_by_province")?;
    let country = |row: &&Vec<Value>| value(answer, row, "province_id") == Some(&Value::Missing);
    let row = answer.rows.iter().rfind(country)?;
    Some(Figure {
        value: said(answer, row, "per_100000", language)?,
        title: Words::new("cada 100.000 habitantes en esa semana", "for every 100,000 people in that week")
            .to(language)
            .to_owned(),
        detail: Words::new("población: Censo 2022", "population: census of 2022").to(language).to_owned(),
    })
}

fn fatality(findings: &[Finding], language: Language) -> Option<Figure> {
    let answer = answer(findings, "confirmed_by_year")?;
    let row = answer.rows.last()?;
    let died = Words::new("fallecidos entre los confirmados", "deaths among the confirmed").to(language);
    Some(Figure {
        value: said(answer, row, "fatality_percent", language)?,
        title: Words::new("letalidad de los casos del año", "fatality of the year’s cases")
            .to(language)
            .to_owned(),
        detail: format!("{} {died}", said(answer, row, "died", language)?),
    })
}
