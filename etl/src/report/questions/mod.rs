//! The questions of the report, in order. To add one: write its `.sql` file, add an entry to one of these files and to the table.

mod course;
mod people;
mod places;
mod quality;
mod testing;
mod vaccines;

use super::language::Words;
use super::question::{Column, Kind, Place, Question};

const NO_LOAD: Words =
    Words::new("No hay datos: todavía no terminó bien ninguna carga.", "No data: no load has succeeded yet.");
const NO_CASES: Words = Words::new("No hay datos: no hay casos cargados.", "No data: no cases are loaded.");

const CASES: Words = Words::new("casos confirmados", "confirmed cases");
const ROWS: Words = Words::new("filas", "rows");
const NO_UNIT: Words = Words::same("");

const CONFIRMED: Words = Words::new("Confirmados", "Confirmed");

/// The last month's columns that are the same in three questions: which month, before the line's own columns.
const MONTH: Column = Column::new("month", Kind::Month, Words::new("Mes", "Month")).at(Place::Heading);
const NEWEST: Column =
    Column::new("newest_on", Kind::Date, Words::new("datos hasta", "data until")).at(Place::Heading);
const PARTIAL_MONTH: Column =
    Column::new("partial", Kind::Flag, Words::new("mes parcial", "partial month")).at(Place::Heading);
/// … and its counts, after them.
const IN_MONTH: Column = Column::new("confirmed", Kind::Count, Words::new("En el mes", "In the month"));
const MONTH_SHARE: Column = Column::new("share_percent", Kind::Share, Words::same("%"));
const IN_YEAR: Column = Column::new("confirmed_in_year", Kind::Count, Words::new("En el año", "In the year"));
const YEAR_SHARE: Column = Column::new("share_of_year_percent", Kind::Share, Words::same("%"));

const PARTIAL: Column = Column::new("partial", Kind::Flag, Words::new("parcial", "partial"));

/// The questions, in the order in which people read them.
pub static QUESTIONS: [Question; 27] = [
    course::LAST_UPDATE,
    course::CONFIRMED_BY_YEAR,
    course::SEVEN_DAY_MEAN,
    course::CONFIRMED_BY_MONTH,
    course::CONFIRMED_BY_WEEK,
    course::POSITIVITY_BY_WEEK,
    people::LAST_MONTH_BY_SEX,
    people::LAST_MONTH_BY_AGE,
    people::AGE_PYRAMID,
    people::SEVERITY_BY_AGE,
    people::FATALITY_BY_AGE,
    places::LAST_MONTH_BY_PROVINCE,
    places::INCIDENCE_BY_PROVINCE,
    places::DEPARTMENT_RANKING,
    places::RESIDENCE_REGISTRATION,
    testing::TEST_POSITIVITY_BY_WEEK,
    testing::TESTS_BY_PROVINCE,
    vaccines::DOSES_BY_PROVINCE,
    vaccines::DOSES_BY_VACCINE,
    quality::REPORTING_DELAY,
    quality::RECENT_COMPLETENESS,
    quality::LOADED_DATASETS,
    quality::LOADED_ROWS,
    quality::LOADED_ISSUES,
    quality::LOADED_CHECKS,
    quality::CONTRADICTIONS,
    quality::RELEASE_DIFFERENCE,
];

/// The parts of the page: anchor, title, and the names of the questions.
pub(super) const PARTS: [(&str, Words, &[&str]); 5] = [
    (
        "course",
        Words::new("Evolución", "Course"),
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
        Words::new("Personas", "People"),
        &["last_month_by_age", "age_pyramid", "severity_by_age", "fatality_by_age", "last_month_by_sex"],
    ),
    (
        "places",
        Words::new("Lugares", "Places"),
        &["incidence_by_province", "last_month_by_province", "department_ranking", "residence_registration"],
    ),
    (
        "tests",
        Words::new("Pruebas y vacunas", "Tests and vaccines"),
        &["test_positivity_by_week", "tests_by_province", "doses_by_province", "doses_by_vaccine"],
    ),
    (
        "quality",
        Words::new("Calidad de los datos", "Quality of the data"),
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

    use super::super::question::{Chart, Shape};
    use super::*;

    #[test]
    fn every_query_stands_in_the_table_once() {
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
    fn no_query_has_parameters_and_each_is_one_statement() {
        for question in &QUESTIONS {
            assert!(!question.sql.contains('$'), "{}", question.name);
            assert_eq!(
                question.sql.matches(';').count(),
                1 + comment_semicolons(question.sql),
                "{}",
                question.name
            );
        }
    }

    fn comment_semicolons(sql: &str) -> usize {
        sql.lines().filter(|line| line.starts_with("--")).map(|line| line.matches(';').count()).sum()
    }

    #[test]
    fn every_question_has_its_part_of_the_page() {
        let mut placed: Vec<&str> = PARTS.iter().flat_map(|(_, _, names)| names.iter().copied()).collect();
        placed.sort_unstable();
        let mut names: Vec<&str> = QUESTIONS.iter().map(|question| question.name).collect();
        names.sort_unstable();
        assert_eq!(placed, names);
    }

    #[test]
    fn charts_and_grids_name_columns_that_there_are() {
        for question in &QUESTIONS {
            let grid = match question.shape {
                Shape::Grid { line, across, cell } => vec![line, across, cell],
                _ => Vec::new(),
            };
            let drawn = match question.chart {
                Chart::None => Vec::new(),
                Chart::Bars => {
                    assert!(
                        question.columns.iter().any(|column| column.place == Place::Bar),
                        "{}",
                        question.name
                    );
                    Vec::new()
                }
                Chart::Columns { x, y } => vec![x, y],
                Chart::Trend { x, each, smooth } => vec![x, each, smooth],
                Chart::Band { x, y, interval } => vec![x, y, interval.0, interval.1],
                Chart::Stack { x, solid, ghost } => vec![x, solid, ghost],
                Chart::Dots { label, series, interval } => {
                    let ends = interval.map_or_else(Vec::new, |(low, high)| vec![low, high]);
                    [vec![label], series.to_vec(), ends].concat()
                }
                Chart::Pyramid { label, left, right } => vec![label, left, right],
                Chart::Heat { line, x, value } => vec![line, x, value],
            };
            for name in grid.into_iter().chain(drawn) {
                assert!(question.position(name).is_some(), "{}: {name}", question.name);
            }
        }
    }
}
