//! The quality of the data: delays, the load, contradictions, and differences from the previous release.

use super::shared::{CONFIRMED, NO_LOAD, NO_RECORD};
use crate::report::code_labels;
use crate::report::language::{Localized, tr};
use crate::report::question::{Chart, Column, ColumnKind, Layout, Placement, Question, RowLimit, question};

const ROWS: Localized = tr("filas", "rows");

pub(super) const REPORTING_DELAY: Question = Question {
    title: tr("Demora entre síntomas y registro", "Delay between symptoms and registration"),
    note: tr(
        "Días desde el inicio de los síntomas hasta el registro, de los confirmados que tienen esa fecha; los demás no se conocen. Mitad: mediana. 9 de 10: percentil 90. Últimos doce meses.",
        "Days from first symptoms to registration of confirmed cases that have a date of symptoms. Half: the median. 9 of 10: the 90th percentile. The latest twelve months.",
    ),
    unit: tr("% registrado dentro de los siete días", "% registered within seven days"),
    chart: Chart::Columns { x: "month", y: "within_week_percent" },
    columns: &[
        Column::new("month", ColumnKind::Month, tr("Mes", "Month")),
        Column::new("confirmed", ColumnKind::Count, CONFIRMED),
        Column::new("with_symptoms", ColumnKind::Count, tr("Con síntomas", "With symptoms"))
            .at(Placement::FileOnly),
        Column::new("with_symptoms_percent", ColumnKind::Percent, tr("Con fecha", "Dated")),
        Column::new("median_days", ColumnKind::Count, tr("Mitad", "Half")),
        Column::new("p90_days", ColumnKind::Count, tr("9 de 10", "9 of 10")),
        Column::new("within_week_percent", ColumnKind::Percent, tr("En 7 días", "In 7 days")),
    ],
    ..question!("reporting_delay")
};

pub(super) const RECENT_COMPLETENESS: Question = Question {
    title: tr(
        "PROVISORIO: cuán completos están los últimos catorce días",
        "PROVISIONAL: how complete the last fourteen days are",
    ),
    note: tr(
        "Estimación. Por día de inicio de síntomas, de los confirmados que tienen esa fecha. Cuánto falta se estima con la demora de los casos que empezaron entre 45 y 104 días antes del último registro; feriados, cambios de criterio y demoras nuevas la hacen errar. No usar para comparar días.",
        "An estimate. By day of first symptoms, of confirmed cases that have that date. The number of missing cases is estimated from the delay of cases whose symptoms began 45 to 104 days before the newest registration; holidays, new testing rules and changing delays distort it. Do not use it to compare days.",
    ),
    if_empty: tr(
        "No hay datos: ningún caso permite estimar la demora.",
        "No data: no case has the dates that the delay is estimated from.",
    ),
    unit: tr("casos confirmados por día de síntomas", "confirmed cases by day of symptoms"),
    chart: Chart::Stack { x: "symptoms_on", solid: "registered", ghost: "still_missing" },
    columns: &[
        Column::new("symptoms_on", ColumnKind::Date, tr("Síntomas", "Symptoms")),
        Column::new("days_since", ColumnKind::Number, tr("Días", "Days")),
        Column::new("registered", ColumnKind::Count, tr("Registrados", "Registered")).at(Placement::Bar),
        Column::new("complete_percent", ColumnKind::Percent, tr("Completo", "Complete")),
        Column::new("expected", ColumnKind::Count, tr("Esperados", "Expected")),
        Column::new("still_missing", ColumnKind::Count, tr("Faltan", "Missing")),
    ],
    ..question!("recent_completeness")
};

pub(super) const LOADED_DATASETS: Question = Question {
    title: tr("Calidad de los datos: archivos de la carga", "Data quality: files of the load"),
    note: tr(
        "De cada archivo: leídas = filtradas + cargadas + rechazadas. Pruebas y vacunas son opcionales: si faltan, o no se pueden leer, se carga el resto.",
        "For each file: read = filtered + loaded + rejected. Tests and vaccinations are optional: if they are missing or unreadable, the rest is loaded.",
    ),
    if_empty: NO_RECORD,
    unit: ROWS,
    columns: &[
        Column::coded("dataset", &code_labels::DATASET, tr("Datos", "Dataset")),
        Column::coded("status", &code_labels::STATUS, tr("Archivo", "File")),
        Column::new("source_name", ColumnKind::Text, tr("Nombre", "Name")).at(Placement::FileOnly),
        Column::new("rows_read", ColumnKind::Count, tr("Leídas", "Read")),
        Column::new("rows_filtered", ColumnKind::Count, tr("Filtradas", "Filtered")),
        Column::new("rows_loaded", ColumnKind::Count, tr("Cargadas", "Loaded")),
        Column::new("rows_rejected", ColumnKind::Count, tr("Rechazadas", "Rejected")),
        Column::new("rows_repaired", ColumnKind::Count, tr("Reparaciones", "Repairs"))
            .at(Placement::FileOnly),
        Column::new("error", ColumnKind::Text, tr("Error", "Error")).at(Placement::FileOnly),
    ],
    ..question!("loaded_datasets")
};

pub(super) const LOADED_ROWS: Question = Question {
    title: tr("Calidad de los datos: filas de casos", "Data quality: rows of cases"),
    note: tr(
        "Leídas = filtradas + cargadas + rechazadas. Filtradas: de años que no se pidieron. Reparaciones: valores que se corrigieron o quedaron vacíos en filas que sí se cargaron; una fila puede tener varias.",
        "Read = filtered + loaded + rejected. Filtered: rows of years that were not requested. Repairs: values that were corrected or set to empty in loaded rows; a row can have several.",
    ),
    if_empty: NO_LOAD,
    unit: ROWS,
    layout: Layout::List,
    columns: &[
        Column::new("rows_read", ColumnKind::Count, tr("Leídas", "Read")),
        Column::new("rows_filtered", ColumnKind::Count, tr("Filtradas", "Filtered")),
        Column::new("rows_loaded", ColumnKind::Count, tr("Cargadas", "Loaded")),
        Column::new("rows_rejected", ColumnKind::Count, tr("Rechazadas", "Rejected")),
        Column::new("rows_repaired", ColumnKind::Count, tr("Reparaciones", "Repairs")),
    ],
    ..question!("loaded_rows")
};

