//! How the epidemic went: by year, month, week and day.

use super::{CASES, CONFIRMED, NO_CASES, NO_LOAD, NO_UNIT, PARTIAL};
use crate::report::language::Words;
use crate::report::question::{Chart, Column, Extent, Kind, Place, Question, Shape};
use crate::report::vocabulary;

const YEAR_NOTE: Words = Words::new(
    "Por año de registro. «% conf.» es la parte confirmada de todos los casos notificados: no es la positividad de las \
     pruebas. Fallecidos: confirmados con fecha de fallecimiento, en el año en que se registró el caso y no en el de la \
     muerte; la letalidad de casos recientes puede subir todavía.",
    "By year of registration. “% conf.” is the confirmed part of all notified cases; it is not the positivity of tests. \
     Died: confirmed cases with a date of death, in the year the case was registered, not in that of the death; the \
     fatality of recent cases may still rise.",
);
const MONTH_NOTE: Words = Words::new(
    "Por mes de registro. Los porcentajes de cada año suman 100 %, salvo redondeo. «Parcial»: los datos no llegan al \
     último día del mes.",
    "By month of registration. The shares of each year add up to 100%, but for rounding. “Partial”: the data do not \
     reach the month's last day.",
);
const WEEK_NOTE: Words = Words::new(
    "Semanas epidemiológicas, de domingo a sábado, por fecha de registro; los dos meses se cuentan hacia atrás desde el \
     último registro. «Parcial»: los datos no cubren los siete días. El cambio compara dos semanas completas seguidas.",
    "Epidemiological weeks, Sunday to Saturday, by date of registration; the two months are counted back from the newest \
     registration. “Partial”: the data do not cover all seven days. The change compares two whole weeks in a row.",
);

pub(super) const LAST_UPDATE: Question = Question {
    name: "last_update",
    sql: include_str!("../../../queries/last_update.sql"),
    title: Words::new("Última actualización", "Last update"),
    note: Words::new(
        "La fecha de los datos es la que publica el ministerio (ultima_actualizacion).",
        "The date of the data is the one that the ministry publishes (ultima_actualizacion).",
    ),
    nothing: NO_LOAD,
    unit: NO_UNIT,
    shape: Shape::List,
    extent: Extent::Whole,
    chart: Chart::None,
    columns: &[
        Column::new("dataset_updated_on", Kind::Date, Words::new("Datos al", "Data as of")),
        Column::new("loaded_at", Kind::Time, Words::new("Cargados el", "Loaded on")),
        Column::new("years", Kind::Text(&vocabulary::YEARS), Words::new("Años cargados", "Years loaded")),
        Column::new("rows_loaded", Kind::Count, Words::new("Casos cargados", "Cases loaded")),
        Column::new("run_id", Kind::Text(&vocabulary::PLAIN), Words::new("Carga", "Load")),
    ],
};

pub(super) const CONFIRMED_BY_YEAR: Question = Question {
    name: "confirmed_by_year",
    sql: include_str!("../../../queries/confirmed_by_year.sql"),
    title: Words::new("Confirmados en el año", "Confirmed in the year"),
    note: YEAR_NOTE,
    nothing: NO_CASES,
    unit: CASES,
    shape: Shape::Totalled,
    extent: Extent::Whole,
    chart: Chart::None,
    columns: &[
        Column::new("year", Kind::Number, Words::new("Año", "Year")),
        Column::new("confirmed", Kind::Count, CONFIRMED),
        Column::new("notified", Kind::Count, Words::new("Notificados", "Notified")),
        Column::new("confirmed_percent", Kind::Percent, Words::same("% conf.")),
        Column::new("died", Kind::Count, Words::new("Fallecidos", "Died")),
        Column::new("fatality_percent", Kind::Percent, Words::new("Letalidad", "Fatality")),
        Column::new("newest_on", Kind::Date, Words::new("Hasta", "Until")),
    ],
};

