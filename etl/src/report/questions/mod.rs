//! The questions of the report.

mod data_quality;
mod demographics;
mod epidemic_curve;
mod geography;
mod shared;
mod testing;
mod vaccinations;

use super::language::{Localized, tr};
use super::question::Question;

/// The questions in the order of the text. A new one needs a file in `queries/`, a constant, and an entry here and in [`SECTIONS`].
pub static QUESTIONS: [Question; 27] = [
    epidemic_curve::LAST_UPDATE,
    epidemic_curve::CONFIRMED_BY_YEAR,
    epidemic_curve::SEVEN_DAY_MEAN,
    epidemic_curve::CONFIRMED_BY_MONTH,
    epidemic_curve::CONFIRMED_BY_WEEK,
    epidemic_curve::POSITIVITY_BY_WEEK,
    demographics::LAST_MONTH_BY_SEX,
    demographics::LAST_MONTH_BY_AGE,
    demographics::AGE_PYRAMID,
    demographics::SEVERITY_BY_AGE,
    demographics::FATALITY_BY_AGE,
    geography::LAST_MONTH_BY_PROVINCE,
    geography::INCIDENCE_BY_PROVINCE,
    geography::DEPARTMENT_RANKING,
    geography::RESIDENCE_REGISTRATION,
    testing::TEST_POSITIVITY_BY_WEEK,
    testing::TESTS_BY_PROVINCE,
    vaccinations::DOSES_BY_PROVINCE,
    vaccinations::DOSES_BY_VACCINE,
    data_quality::REPORTING_DELAY,
    data_quality::RECENT_COMPLETENESS,
    data_quality::LOADED_DATASETS,
    data_quality::LOADED_ROWS,
    data_quality::LOADED_ISSUES,
    data_quality::LOADED_CHECKS,
    data_quality::CONTRADICTIONS,
    data_quality::RELEASE_DIFFERENCE,
];

/// The sections of the page: anchor, title and questions.
pub(super) const SECTIONS: [(&str, Localized, &[&str]); 5] = [
    (
        "course",
        tr("Evolución", "Over time"),
        &[
            "seven_day_mean",
            "confirmed_by_month",
            "confirmed_by_week",
            "positivity_by_week",
            "confirmed_by_year",
            "last_update",
        ],
    ),
    (
        "people",
        tr("Personas", "People"),
        &["last_month_by_age", "age_pyramid", "severity_by_age", "fatality_by_age", "last_month_by_sex"],
    ),
    (
        "places",
        tr("Lugares", "Geography"),
        &["incidence_by_province", "last_month_by_province", "department_ranking", "residence_registration"],
    ),
    (
        "tests",
        tr("Pruebas y vacunas", "Tests and vaccines"),
        &["test_positivity_by_week", "tests_by_province", "doses_by_province", "doses_by_vaccine"],
    ),
    (
        "quality",
        tr("Calidad de los datos", "Data quality"),
        &[
            "reporting_delay",
            "recent_completeness",
            "loaded_datasets",
            "loaded_rows",
            "loaded_issues",
            "loaded_checks",
            "contradictions",
            "release_difference",
        ],
    ),
];

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

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
        for question in &QUESTIONS {
            let code = question.sql.lines().filter(|line| !line.starts_with("--"));
            assert!(!question.sql.contains('$'), "{}", question.name);
            assert_eq!(code.map(|line| line.matches(';').count()).sum::<usize>(), 1, "{}", question.name);
        }
    }

    #[test]
    fn each_question_is_in_one_section() {
        let mut in_sections: Vec<&str> =
            SECTIONS.iter().flat_map(|(_, _, names)| names.iter().copied()).collect();
        in_sections.sort_unstable();
        let mut names: Vec<&str> = QUESTIONS.iter().map(|question| question.name).collect();
        names.sort_unstable();
        assert_eq!(in_sections, names);
    }

    #[test]
    fn charts_and_pivots_name_existing_columns() {
        for question in &QUESTIONS {
            let mut named = match question.layout {
                Layout::Pivot { row, column, cell } => vec![row, column, cell],
                _ => Vec::new(),
            };
            named.extend(match question.chart {
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
                Chart::DotPlot { label, series, interval } => {
                    let ends = interval.map_or_else(Vec::new, |(low, high)| vec![low, high]);
                    [vec![label], series.to_vec(), ends].concat()
                }
                Chart::Pyramid { label, left, right } => vec![label, left, right],
                Chart::Heatmap { row, x, value } => vec![row, x, value],
            });
            for name in named {
                assert!(question.position(name).is_some(), "{}: {name}", question.name);
            }
        }
    }
}
