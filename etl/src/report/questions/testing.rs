//! Tests and their positivity, from the optional dataset of laboratory tests.

use super::shared::{
    EPIDEMIOLOGICAL_WEEK, EPIDEMIOLOGICAL_YEAR, HIGH_PERCENT, LOW_PERCENT, PARTIAL, PERCENT, WEEK_STARTS_ON,
};
use crate::report::code_labels;
use crate::report::language::{Localized, tr};
use crate::report::question::{Chart, Column, ColumnKind, Layout, Placement, Question, RowLimit, question};

const NO_TESTS: Localized = tr(
    "No hay datos: la carga no tiene pruebas (Covid19Determinaciones, que es opcional) de los años pedidos. Por qué, lo dice «Archivos de la carga».",
    "No data: the load has no tests (Covid19Determinaciones, which is optional) of the requested years. See “Files of the load” for the reason.",
);
const TESTS: Localized = tr("Pruebas", "Tests");
const POSITIVES: Localized = tr("Positivas", "Positive");
const POSITIVITY: Localized = tr("Positividad", "Positivity");

pub(super) const TEST_POSITIVITY_BY_WEEK: Question = Question {
    title: tr("Positividad de las pruebas, por semana", "Positivity of tests, by week"),
    note: tr(
        "Pruebas positivas sobre pruebas hechas, por fecha de la prueba. Son pruebas, no personas: quien se probó dos veces cuenta dos, y las de control bajan la positividad. Solo las que informan los laboratorios al ministerio; las domiciliarias no están. El intervalo es el de Wilson, al 95 %, como si cada prueba fuera de otra persona. Semanas epidemiológicas, de domingo a sábado. «Parcial»: las pruebas no cubren los siete días.",
        "Positive tests as a share of all tests, by test date. These are tests, not people: a person who was tested twice counts twice, and follow-up tests lower the positivity. Only tests that laboratories report to the ministry are included, not tests at home. The interval is the Wilson 95% interval, as if each test were of a different person. Epidemiological weeks, Sunday to Saturday. “Partial”: the tests do not cover all seven days.",
    ),
    if_empty: NO_TESTS,
    unit: tr("% de las pruebas", "% of tests"),
    row_limit: RowLimit::Last(10),
    chart: Chart::Band {
        x: "week_starts_on",
        y: "positivity_percent",
        interval: ("low_percent", "high_percent"),
    },
    columns: &[
        EPIDEMIOLOGICAL_YEAR,
        EPIDEMIOLOGICAL_WEEK,
        WEEK_STARTS_ON,
        Column::new("tests", ColumnKind::Count, TESTS),
        Column::new("positives", ColumnKind::Count, POSITIVES).at(Placement::FileOnly),
        Column::new("positivity_percent", ColumnKind::Percent, POSITIVITY),
        LOW_PERCENT,
        HIGH_PERCENT,
        PARTIAL,
    ],
    ..question!("test_positivity_by_week")
};

pub(super) const TESTS_BY_PROVINCE: Question = Question {
    title: tr("Pruebas por provincia del laboratorio", "Tests by province of the laboratory"),
    note: tr(
        "Todas las pruebas de los años cargados. La provincia es la del laboratorio y no la de quienes se probaron: algunos laboratorios prueban a los de provincias vecinas. Población: Censo 2022 (INDEC, resultados definitivos). Sin especificar: línea propia.",
        "All tests of the loaded years. The province is that of the laboratory, not of the people tested: some laboratories test people from neighbouring provinces. Population: 2022 census (INDEC, final results). Unspecified has a row of its own.",
    ),
    if_empty: NO_TESTS,
    unit: tr("pruebas", "tests"),
    layout: Layout::TableWithTotals,
    chart: Chart::Bars,
    columns: &[
        Column::new("province_id", ColumnKind::Number, tr("Código", "Code")).at(Placement::FileOnly),
        Column::coded("province", &code_labels::RESIDENCE, tr("Provincia", "Province")),
        Column::new("tests", ColumnKind::Count, TESTS).at(Placement::Bar),
        Column::new("share_percent", ColumnKind::Share, PERCENT),
        Column::new("positives", ColumnKind::Count, POSITIVES),
        Column::new("positivity_percent", ColumnKind::Percent, POSITIVITY),
        Column::new("per_1000", ColumnKind::Rate, tr("Cada 1.000", "Per 1,000")),
    ],
    ..question!("tests_by_province")
};
