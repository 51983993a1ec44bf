//! Labels of the codes in the database: sexes, datasets, reasons.

use super::language::{Language, Localized, tr};

/// Labels of the codes of a column. A code without a label is shown as it is, so that a new one is never hidden.
#[derive(Debug)]
pub struct CodeLabels {
    /// Each code with its label in Spanish and in English.
    labels: &'static [(&'static str, &'static str, &'static str)],
    /// The label of NULL.
    pub(super) missing: Localized,
}

impl CodeLabels {
    const fn new(missing: Localized, labels: &'static [(&'static str, &'static str, &'static str)]) -> Self {
        Self { labels, missing }
    }

    pub(super) fn label(&self, code: &str, language: Language) -> Option<&'static str> {
        let (_, es, en) = self.labels.iter().find(|(known, ..)| *known == code)?;
        Some(tr(es, en).get(language))
    }
}

const NO_VALUE: Localized = Localized::same("—");

pub(super) static PLAIN: CodeLabels = CodeLabels::new(NO_VALUE, &[]);

pub(super) static YEARS: CodeLabels = CodeLabels::new(NO_VALUE, &[("all", "todos", "all")]);

pub(super) static SEX: CodeLabels = CodeLabels::new(
    tr("Sin dato", "No value"),
    &[
        ("F", "Mujeres (F)", "Women (F)"),
        ("M", "Varones (M)", "Men (M)"),
        ("NR", "No registrado (NR)", "Not registered (NR)"),
    ],
);

pub(super) static AGE: CodeLabels = CodeLabels::new(tr("Edad sin dato", "Age unknown"), &[]);
pub(super) static RESIDENCE: CodeLabels = CodeLabels::new(tr("Sin especificar", "Unspecified"), &[]);

pub(super) static DATASET: CodeLabels = CodeLabels::new(
    NO_VALUE,
    &[
        ("provinces", "Provincias", "Provinces"),
        ("departments", "Departamentos", "Departments"),
        ("cases", "Casos", "Cases"),
        ("tests", "Pruebas", "Tests"),
        ("vaccinations", "Vacunas", "Vaccinations"),
    ],
);

pub(super) static STATUS: CodeLabels = CodeLabels::new(
    NO_VALUE,
    &[
        ("loaded", "cargado", "loaded"),
        ("missing", "falta", "missing"),
        ("unreadable", "ilegible", "unreadable"),
        ("refused", "rechazado", "refused"),
    ],
);

pub(super) static OUTCOME: CodeLabels = CodeLabels::new(
    NO_VALUE,
    &[
        ("failed", "fallido", "failed"),
        ("accepted", "aceptado", "accepted"),
        ("skipped", "omitido", "skipped"),
        ("passed", "aprobado", "passed"),
    ],
);

pub(super) static CHECK: CodeLabels = CodeLabels::new(
    tr("todos", "all"),
    &[
        ("not_empty", "hay filas", "has rows"),
        ("rejected_percent", "% rechazado", "% rejected"),
        ("rejected_rows", "rechazadas", "rejected rows"),
        ("rows", "filas", "rows"),
        ("rows_percent", "% de filas", "% of rows"),
        ("dataset_date", "fecha", "date"),
        ("missing_increase", "sin valor, pp", "no value, pp"),
        ("repaired_percent", "% reparado", "% repaired"),
        ("unknown_classification_percent", "% sin clasif.", "% unclassified"),
    ],
);

pub(super) static SUBJECT: CodeLabels = CodeLabels::new(
    NO_VALUE,
    &[
        ("sex", "sexo", "sex"),
        ("age", "edad", "age"),
        ("symptoms_on", "síntomas", "symptoms"),
        ("admitted_on", "internación", "admission"),
        ("icu", "cuidados int.", "intensive care"),
        ("ventilated", "respirador", "ventilated"),
        ("died_on", "fallecimiento", "death"),
        ("diagnosed_on", "diagnóstico", "diagnosis"),
        ("registration_province_id", "prov. carga", "reg. province"),
        ("residence_province_id", "prov. residencia", "res. province"),
        ("residence_department_id", "depto. residencia", "res. department"),
        ("classification", "clasificación", "classification"),
        ("province_id", "provincia", "province"),
        ("department_id", "departamento", "department"),
        ("funding", "financiamiento", "funding"),
        ("laboratory", "laboratorio", "laboratory"),
    ],
);

