//! Labels of the codes in the database: sexes, datasets, reasons.

use super::language::{Language, Localized, tr};

/// Labels of the codes of a column. A code without a label is shown as it is, so that a new one is never hidden.
#[derive(Debug)]
pub struct CodeLabels {
    labels: &'static [(&'static str, Localized)],
    /// The label of NULL.
    pub(super) missing: Localized,
}

impl CodeLabels {
    const fn new(missing: Localized, labels: &'static [(&'static str, Localized)]) -> Self {
        Self { labels, missing }
    }

    pub(super) fn label(&self, code: &str, language: Language) -> Option<&'static str> {
        self.labels.iter().find(|(known, _)| *known == code).map(|(_, label)| label.get(language))
    }
}

const NO_VALUE: Localized = Localized::same("—");

pub(super) static PLAIN: CodeLabels = CodeLabels::new(NO_VALUE, &[]);

pub(super) static YEARS: CodeLabels = CodeLabels::new(NO_VALUE, &[("all", tr("todos", "all"))]);

pub(super) static SEX: CodeLabels = CodeLabels::new(
    tr("Sin dato", "No value"),
    &[
        ("F", tr("Mujeres (F)", "Women (F)")),
        ("M", tr("Varones (M)", "Men (M)")),
        ("NR", tr("No registrado (NR)", "Not registered (NR)")),
    ],
);

pub(super) static AGE: CodeLabels = CodeLabels::new(tr("Edad sin dato", "Age unknown"), &[]);
pub(super) static RESIDENCE: CodeLabels = CodeLabels::new(tr("Sin especificar", "Unspecified"), &[]);

pub(super) static DATASET: CodeLabels = CodeLabels::new(
    NO_VALUE,
    &[
        ("provinces", tr("Provincias", "Provinces")),
        ("departments", tr("Departamentos", "Departments")),
        ("cases", tr("Casos", "Cases")),
        ("tests", tr("Pruebas", "Tests")),
        ("vaccinations", tr("Vacunas", "Vaccinations")),
    ],
);

pub(super) static STATUS: CodeLabels = CodeLabels::new(
    NO_VALUE,
    &[
        ("loaded", tr("cargado", "loaded")),
        ("missing", tr("falta", "missing")),
        ("unreadable", tr("ilegible", "unreadable")),
        ("refused", tr("rechazado", "refused")),
    ],
);

pub(super) static OUTCOME: CodeLabels = CodeLabels::new(
    NO_VALUE,
    &[
        ("failed", tr("fallido", "failed")),
        ("accepted", tr("aceptado", "accepted")),
        ("skipped", tr("omitido", "skipped")),
        ("passed", tr("aprobado", "passed")),
    ],
);

pub(super) static CHECK: CodeLabels = CodeLabels::new(
    tr("todos", "all"),
    &[
        ("not_empty", tr("hay filas", "has rows")),
        ("rejected_percent", tr("% rechazado", "% rejected")),
        ("rejected_rows", tr("rechazadas", "rejected rows")),
        ("rows", tr("filas", "rows")),
        ("rows_percent", tr("% de filas", "% of rows")),
        ("dataset_date", tr("fecha", "date")),
        ("missing_increase", tr("sin valor, pp", "no value, pp")),
        ("repaired_percent", tr("% reparado", "% repaired")),
        ("unknown_classification_percent", tr("% sin clasif.", "% unclassified")),
    ],
);

pub(super) static SUBJECT: CodeLabels = CodeLabels::new(
    NO_VALUE,
    &[
        ("sex", tr("sexo", "sex")),
        ("age", tr("edad", "age")),
        ("symptoms_on", tr("síntomas", "symptoms")),
        ("admitted_on", tr("internación", "admission")),
        ("icu", tr("cuidados int.", "intensive care")),
        ("ventilated", tr("respirador", "ventilated")),
        ("died_on", tr("fallecimiento", "death")),
        ("diagnosed_on", tr("diagnóstico", "diagnosis")),
        ("registration_province_id", tr("prov. carga", "reg. province")),
        ("residence_province_id", tr("prov. residencia", "res. province")),
        ("residence_department_id", tr("depto. residencia", "res. department")),
        ("classification", tr("clasificación", "classification")),
        ("province_id", tr("provincia", "province")),
        ("department_id", tr("departamento", "department")),
        ("funding", tr("financiamiento", "funding")),
        ("laboratory", tr("laboratorio", "laboratory")),
    ],
);

