//! How far the numbers can be trusted: delays, what the load did, what the data say against themselves and against the release before.

use super::{CASES, CONFIRMED, NO_CASES, NO_LOAD, ROWS};
use crate::report::language::Words;
use crate::report::question::{Chart, Column, Extent, Kind, Place, Question, Shape};
use crate::report::vocabulary;

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

pub(super) const REPORTING_DELAY: Question = Question {
    name: "reporting_delay",
    sql: include_str!("../../../queries/reporting_delay.sql"),
    title: Words::new("Demora entre síntomas y registro", "Delay between symptoms and registration"),
    note: Words::new(
        "Días desde el inicio de los síntomas hasta el registro, de los confirmados que tienen esa fecha; los demás no se conocen. Mitad: mediana. 9 de 10: percentil 90. Últimos doce meses.",
        "Days from the first symptoms to the registration, of confirmed cases that have that date; of the others it is unknown. Half: the median. 9 of 10: the 90th percentile. The newest twelve months.",
    ),
    nothing: NO_CASES,
    unit: Words::new("% registrado dentro de los siete días", "% registered within seven days"),
    shape: Shape::Table,
    extent: Extent::Whole,
    chart: Chart::Columns { x: "month", y: "within_week_percent" },
    columns: &[
        Column::new("month", Kind::Month, Words::new("Mes", "Month")),
        Column::new("confirmed", Kind::Count, CONFIRMED),
        Column::new("with_symptoms", Kind::Count, Words::new("Con síntomas", "With symptoms"))
            .at(Place::FileOnly),
        Column::new("with_symptoms_percent", Kind::Percent, Words::new("Con fecha", "Dated")),
        Column::new("median_days", Kind::Count, Words::new("Mitad", "Half")),
        Column::new("p90_days", Kind::Count, Words::new("9 de 10", "9 of 10")),
        Column::new("within_week_percent", Kind::Percent, Words::new("En 7 días", "In 7 days")),
    ],
};

pub(super) const RECENT_COMPLETENESS: Question = Question {
    name: "recent_completeness",
    sql: include_str!("../../../queries/recent_completeness.sql"),
    title: Words::new(
        "PROVISORIO: cuán completos están los últimos catorce días",
        "PROVISIONAL: how complete the last fourteen days are",
    ),
    note: Words::new(
        "Estimación. Por día de inicio de síntomas, de los confirmados que tienen esa fecha. Cuánto falta se estima con la demora de los casos que empezaron entre 45 y 104 días antes del último registro; feriados, cambios de criterio y demoras nuevas la hacen errar. No usar para comparar días.",
        "An estimate. By day of first symptoms, of confirmed cases that have that date. What is missing is estimated from the delay of cases that began 45 to 104 days before the newest registration; holidays, new rules and new delays make it err. Not for comparing days.",
    ),
    nothing: Words::new(
        "No hay datos: ningún caso permite estimar la demora.",
        "No data: no case tells how long the delay is.",
    ),
    unit: Words::new("casos confirmados por día de síntomas", "confirmed cases by day of symptoms"),
    shape: Shape::Table,
    extent: Extent::Whole,
    chart: Chart::Stack { x: "symptoms_on", solid: "registered", ghost: "still_missing" },
    columns: &[
        Column::new("symptoms_on", Kind::Date, Words::new("Síntomas", "Symptoms")),
        Column::new("days_since", Kind::Number, Words::new("Días", "Days")),
        Column::new("registered", Kind::Count, Words::new("Registrados", "Registered")).at(Place::Bar),
        Column::new("complete_percent", Kind::Percent, Words::new("Completo", "Complete")),
        Column::new("expected", Kind::Count, Words::new("Esperados", "Expected")),
        Column::new("still_missing", Kind::Count, Words::new("Faltan", "Missing")),
    ],
};

