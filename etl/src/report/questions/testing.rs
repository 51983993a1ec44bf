//! How many tests there were, and how many of them were positive: from the optional dataset of the laboratories.

use super::PARTIAL;
use crate::report::language::Words;
use crate::report::question::{Chart, Column, Extent, Kind, Place, Question, Shape};
use crate::report::vocabulary;

const NO_TESTS: Words = Words::new(
    "No hay datos: la carga no tiene pruebas (Covid19Determinaciones, que es opcional) de los años pedidos. Por qué, lo dice «Archivos de la carga».",
    "No data: the load has no tests (Covid19Determinaciones, which is optional) of the wanted years. “Files of the load” says why.",
);
const TESTS: Words = Words::new("Pruebas", "Tests");
const POSITIVES: Words = Words::new("Positivas", "Positive");
const POSITIVITY: Words = Words::new("Positividad", "Positivity");

pub(super) const TEST_POSITIVITY_BY_WEEK: Question = Question {
    name: "test_positivity_by_week",
    sql: include_str!("../../../queries/test_positivity_by_week.sql"),
    title: Words::new("Positividad de las pruebas, por semana", "Positivity of tests, by week"),
    note: Words::new(
        "Pruebas positivas sobre pruebas hechas, por fecha de la prueba. Son pruebas, no personas: quien se probó dos veces cuenta dos, y las de control bajan la positividad. Solo las que informan los laboratorios al ministerio; las domiciliarias no están. El intervalo es el de Wilson, al 95 %, como si cada prueba fuera de otra persona. Semanas epidemiológicas, de domingo a sábado. «Parcial»: las pruebas no cubren los siete días.",
        "Positive tests out of tests made, by day of the test. These are tests, not people: whoever was tested twice counts twice, and tests to follow a case lower the positivity. Only those that laboratories report to the ministry; tests at home are not there. The interval is Wilson’s, at 95%, as if each test were of another person. Epidemiological weeks, Sunday to Saturday. “Partial”: the tests do not cover all seven days.",
    ),
    nothing: NO_TESTS,
    unit: Words::new("% de las pruebas", "% of tests"),
    shape: Shape::Table,
    extent: Extent::Last(10),
    chart: Chart::Band {
        x: "week_starts_on",
        y: "positivity_percent",
        interval: ("low_percent", "high_percent"),
    },
    columns: &[
        Column::new("epidemiological_year", Kind::Number, Words::new("Año", "Year")),
        Column::new("epidemiological_week", Kind::Number, Words::new("SE", "Wk")),
        Column::new("week_starts_on", Kind::Date, Words::new("Desde", "From")),
        Column::new("tests", Kind::Count, TESTS),
        Column::new("positives", Kind::Count, POSITIVES).at(Place::FileOnly),
        Column::new("positivity_percent", Kind::Percent, POSITIVITY),
        Column::new("low_percent", Kind::Percent, Words::new("de", "from")),
        Column::new("high_percent", Kind::Percent, Words::new("a", "to")),
        PARTIAL,
    ],
};

pub(super) const TESTS_BY_PROVINCE: Question = Question {
    name: "tests_by_province",
    sql: include_str!("../../../queries/tests_by_province.sql"),
    title: Words::new("Pruebas por provincia del laboratorio", "Tests by the laboratory’s province"),
    note: Words::new(
        "Todas las pruebas de los años cargados. La provincia es la del laboratorio y no la de quienes se probaron: algunos laboratorios prueban a los de provincias vecinas. Población: Censo 2022 (INDEC, resultados definitivos). Sin especificar: línea propia.",
        "All tests of the loaded years. The province is the laboratory’s and not that of those who were tested: some laboratories test people of neighbouring provinces. Population: census of 2022 (INDEC, final results). Unspecified is a line of its own.",
    ),
    nothing: NO_TESTS,
    unit: Words::new("pruebas", "tests"),
    shape: Shape::Totalled,
    extent: Extent::Whole,
    chart: Chart::Bars,
    columns: &[
        Column::new("province_id", Kind::Number, Words::new("Código", "Code")).at(Place::FileOnly),
        Column::new("province", Kind::Text(&vocabulary::RESIDENCE), Words::new("Provincia", "Province")),
        Column::new("tests", Kind::Count, TESTS).at(Place::Bar),
        Column::new("share_percent", Kind::Share, Words::same("%")),
        Column::new("positives", Kind::Count, POSITIVES),
        Column::new("positivity_percent", Kind::Percent, POSITIVITY),
        Column::new("per_1000", Kind::Rate, Words::new("Cada 1.000", "Per 1,000")),
    ],
};