pub(super) static ISSUE: CodeLabels = CodeLabels::new(
    NO_VALUE,
    &[("rejected", tr("rechazada", "rejected")), ("repaired", tr("reparada", "repaired"))],
);

pub(super) static REASON: CodeLabels = CodeLabels::new(
    NO_VALUE,
    &[
        ("malformed", tr("fila mal formada", "malformed row")),
        ("missing_case_id", tr("sin número de caso válido", "no valid case id")),
        ("invalid_registration_date", tr("fecha de apertura inválida", "invalid registration date")),
        (
            "unknown_registration_province",
            tr("provincia de carga desconocida", "unknown registration province"),
        ),
        ("duplicate_case_id", tr("caso repetido", "repeated case id")),
        ("missing_age", tr("edad sin dato", "age missing")),
        ("age_out_of_range", tr("edad fuera de 0 a 120", "age outside 0 to 120")),
        ("invalid_symptoms_on", tr("fecha de síntomas inválida", "invalid symptoms date")),
        ("invalid_admitted_on", tr("fecha de internación inválida", "invalid admission date")),
        ("invalid_died_on", tr("fecha de fallecimiento inválida", "invalid date of death")),
        ("invalid_diagnosed_on", tr("fecha de diagnóstico inválida", "invalid diagnosis date")),
        (
            "unknown_residence_province",
            tr("provincia de residencia desconocida", "unknown residence province"),
        ),
        (
            "unknown_residence_department",
            tr("departamento de residencia desconocido", "unknown residence department"),
        ),
        ("invalid_test_date", tr("fecha de la prueba inválida", "invalid test date")),
        ("invalid_tests", tr("cantidad de pruebas inválida", "invalid number of tests")),
        ("invalid_positives", tr("cantidad de positivas inválida", "invalid number of positives")),
        ("more_positives_than_tests", tr("más positivas que pruebas", "more positives than tests")),
        ("unknown_test_province", tr("provincia del laboratorio desconocida", "unknown laboratory province")),
        (
            "unknown_test_department",
            tr("departamento del laboratorio desconocido", "unknown laboratory department"),
        ),
        ("invalid_vaccine", tr("sin nombre de vacuna", "no vaccine name")),
        ("invalid_doses", tr("cantidad de dosis inválida", "invalid number of doses")),
        ("duplicate_vaccine", tr("vacuna repetida", "repeated vaccine")),
        (
            "unknown_vaccination_province",
            tr("provincia de aplicación desconocida", "unknown province of vaccination"),
        ),
    ],
);

pub(super) static COUNTRY: CodeLabels = CodeLabels::new(tr("Total del país", "Whole country"), &[]);

pub(super) static CONTRADICTION: CodeLabels = CodeLabels::new(
    NO_VALUE,
    &[
        ("died_unconfirmed", tr("fallecido sin estar confirmado", "died without being confirmed")),
        ("died_unadmitted", tr("fallecido sin internación", "died without an admission")),
        (
            "ventilated_without_icu",
            tr("respirador sin cuidados intensivos", "ventilated outside intensive care"),
        ),
        ("icu_unadmitted", tr("cuidados intensivos sin internación", "intensive care without an admission")),
        (
            "registered_before_symptoms",
            tr("registrado antes de los síntomas", "registered before the symptoms"),
        ),
        (
            "diagnosed_before_registered",
            tr("diagnosticado antes del registro", "diagnosed before the registration"),
        ),
        ("died_before_registered", tr("fallecido antes del registro", "died before the registration")),
        ("died_before_symptoms", tr("fallecido antes de los síntomas", "died before the symptoms")),
        ("died_before_admitted", tr("fallecido antes de la internación", "died before the admission")),
        ("before_pandemic", tr("alguna fecha anterior a 2020", "a date before 2020")),
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
