//! The questions of the report. Their texts and columns are in the files of this folder, their queries in `queries/`.

use std::sync::LazyLock;

use serde::Deserialize;

use super::language::Localized;
use super::question::Question;

/// A section of the page, in a file of its own.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Section {
    pub(super) anchor: &'static str,
    pub(super) title: Localized,
    /// The names of its questions in the order of the page.
    pub(super) page: Vec<&'static str>,
    questions: Vec<Question>,
}

pub(super) static SECTIONS: LazyLock<[Section; 7]> = LazyLock::new(|| {
    [
        include_str!("epidemic_curve.toml"),
        include_str!("estimates.toml"),
        include_str!("demographics.toml"),
        include_str!("geography.toml"),
        include_str!("tests.toml"),
        include_str!("vaccination.toml"),
        include_str!("data_quality.toml"),
    ]
    .map(read_section)
});

fn read_section(text: &'static str) -> Section {
    let mut section: Section = toml::from_str(text).expect("a test reads the file");
    for question in &mut section.questions {
        let query = QUERIES.iter().find(|(name, _)| *name == question.name);
        question.sql = query.expect("a test compares the names").1;
    }
    section
}

/// The questions in the order of the text.
pub static QUESTIONS: LazyLock<Vec<&'static Question>> =
    LazyLock::new(|| SECTIONS.iter().flat_map(|section| &section.questions).collect());

macro_rules! queries {
    ($($name:literal),* $(,)?) => {
        [$(($name, include_str!(concat!(env!("CARGO_MANIFEST_DIR"), "/queries/", $name, ".sql")))),*]
    };
}

/// The names of the questions, with their queries.
const QUERIES: [(&str, &str); 41] = queries![
    "age_pyramid",
    "confirmed_by_month",
    "confirmed_by_week",
    "confirmed_by_year",
    "contradictions",
    "corrected_fatality",
    "coverage_by_age",
    "coverage_by_department",
    "department_ranking",
    "dose_lag",
    "doses_by_province",
    "doses_by_vaccine",
    "doses_by_week",
    "fatality_by_age",
    "incidence_by_province",
    "last_month_by_age",
    "last_month_by_province",
    "last_month_by_sex",
    "last_update",
    "loaded_checks",
    "loaded_datasets",
    "loaded_issues",
    "loaded_rows",
    "nowcast",
    "past_estimates",
    "positivity_by_week",
    "recent_completeness",
    "release_difference",
    "reporting_delay",
    "reproduction_by_province",
    "reproduction_number",
    "residence_registration",
    "seven_day_mean",
    "severity_by_age",
    "standardised_incidence",
    "test_positivity_by_week",
    "tests_by_province",
    "unknown_doses",
    "vaccination_and_cases_by_age",
    "vaccines_by_month",
    "waves",
];

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::super::language::Language;
    use super::super::question::{Chart, Layout, Placement};
    use super::*;

    #[test]
    fn each_query_file_has_one_question() {
        let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/queries");
        let files: BTreeSet<String> = std::fs::read_dir(folder)
            .unwrap()
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .collect();
        let named: BTreeSet<String> =
            QUESTIONS.iter().map(|question| format!("{}.sql", question.name)).collect();
        assert_eq!(files, named);
        assert_eq!(named.len(), QUESTIONS.len());
    }

    #[test]
    fn each_query_is_one_statement_without_parameters() {
        for question in QUESTIONS.iter() {
            let code = question.sql.lines().filter(|line| !line.starts_with("--"));
            assert!(!question.sql.contains('$'), "{}", question.name);
            assert_eq!(code.map(|line| line.matches(';').count()).sum::<usize>(), 1, "{}", question.name);
        }
    }

    #[test]
    fn page_of_each_section_has_its_questions() {
        for section in SECTIONS.iter() {
            let on_page: BTreeSet<&str> = section.page.iter().copied().collect();
            let questions: BTreeSet<&str> = section.questions.iter().map(|question| question.name).collect();
            assert_eq!(on_page, questions, "{}", section.anchor);
            assert_eq!(section.page.len(), section.questions.len(), "{}", section.anchor);
        }
    }

    #[test]
    fn charts_and_pivots_name_existing_columns() {
        for question in QUESTIONS.iter() {
            let mut named = match question.layout {
                Layout::Pivot { row, column, cell } => vec![row, column, cell],
                _ => Vec::new(),
            };
            named.extend(match question.chart.clone() {
                Chart::None => Vec::new(),
                Chart::Bars => {
                    let mut placements = question.columns.iter().map(|column| column.placement);
                    assert!(placements.any(|placement| placement == Placement::Bar), "{}", question.name);
                    Vec::new()
                }
                Chart::Columns { x, y } => vec![x, y],
                Chart::Trend { x, each, smooth } => vec![x, each, smooth],
                Chart::Band { x, y, interval } => vec![x, y, interval.0, interval.1],
                Chart::Stack { x, solid, ghost } => vec![x, solid, ghost],
                Chart::Expected { x, known, expected, interval } => {
                    vec![x, known, expected, interval.0, interval.1]
                }
                Chart::DotPlot { label, series, interval } => {
                    let ends = interval.map_or_else(Vec::new, |(low, high)| vec![low, high]);
                    [vec![label], series, ends].concat()
                }
                Chart::Pyramid { label, left, right } => vec![label, left, right],
                Chart::Heatmap { row, x, value } => vec![row, x, value],
            });
            for name in named {
                assert!(question.position(name).is_some(), "{}: {name}", question.name);
            }
        }
    }

    #[test]
    fn label_of_unknown_code_is_none() {
        let question = QUESTIONS.iter().find(|question| question.name == "loaded_issues").unwrap();
        let reason = &question.columns[question.position("reason").unwrap()];
        assert_eq!(reason.label(Some("malformed"), Language::Spanish), Some("fila mal formada"));
        assert_eq!(reason.label(Some("malformed"), Language::English), Some("malformed row"));
        assert_eq!(reason.label(Some("from_the_future"), Language::English), None);
        assert_eq!(reason.label(None, Language::English), None);
    }
}