pub(super) const LOADED_DATASETS: Question = Question {
    name: "loaded_datasets",
    sql: include_str!("../../../queries/loaded_datasets.sql"),
    title: Words::new("Calidad de los datos: archivos de la carga", "Data quality: files of the load"),
    note: Words::new(
        "De cada archivo: leídas = filtradas + cargadas + rechazadas. Pruebas y vacunas son opcionales: si faltan, o no se pueden leer, se carga el resto.",
        "Of each file: read = filtered + loaded + rejected. Tests and vaccinations are optional: where they are missing or cannot be read, the rest is loaded.",
    ),
    nothing: Words::new(
        "No hay registro: la carga es de una versión anterior, o no terminó bien ninguna.",
        "No record: the load is by an older release, or none has succeeded.",
    ),
    unit: ROWS,
    shape: Shape::Table,
    extent: Extent::Whole,
    chart: Chart::None,
    columns: &[
        Column::new("dataset", Kind::Text(&vocabulary::DATASET), Words::new("Datos", "Dataset")),
        Column::new("status", Kind::Text(&vocabulary::STATUS), Words::new("Archivo", "File")),
        Column::new("source_name", Kind::Text(&vocabulary::PLAIN), Words::new("Nombre", "Name"))
            .at(Place::FileOnly),
        Column::new("rows_read", Kind::Count, Words::new("Leídas", "Read")),
        Column::new("rows_filtered", Kind::Count, Words::new("Filtradas", "Filtered")),
        Column::new("rows_loaded", Kind::Count, Words::new("Cargadas", "Loaded")),
        Column::new("rows_rejected", Kind::Count, Words::new("Rechazadas", "Rejected")),
        Column::new("rows_repaired", Kind::Count, Words::new("Reparaciones", "Repairs")).at(Place::FileOnly),
        Column::new("error", Kind::Text(&vocabulary::PLAIN), Words::new("Error", "Error"))
            .at(Place::FileOnly),
    ],
};

pub(super) const LOADED_ROWS: Question = Question {
    name: "loaded_rows",
    sql: include_str!("../../../queries/loaded_rows.sql"),
    title: Words::new("Calidad de los datos: filas de casos", "Data quality: rows of cases"),
    note: LOADED_NOTE,
    nothing: NO_LOAD,
    unit: ROWS,
    shape: Shape::List,
    extent: Extent::Whole,
    chart: Chart::None,
    columns: &[
        Column::new("rows_read", Kind::Count, Words::new("Leídas", "Read")),
        Column::new("rows_filtered", Kind::Count, Words::new("Filtradas", "Filtered")),
        Column::new("rows_loaded", Kind::Count, Words::new("Cargadas", "Loaded")),
        Column::new("rows_rejected", Kind::Count, Words::new("Rechazadas", "Rejected")),
        Column::new("rows_repaired", Kind::Count, Words::new("Reparaciones", "Repairs")),
    ],
};

pub(super) const LOADED_ISSUES: Question = Question {
    name: "loaded_issues",
    sql: include_str!("../../../queries/loaded_issues.sql"),
    title: Words::new(
        "Calidad de los datos: rechazos y reparaciones por motivo",
        "Data quality: rejects and repairs by reason",
    ),
    note: ISSUES_NOTE,
    nothing: Words::new(
        "No hay rechazos ni reparaciones registrados.",
        "No rejects or repairs are recorded.",
    ),
    unit: ROWS,
    shape: Shape::Table,
    extent: Extent::Whole,
    chart: Chart::None,
    columns: &[
        Column::new("dataset", Kind::Text(&vocabulary::DATASET), Words::new("Datos", "Dataset")),
        Column::new("kind", Kind::Text(&vocabulary::ISSUE), Words::new("Fila", "Row")),
        Column::new("reason", Kind::Text(&vocabulary::REASON), Words::new("Motivo", "Reason")),
        Column::new("rows", Kind::Count, Words::new("Filas", "Rows")),
    ],
};