pub(super) const LOADED_ISSUES: Question = Question {
    title: tr(
        "Calidad de los datos: rechazos y reparaciones por motivo",
        "Data quality: rejects and repairs by reason",
    ),
    note: tr(
        "Cada fila rechazada se guarda entera, con su línea, en la tabla rejected_row.",
        "The table rejected_row keeps every rejected row whole, with its line.",
    ),
    if_empty: tr("No hay rechazos ni reparaciones registrados.", "No rejects or repairs are recorded."),
    unit: ROWS,
    columns: &[
        Column::coded("dataset", &code_labels::DATASET, tr("Datos", "Dataset")),
        Column::coded("kind", &code_labels::ISSUE, tr("Fila", "Row")),
        Column::coded("reason", &code_labels::REASON, tr("Motivo", "Reason")),
        Column::new("rows", ColumnKind::Count, tr("Filas", "Rows")),
    ],
    ..question!("loaded_issues")
};

pub(super) const LOADED_CHECKS: Question = Question {
    title: tr("Calidad de los datos: controles antes de publicar", "Data quality: checks before publishing"),
    note: tr(
        "Antes de publicarse, cada carga se compara con lo publicado. Aceptado: fuera del límite, y publicado por decisión de un operador. Fallido: el archivo opcional se rechazó y queda lo publicado antes. Omitido: no hay con qué comparar. Medido, en la unidad del control: por ciento, puntos porcentuales (pp) o filas.",
        "Before publication, each load is compared with the published release. Accepted: beyond the limit, but published because an operator accepted it. Failed: the optional file was rejected, and the data published before are kept. Skipped: there is nothing to compare with. Measured: in the unit of the check, which is percent, percentage points (pp) or rows.",
    ),
    if_empty: NO_RECORD,
    unit: tr("controles", "checks"),
    columns: &[
        Column::coded("dataset", &code_labels::DATASET, tr("Datos", "Dataset")),
        Column::coded("outcome", &code_labels::OUTCOME, tr("Resultado", "Outcome")),
        Column::coded("check_name", &code_labels::CHECK, tr("Control", "Check")),
        Column::coded("subject", &code_labels::SUBJECT, tr("De", "Of")),
        Column::new("measured", ColumnKind::Rate, tr("Medido", "Measured")),
        Column::new("threshold", ColumnKind::Rate, tr("Límite", "Limit")).at(Placement::FileOnly),
        Column::new("checks", ColumnKind::Count, tr("Total", "Total")),
    ],
    ..question!("loaded_checks")
};

pub(super) const CONTRADICTIONS: Question = Question {
    title: tr("Calidad de los datos: contradicciones", "Data quality: contradictions"),
    note: tr(
        "De todos los casos cargados. Un caso puede estar en varias líneas. Nada de esto se corrige: cada valor es válido y no se sabe cuál de los dos está mal.",
        "All loaded cases. A case can be in several rows. Nothing is corrected: each value is valid, and it is unknown which of the two is wrong.",
    ),
    chart: Chart::Bars,
    columns: &[
        Column::coded("contradiction", &code_labels::CONTRADICTION, tr("Contradicción", "Contradiction")),
        Column::new("rows", ColumnKind::Count, tr("Casos", "Cases")).at(Placement::Bar),
        Column::new("share_percent", ColumnKind::Percent, tr("% de los casos", "% of cases")),
    ],
    ..question!("contradictions")
};

pub(super) const RELEASE_DIFFERENCE: Question = Question {
    title: tr("Diferencia con la publicación anterior", "Difference from the previous release"),
    note: tr(
        "Por mes de registro; notificados, confirmados y fallecidos confirmados que esta publicación tiene de más o de menos. El ministerio agrega, reclasifica y borra casos de cualquier fecha. Solo los años que tienen ambas cargas.",
        "By month of registration: how many more or fewer notified cases, confirmed cases and deaths of confirmed cases this release has. The ministry adds, reclassifies and deletes cases of any date. Only the years that both loads have.",
    ),
    if_empty: tr(
        "No hay una publicación anterior con la que comparar.",
        "There is no earlier release to compare with.",
    ),
    unit: tr("casos confirmados de más o de menos", "difference in confirmed cases"),
    layout: Layout::TableWithTotals,
    row_limit: RowLimit::Last(18),
    chart: Chart::Columns { x: "month", y: "confirmed_difference" },
    columns: &[
        Column::new("before_on", ColumnKind::Date, tr("Antes", "Before")).at(Placement::Heading),
        Column::new("this_on", ColumnKind::Date, tr("ahora", "now")).at(Placement::Heading),
        Column::new("month", ColumnKind::Month, tr("Mes", "Month")),
        Column::new("notified", ColumnKind::Count, tr("Notificados", "Notified")),
        Column::new("notified_difference", ColumnKind::Difference, tr("Dif.", "Diff.")),
        Column::new("confirmed", ColumnKind::Count, CONFIRMED),
        Column::new("confirmed_difference", ColumnKind::Difference, tr("Dif.", "Diff.")),
        Column::new("died_difference", ColumnKind::Difference, tr("Fallecidos", "Died")),
    ],
    ..question!("release_difference")
};
