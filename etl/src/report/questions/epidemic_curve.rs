//! The epidemic over time: by year, month, week and day.

use super::shared::{
    CONFIRMED, EPIDEMIOLOGICAL_WEEK, EPIDEMIOLOGICAL_YEAR, HIGH_PERCENT, LOW_PERCENT, NO_LOAD, PARTIAL,
    WEEK_STARTS_ON,
};
use crate::report::code_labels;
use crate::report::language::{Localized, tr};
use crate::report::question::{Chart, Column, ColumnKind, Layout, Placement, Question, RowLimit, question};

pub(super) const LAST_UPDATE: Question = Question {
    title: tr("Última actualización", "Last update"),
    note: tr(
        "La fecha de los datos es la que publica el ministerio (ultima_actualizacion).",
        "The date of the data is the one that the ministry publishes (ultima_actualizacion).",
    ),
    if_empty: NO_LOAD,
    unit: Localized::same(""),
    layout: Layout::List,
    columns: &[
        Column::new("dataset_updated_on", ColumnKind::Date, tr("Datos al", "Data as of")),
        Column::new("loaded_at", ColumnKind::Time, tr("Cargados el", "Loaded on")),
        Column::coded("years", &code_labels::YEARS, tr("Años cargados", "Years loaded")),
        Column::new("rows_loaded", ColumnKind::Count, tr("Casos cargados", "Cases loaded")),
        Column::new("run_id", ColumnKind::Text, tr("Carga", "Load")),
    ],
    ..question!("last_update")
};

pub(super) const CONFIRMED_BY_YEAR: Question = Question {
    title: tr("Confirmados en el año", "Confirmed in the year"),
    note: tr(
        "Por año de registro. «% conf.» es la parte confirmada de todos los casos notificados: no es la positividad de las pruebas. Fallecidos: confirmados con fecha de fallecimiento, en el año en que se registró el caso y no en el de la muerte; la letalidad de casos recientes puede subir todavía.",
        "By year of registration. “% conf.” is the confirmed share of all notified cases, not the positivity of tests. Died: confirmed cases with a date of death, counted in the year of registration and not of death; the fatality of recent cases may still rise.",
    ),
    layout: Layout::TableWithTotals,
    columns: &[
        Column::new("year", ColumnKind::Number, tr("Año", "Year")),
        Column::new("confirmed", ColumnKind::Count, CONFIRMED),
        Column::new("notified", ColumnKind::Count, tr("Notificados", "Notified")),
        Column::new("confirmed_percent", ColumnKind::Percent, Localized::same("% conf.")),
        Column::new("died", ColumnKind::Count, tr("Fallecidos", "Died")),
        Column::new("fatality_percent", ColumnKind::Percent, tr("Letalidad", "Fatality")),
        Column::new("newest_on", ColumnKind::Date, tr("Hasta", "Until")),
    ],
    ..question!("confirmed_by_year")
};

pub(super) const SEVEN_DAY_MEAN: Question = Question {
    title: tr("Confirmados por día y media de siete días", "Confirmed by day and seven-day mean"),
    note: tr(
        "Por fecha de registro. La media es la de ese día y los seis anteriores, porque los domingos casi no se registra. El cambio compara la media con la de siete días antes. Los últimos días todavía van a crecer.",
        "By date of registration. The mean covers the day and the six days before it, because few cases are registered on Sundays. The change compares the mean with that of seven days earlier. The counts of the latest days will still rise.",
    ),
    unit: tr("casos confirmados por día", "confirmed cases per day"),
    row_limit: RowLimit::Last(14),
    chart: Chart::Trend { x: "day", each: "confirmed", smooth: "seven_day_mean" },
    columns: &[
        Column::new("day", ColumnKind::Date, tr("Día", "Day")),
        Column::new("confirmed", ColumnKind::Count, CONFIRMED).at(Placement::Bar),
        Column::new("seven_day_mean", ColumnKind::Rate, tr("Media 7 días", "7-day mean")),
        Column::new("change_percent", ColumnKind::Change, tr("Cambio", "Change")),
    ],
    ..question!("seven_day_mean")
};

pub(super) const CONFIRMED_BY_MONTH: Question = Question {
    title: tr("Confirmados por mes", "Confirmed by month"),
    note: tr(
        "Por mes de registro. Los porcentajes de cada año suman 100 %, salvo redondeo. «Parcial»: los datos no llegan al último día del mes.",
        "By month of registration. The shares of each year add up to 100%, except for rounding. “Partial”: the data do not reach the last day of the month.",
    ),
    chart: Chart::Columns { x: "month", y: "confirmed" },
    columns: &[
        Column::new("month", ColumnKind::Month, tr("Mes", "Month")),
        Column::new("confirmed", ColumnKind::Count, CONFIRMED).at(Placement::Bar),
        Column::new("share_of_year_percent", ColumnKind::Percent, tr("% del año", "% of year")),
        PARTIAL,
    ],
    ..question!("confirmed_by_month")
};

pub(super) const CONFIRMED_BY_WEEK: Question = Question {
    title: tr(
        "Confirmados por semana en los últimos dos meses",
        "Confirmed by week over the last two months",
    ),
    note: tr(
        "Semanas epidemiológicas, de domingo a sábado, por fecha de registro; los dos meses se cuentan hacia atrás desde el último registro. «Parcial»: los datos no cubren los siete días. El cambio compara dos semanas completas seguidas.",
        "Epidemiological weeks, Sunday to Saturday, by date of registration; the two months are counted back from the newest registration. “Partial”: the data do not cover all seven days. The change compares two consecutive whole weeks.",
    ),
    chart: Chart::Columns { x: "week_starts_on", y: "confirmed" },
    columns: &[
        EPIDEMIOLOGICAL_YEAR,
        EPIDEMIOLOGICAL_WEEK,
        WEEK_STARTS_ON,
        Column::new("week_ends_on", ColumnKind::Date, tr("Hasta", "To")),
        Column::new("days", ColumnKind::Count, tr("Días", "Days")).at(Placement::FileOnly),
        Column::new("confirmed", ColumnKind::Count, CONFIRMED).at(Placement::Bar),
        Column::new("change_percent", ColumnKind::Change, tr("Cambio", "Change")),
        PARTIAL,
    ],
    ..question!("confirmed_by_week")
};

pub(super) const POSITIVITY_BY_WEEK: Question = Question {
    title: tr("Positividad entre los casos definidos, por semana", "Positivity among decided cases, by week"),
    note: tr(
        "Confirmados sobre confirmados más descartados; los sospechosos no cuentan en ninguno de los dos. Son personas del registro, no pruebas: quien se probó dos veces cuenta una. El intervalo es el de Wilson, al 95 %. Semanas epidemiológicas, de domingo a sábado. «Parcial»: los datos no cubren los siete días.",
        "Confirmed cases as a share of confirmed plus discarded cases; suspected cases are in neither. These are people in the registry, not tests: a person who was tested twice counts once. The interval is the Wilson 95% interval. Epidemiological weeks, Sunday to Saturday. “Partial”: the data do not cover all seven days.",
    ),
    unit: tr("% de los casos definidos", "% of decided cases"),
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
        Column::new("decided", ColumnKind::Count, tr("Definidos", "Decided")),
        Column::new("confirmed", ColumnKind::Count, CONFIRMED).at(Placement::FileOnly),
        Column::new("positivity_percent", ColumnKind::Percent, tr("Positividad", "Positivity")),
        LOW_PERCENT,
        HIGH_PERCENT,
        PARTIAL,
    ],
    ..question!("positivity_by_week")
};