pub(super) const LOADED_CHECKS: Question = Question {
    name: "loaded_checks",
    sql: include_str!("../../../queries/loaded_checks.sql"),
    title: Words::new(
        "Calidad de los datos: controles antes de publicar",
        "Data quality: checks before publishing",
    ),
    note: Words::new(
        "Antes de publicarse, cada carga se compara con lo publicado. Aceptado: fuera del límite, y publicado por decisión de un operador. Fallido: el archivo opcional se rechazó y queda lo publicado antes. Omitido: no hay con qué comparar. Medido, en la unidad del control: por ciento, puntos porcentuales (pp) o filas.",
        "Before it is published, each load is compared with what is published. Accepted: beyond the limit, and published because an operator decided so. Failed: the optional file was refused, and what was published before stays. Skipped: there is nothing to compare with. Measured in the unit of the check: percent, percentage points (pp) or rows.",
    ),
    nothing: Words::new(
        "No hay registro: la carga es de una versión anterior, o no terminó bien ninguna.",
        "No record: the load is by an older release, or none has succeeded.",
    ),
    unit: Words::new("controles", "checks"),
    shape: Shape::Table,
    extent: Extent::Whole,
    chart: Chart::None,
    columns: &[
        Column::new("dataset", Kind::Text(&vocabulary::DATASET), Words::new("Datos", "Dataset")),
        Column::new("outcome", Kind::Text(&vocabulary::OUTCOME), Words::new("Resultado", "Outcome")),
        Column::new("check_name", Kind::Text(&vocabulary::CHECK), Words::new("Control", "Check")),
        Column::new("subject", Kind::Text(&vocabulary::SUBJECT), Words::new("De", "Of")),
        Column::new("measured", Kind::Rate, Words::new("Medido", "Measured")),
        Column::new("threshold", Kind::Rate, Words::new("Límite", "Limit")).at(Place::FileOnly),
        Column::new("checks", Kind::Count, Words::new("Total", "Total")),
    ],
};

pub(super) const CONTRADICTIONS: Question = Question {
    name: "contradictions",
    sql: include_str!("../../../queries/contradictions.sql"),
    title: Words::new("Calidad de los datos: contradicciones", "Data quality: contradictions"),
    note: Words::new(
        "De todos los casos cargados. Un caso puede estar en varias líneas. Nada de esto se corrige: cada valor es válido y no se sabe cuál de los dos está mal.",
        "Of all loaded cases. A case may be in several lines. None of it is corrected: each value is valid, and nobody knows which of the two is wrong.",
    ),
    nothing: NO_CASES,
    unit: CASES,
    shape: Shape::Table,
    extent: Extent::Whole,
    chart: Chart::Bars,
    columns: &[
        Column::new(
            "contradiction",
            Kind::Text(&vocabulary::CONTRADICTION),
            Words::new("Contradicción", "Contradiction"),
        ),
        Column::new("rows", Kind::Count, Words::new("Casos", "Cases")).at(Place::Bar),
        Column::new("share_percent", Kind::Percent, Words::new("% de los casos", "% of cases")),
    ],
};

pub(super) const RELEASE_DIFFERENCE: Question = Question {
    name: "release_difference",
    sql: include_str!("../../../queries/release_difference.sql"),
    title: Words::new("Diferencia con la publicación anterior", "Difference from the previous release"),
    note: Words::new(
        "Por mes de registro; notificados, confirmados y fallecidos confirmados que esta publicación tiene de más o de menos. El ministerio agrega, reclasifica y borra casos de cualquier fecha. Solo los años que tienen ambas cargas.",
        "By month of registration; notified, confirmed and confirmed deaths that this release has more or fewer. The ministry adds, reclassifies and deletes cases of any date. Only the years that both loads have.",
    ),
    nothing: Words::new(
        "No hay una publicación anterior con la que comparar.",
        "There is no earlier release to compare with.",
    ),
    unit: Words::new("casos confirmados de más o de menos", "confirmed cases more or fewer"),
    shape: Shape::Totalled,
    extent: Extent::Last(18),
    chart: Chart::Columns { x: "month", y: "confirmed_difference" },
    columns: &[
        Column::new("before_on", Kind::Date, Words::new("Antes", "Before")).at(Place::Heading),
        Column::new("this_on", Kind::Date, Words::new("ahora", "now")).at(Place::Heading),
        Column::new("month", Kind::Month, Words::new("Mes", "Month")),
        Column::new("notified", Kind::Count, Words::new("Notificados", "Notified")),
        Column::new("notified_difference", Kind::Difference, Words::new("Dif.", "Diff.")),
        Column::new("confirmed", Kind::Count, CONFIRMED),
        Column::new("confirmed_difference", Kind::Difference, Words::new("Dif.", "Diff.")),
        Column::new("died_difference", Kind::Difference, Words::new("Fallecidos", "Died")),
    ],
};