pub(super) static ISSUE: CodeLabels =
    CodeLabels::new(NO_VALUE, &[("rejected", "rechazada", "rejected"), ("repaired", "reparada", "repaired")]);

pub(super) static REASON: CodeLabels = CodeLabels::new(
    NO_VALUE,
    &[
        ("malformed", "fila mal formada", "malformed row"),
        ("missing_case_id", "sin número de caso válido", "no valid case id"),
        ("invalid_registration_date", "fecha de apertura inválida", "invalid registration date"),
        ("unknown_registration_province", "provincia de carga desconocida", "unknown registration province"),
        ("duplicate_case_id", "caso repetido", "repeated case id"),
        ("missing_age", "edad sin dato", "age missing"),
        ("age_out_of_range", "edad fuera de 0 a 120", "age outside 0 to 120"),
        ("invalid_symptoms_on", "fecha de síntomas inválida", "invalid symptoms date"),
        ("invalid_admitted_on", "fecha de internación inválida", "invalid admission date"),
        ("invalid_died_on", "fecha de fallecimiento inválida", "invalid date of death"),
        ("invalid_diagnosed_on", "fecha de diagnóstico inválida", "invalid diagnosis date"),
        ("unknown_residence_province", "provincia de residencia desconocida", "unknown residence province"),
        (
            "unknown_residence_department",
            "departamento de residencia desconocido",
            "unknown residence department",
        ),
        ("invalid_test_date", "fecha de la prueba inválida", "invalid test date"),
        ("invalid_tests", "cantidad de pruebas inválida", "invalid number of tests"),
        ("invalid_positives", "cantidad de positivas inválida", "invalid number of positives"),
        ("more_positives_than_tests", "más positivas que pruebas", "more positives than tests"),
        ("unknown_test_province", "provincia del laboratorio desconocida", "unknown laboratory province"),
        (
            "unknown_test_department",
            "departamento del laboratorio desconocido",
            "unknown laboratory department",
        ),
        ("invalid_vaccine", "sin nombre de vacuna", "no vaccine name"),
        ("invalid_doses", "cantidad de dosis inválida", "invalid number of doses"),
        ("duplicate_vaccine", "vacuna repetida", "repeated vaccine"),
        (
            "unknown_vaccination_province",
            "provincia de aplicación desconocida",
            "unknown province of vaccination",
        ),
    ],
);

pub(super) static COUNTRY: CodeLabels = CodeLabels::new(tr("Total del país", "Whole country"), &[]);

pub(super) static CONTRADICTION: CodeLabels = CodeLabels::new(
    NO_VALUE,
    &[
        ("died_unconfirmed", "fallecido sin estar confirmado", "died without being confirmed"),
        ("died_unadmitted", "fallecido sin internación", "died without an admission"),
        ("ventilated_without_icu", "respirador sin cuidados intensivos", "ventilated outside intensive care"),
        ("icu_unadmitted", "cuidados intensivos sin internación", "intensive care without an admission"),
        ("registered_before_symptoms", "registrado antes de los síntomas", "registered before the symptoms"),
        (
            "diagnosed_before_registered",
            "diagnosticado antes del registro",
            "diagnosed before the registration",
        ),
        ("died_before_registered", "fallecido antes del registro", "died before the registration"),
        ("died_before_symptoms", "fallecido antes de los síntomas", "died before the symptoms"),
        ("died_before_admitted", "fallecido antes de la internación", "died before the admission"),
        ("before_pandemic", "alguna fecha anterior a 2020", "a date before 2020"),
    ],
);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn label_of_unknown_code_is_none() {
        assert_eq!(REASON.label("malformed", Language::Spanish), Some("fila mal formada"));
        assert_eq!(REASON.label("malformed", Language::English), Some("malformed row"));
        assert_eq!(REASON.label("from_the_future", Language::English), None);
    }
}