pub(super) const SEVEN_DAY_MEAN: Question = Question {
    name: "seven_day_mean",
    sql: include_str!("../../../queries/seven_day_mean.sql"),
    title: Words::new("Confirmados por día y media de siete días", "Confirmed by day and seven-day mean"),
    note: Words::new(
        "Por fecha de registro. La media es la de ese día y los seis anteriores, porque los domingos casi no se registra. El cambio compara la media con la de siete días antes. Los últimos días todavía van a crecer.",
        "By date of registration. The mean is that of the day and the six before it, because hardly anything is registered on Sundays. The change compares the mean with that of seven days earlier. The latest days will still grow.",
    ),
    nothing: NO_CASES,
    unit: Words::new("casos confirmados por día", "confirmed cases a day"),
    shape: Shape::Table,
    extent: Extent::Last(14),
    chart: Chart::Trend { x: "day", each: "confirmed", smooth: "seven_day_mean" },
    columns: &[
        Column::new("day", Kind::Date, Words::new("Día", "Day")),
        Column::new("confirmed", Kind::Count, CONFIRMED).at(Place::Bar),
        Column::new("seven_day_mean", Kind::Rate, Words::new("Media 7 días", "7-day mean")),
        Column::new("change_percent", Kind::Change, Words::new("Cambio", "Change")),
    ],
};

pub(super) const CONFIRMED_BY_MONTH: Question = Question {
    name: "confirmed_by_month",
    sql: include_str!("../../../queries/confirmed_by_month.sql"),
    title: Words::new("Confirmados por mes", "Confirmed by month"),
    note: MONTH_NOTE,
    nothing: NO_CASES,
    unit: CASES,
    shape: Shape::Table,
    extent: Extent::Whole,
    chart: Chart::Columns { x: "month", y: "confirmed" },
    columns: &[
        Column::new("month", Kind::Month, Words::new("Mes", "Month")),
        Column::new("confirmed", Kind::Count, CONFIRMED).at(Place::Bar),
        Column::new("share_of_year_percent", Kind::Percent, Words::new("% del año", "% of year")),
        PARTIAL,
    ],
};

pub(super) const CONFIRMED_BY_WEEK: Question = Question {
    name: "confirmed_by_week",
    sql: include_str!("../../../queries/confirmed_by_week.sql"),
    title: Words::new(
        "Confirmados por semana en los últimos dos meses",
        "Confirmed by week over the last two months",
    ),
    note: WEEK_NOTE,
    nothing: NO_CASES,
    unit: CASES,
    shape: Shape::Table,
    extent: Extent::Whole,
    chart: Chart::Columns { x: "week_starts_on", y: "confirmed" },
    columns: &[
        Column::new("epidemiological_year", Kind::Number, Words::new("Año", "Year")),
        Column::new("epidemiological_week", Kind::Number, Words::new("SE", "Wk")),
        Column::new("week_starts_on", Kind::Date, Words::new("Desde", "From")),
        Column::new("week_ends_on", Kind::Date, Words::new("Hasta", "To")),
        Column::new("days", Kind::Count, Words::new("Días", "Days")).at(Place::FileOnly),
        Column::new("confirmed", Kind::Count, CONFIRMED).at(Place::Bar),
        Column::new("change_percent", Kind::Change, Words::new("Cambio", "Change")),
        PARTIAL,
    ],
};

pub(super) const POSITIVITY_BY_WEEK: Question = Question {
    name: "positivity_by_week",
    sql: include_str!("../../../queries/positivity_by_week.sql"),
    title: Words::new(
        "Positividad entre los casos definidos, por semana",
        "Positivity among decided cases, by week",
    ),
    note: Words::new(
        "Confirmados sobre confirmados más descartados; los sospechosos no cuentan en ninguno de los dos. Son personas del registro, no pruebas: quien se probó dos veces cuenta una. El intervalo es el de Wilson, al 95 %. Semanas epidemiológicas, de domingo a sábado. «Parcial»: los datos no cubren los siete días.",
        "Confirmed out of confirmed plus discarded; suspected cases are in neither. These are people in the registry, not tests: whoever was tested twice counts once. The interval is Wilson’s, at 95%. Epidemiological weeks, Sunday to Saturday. “Partial”: the data do not cover all seven days.",
    ),
    nothing: NO_CASES,
    unit: Words::new("% de los casos definidos", "% of decided cases"),
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
        Column::new("decided", Kind::Count, Words::new("Definidos", "Decided")),
        Column::new("confirmed", Kind::Count, CONFIRMED).at(Place::FileOnly),
        Column::new("positivity_percent", Kind::Percent, Words::new("Positividad", "Positivity")),
        Column::new("low_percent", Kind::Percent, Words::new("de", "from")),
        Column::new("high_percent", Kind::Percent, Words::new("a", "to")),
        PARTIAL,
    ],
};
