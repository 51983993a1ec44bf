//! The questions of the report, in order. To add one: write its `.sql` file, add an entry here.

use super::language::Words;
use super::question::{Column, Kind, Place, Question, Shape};
use super::vocabulary;

const NO_LOAD: Words =
    Words::new("No hay datos: todavía no terminó bien ninguna carga.", "No data: no load has succeeded yet.");
const NO_CASES: Words = Words::new("No hay datos: no hay casos cargados.", "No data: no cases are loaded.");

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
const SEX_NOTE: Words = Words::new(
    "Sexo según el registro. «NR» queda como línea propia. «En el año»: el mismo año del último mes, desde enero.",
    "Sex as registered. “NR” is a line of its own. “In the year”: the last month's own year, from January.",
);
const AGE_NOTE: Words = Words::new(
    "Edad en años a la fecha de los datos, no a la del caso: así la publica el ministerio. Los menores de un año cuentan \
     como 0. Sin edad, o con una imposible: línea propia.",
    "Age in years on the date of the data, not of the case: so the ministry publishes it. Below one year counts as 0. An \
     absent or impossible age is a line of its own.",
);
const PROVINCE_NOTE: Words = Words::new(
    "Provincia de residencia, no de carga. Sin especificar (código 99 o desconocido): línea propia. Son cantidades, no \
     tasas: las provincias tienen poblaciones muy distintas.",
    "Province of residence, not of registration. Unspecified (code 99 or unknown) is a line of its own. These are \
     counts, not rates: provinces differ widely in population.",
);
const LOADED_NOTE: Words = Words::new(
    "Leídas = filtradas + cargadas + rechazadas. Filtradas: de años que no se pidieron. Reparaciones: valores que se \
     corrigieron o quedaron vacíos en filas que sí se cargaron; una fila puede tener varias.",
    "Read = filtered + loaded + rejected. Filtered: of years that were not asked for. Repairs: values corrected or left \
     empty in rows that were loaded; a row may have several.",
);
const ISSUES_NOTE: Words = Words::new(
    "Cada fila rechazada se guarda entera, con su línea, en la tabla rejected_row.",
    "Every rejected row is kept whole, with its line, in the table rejected_row.",
);

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
pub static QUESTIONS: [Question; 9] = [
    Question {
        name: "last_update",
        sql: include_str!("../../queries/last_update.sql"),
        title: Words::new("Última actualización", "Last update"),
        note: Words::new(
            "La fecha de los datos es la que publica el ministerio (ultima_actualizacion).",
            "The date of the data is the one that the ministry publishes (ultima_actualizacion).",
        ),
        nothing: NO_LOAD,
        shape: Shape::List,
        columns: &[
            Column::new("dataset_updated_on", Kind::Date, Words::new("Datos al", "Data as of")),
            Column::new("loaded_at", Kind::Time, Words::new("Cargados el", "Loaded on")),
            Column::new("years", Kind::Text(&vocabulary::YEARS), Words::new("Años cargados", "Years loaded")),
            Column::new("rows_loaded", Kind::Count, Words::new("Casos cargados", "Cases loaded")),
            Column::new("run_id", Kind::Text(&vocabulary::PLAIN), Words::new("Carga", "Load")),
        ],
    },
    Question {
        name: "confirmed_by_year",
        sql: include_str!("../../queries/confirmed_by_year.sql"),
        title: Words::new("Confirmados en el año", "Confirmed in the year"),
        note: YEAR_NOTE,
        nothing: NO_CASES,
        shape: Shape::Totalled,
        columns: &[
            Column::new("year", Kind::Number, Words::new("Año", "Year")),
            Column::new("confirmed", Kind::Count, CONFIRMED),
            Column::new("notified", Kind::Count, Words::new("Notificados", "Notified")),
            Column::new("confirmed_percent", Kind::Percent, Words::same("% conf.")),
            Column::new("died", Kind::Count, Words::new("Fallecidos", "Died")),
            Column::new("fatality_percent", Kind::Percent, Words::new("Letalidad", "Fatality")),
            Column::new("newest_on", Kind::Date, Words::new("Hasta", "Until")),
        ],
    },
    Question {
        name: "confirmed_by_month",
        sql: include_str!("../../queries/confirmed_by_month.sql"),
        title: Words::new("Confirmados por mes", "Confirmed by month"),
        note: MONTH_NOTE,
        nothing: NO_CASES,
        shape: Shape::Table,
        columns: &[
            Column::new("month", Kind::Month, Words::new("Mes", "Month")),
            Column::new("confirmed", Kind::Count, CONFIRMED).at(Place::Bar),
            Column::new("share_of_year_percent", Kind::Percent, Words::new("% del año", "% of year")),
            PARTIAL,
        ],
    },
    Question {
        name: "confirmed_by_week",
        sql: include_str!("../../queries/confirmed_by_week.sql"),
        title: Words::new(
            "Confirmados por semana en los últimos dos meses",
            "Confirmed by week over the last two months",
        ),
        note: WEEK_NOTE,
        nothing: NO_CASES,
        shape: Shape::Table,
        columns: &[
            Column::new("epidemiological_year", Kind::Number, Words::new("Año", "Year")),
            Column::new("epidemiological_week", Kind::Number, Words::new("SE", "Wk")),
            Column::new("week_starts_on", Kind::Date, Words::new("Desde", "From")),
            Column::new("week_ends_on", Kind::Date, Words::new("Hasta", "To")),
            Column::new("days", Kind::Number, Words::new("Días", "Days")).at(Place::FileOnly),
            Column::new("confirmed", Kind::Count, CONFIRMED).at(Place::Bar),
            Column::new("change_percent", Kind::Change, Words::new("Cambio", "Change")),
            PARTIAL,
        ],
    },
    Question {
        name: "last_month_by_sex",
        sql: include_str!("../../queries/last_month_by_sex.sql"),
        title: Words::new("Confirmados del último mes por sexo", "Confirmed in the last month by sex"),
        note: SEX_NOTE,
        nothing: NO_CASES,
        shape: Shape::Totalled,
        columns: &[
            MONTH,
            NEWEST,
            PARTIAL_MONTH,
            Column::new("sex", Kind::Text(&vocabulary::SEX), Words::new("Sexo", "Sex")),
            IN_MONTH.at(Place::Bar),
            MONTH_SHARE,
            IN_YEAR,
            YEAR_SHARE,
        ],
    },
    Question {
        name: "last_month_by_age",
        sql: include_str!("../../queries/last_month_by_age.sql"),
        title: Words::new("Confirmados del último mes por edad", "Confirmed in the last month by age"),
        note: AGE_NOTE,
        nothing: NO_CASES,
        shape: Shape::Totalled,
        columns: &[
            MONTH,
            NEWEST,
            PARTIAL_MONTH,
            Column::new("age_band", Kind::Text(&vocabulary::AGE), Words::new("Edad", "Age")),
            IN_MONTH.at(Place::Bar),
            MONTH_SHARE,
            IN_YEAR,
            YEAR_SHARE,
        ],
    },
    Question {
        name: "last_month_by_province",
        sql: include_str!("../../queries/last_month_by_province.sql"),
        title: Words::new(
            "Confirmados del último mes por provincia",
            "Confirmed in the last month by province",
        ),
        note: PROVINCE_NOTE,
        nothing: NO_CASES,
        shape: Shape::Totalled,
        columns: &[
            MONTH,
            NEWEST,
            PARTIAL_MONTH,
            Column::new("province_id", Kind::Number, Words::new("Código", "Code")).at(Place::FileOnly),
            Column::new("province", Kind::Text(&vocabulary::RESIDENCE), Words::new("Provincia", "Province")),
            IN_MONTH.at(Place::Bar),
            MONTH_SHARE,
            IN_YEAR,
            YEAR_SHARE,
        ],
    },
    Question {
        name: "loaded_rows",
        sql: include_str!("../../queries/loaded_rows.sql"),
        title: Words::new("Calidad de los datos: filas de la carga", "Data quality: rows of the load"),
        note: LOADED_NOTE,
        nothing: NO_LOAD,
        shape: Shape::List,
        columns: &[
            Column::new("rows_read", Kind::Count, Words::new("Leídas", "Read")),
            Column::new("rows_filtered", Kind::Count, Words::new("Filtradas", "Filtered")),
            Column::new("rows_loaded", Kind::Count, Words::new("Cargadas", "Loaded")),
            Column::new("rows_rejected", Kind::Count, Words::new("Rechazadas", "Rejected")),
            Column::new("rows_repaired", Kind::Count, Words::new("Reparaciones", "Repairs")),
        ],
    },
    Question {
        name: "loaded_issues",
        sql: include_str!("../../queries/loaded_issues.sql"),
        title: Words::new(
            "Calidad de los datos: rechazos y reparaciones por motivo",
            "Data quality: rejects and repairs by reason",
        ),
        note: ISSUES_NOTE,
        nothing: Words::new(
            "No hay rechazos ni reparaciones registrados.",
            "No rejects or repairs are recorded.",
        ),
        shape: Shape::Table,
        columns: &[
            Column::new("dataset", Kind::Text(&vocabulary::DATASET), Words::new("Datos", "Dataset")),
            Column::new("kind", Kind::Text(&vocabulary::ISSUE), Words::new("Fila", "Row")),
            Column::new("reason", Kind::Text(&vocabulary::REASON), Words::new("Motivo", "Reason")),
            Column::new("rows", Kind::Count, Words::new("Filas", "Rows")),
        ],
    },
];

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

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
}
