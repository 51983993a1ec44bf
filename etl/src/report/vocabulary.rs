//! Words for the codes that stand in the database: sexes, datasets, reasons.
//!
//! A code without an entry is shown as it is, so that a new one is never hidden.

use super::language::{Language, Words};

/// Words for the codes of one column.
#[derive(Debug)]
pub struct Vocabulary {
    terms: &'static [(&'static str, Words)],
    missing: Words,
}

impl Vocabulary {
    /// The words for a code, where there are any.
    pub fn term(&self, code: &str, language: Language) -> Option<&'static str> {
        self.terms.iter().find(|(known, _)| *known == code).map(|(_, words)| words.to(language))
    }

    /// The words for no value.
    pub const fn missing(&self, language: Language) -> &'static str {
        self.missing.to(language)
    }
}

pub(super) static PLAIN: Vocabulary = Vocabulary { terms: &[], missing: Words::same("—") };

pub(super) static YEARS: Vocabulary =
    Vocabulary { terms: &[("all", Words::new("todos", "all"))], missing: Words::same("—") };

pub(super) static SEX: Vocabulary = Vocabulary {
    terms: &[
        ("F", Words::new("Mujeres (F)", "Women (F)")),
        ("M", Words::new("Varones (M)", "Men (M)")),
        ("NR", Words::new("No registrado (NR)", "Not registered (NR)")),
    ],
    missing: Words::new("Sin dato", "No value"),
};

pub(super) static AGE: Vocabulary =
    Vocabulary { terms: &[], missing: Words::new("Edad sin dato", "Age unknown") };

pub(super) static RESIDENCE: Vocabulary =
    Vocabulary { terms: &[], missing: Words::new("Sin especificar", "Unspecified") };

pub(super) static DATASET: Vocabulary = Vocabulary {
    terms: &[
        ("provinces", Words::new("Provincias", "Provinces")),
        ("departments", Words::new("Departamentos", "Departments")),
        ("cases", Words::new("Casos", "Cases")),
        ("tests", Words::new("Pruebas", "Tests")),
        ("vaccinations", Words::new("Vacunas", "Vaccinations")),
    ],
    missing: Words::same("—"),
};

pub(super) static STATUS: Vocabulary = Vocabulary {
    terms: &[
        ("loaded", Words::new("cargado", "loaded")),
        ("missing", Words::new("falta", "missing")),
        ("unreadable", Words::new("ilegible", "unreadable")),
        ("refused", Words::new("rechazado", "refused")),
    ],
    missing: Words::same("—"),
};

pub(super) static OUTCOME: Vocabulary = Vocabulary {
    terms: &[
        ("failed", Words::new("fallido", "failed")),
        ("accepted", Words::new("aceptado", "accepted")),
        ("skipped", Words::new("omitido", "skipped")),
        ("passed", Words::new("aprobado", "passed")),
    ],
    missing: Words::same("—"),
};

pub(super) static CHECK: Vocabulary = Vocabulary {
    terms: &[
        ("not_empty", Words::new("hay filas", "has rows")),
        ("rejected_percent", Words::new("% rechazado", "% rejected")),
        ("rejected_rows", Words::new("rechazadas", "rejected rows")),
        ("rows", Words::new("filas", "rows")),
        ("rows_percent", Words::new("% de filas", "% of rows")),
        ("dataset_date", Words::new("fecha", "date")),
        ("missing_increase", Words::new("sin valor, pp", "no value, pp")),
        ("repaired_percent", Words::new("% reparado", "% repaired")),
        ("unknown_classification_percent", Words::new("% sin clasif.", "% unclassified")),
    ],
    missing: Words::new("todos", "all"),
};

pub(super) static SUBJECT: Vocabulary = Vocabulary {
    terms: &[
        ("sex", Words::new("sexo", "sex")),
        ("age", Words::new("edad", "age")),
        ("symptoms_on", Words::new("síntomas", "symptoms")),
        ("admitted_on", Words::new("internación", "admission")),
        ("icu", Words::new("cuidados int.", "intensive care")),
        ("ventilated", Words::new("respirador", "ventilated")),
        ("died_on", Words::new("fallecimiento", "death")),
        ("diagnosed_on", Words::new("diagnóstico", "diagnosis")),
        ("registration_province_id", Words::new("prov. carga", "reg. province")),
        ("residence_province_id", Words::new("prov. residencia", "res. province")),
        ("residence_department_id", Words::new("depto. residencia", "res. department")),
        ("classification", Words::new("clasificación", "classification")),
        ("province_id", Words::new("provincia", "province")),
        ("department_id", Words::new("departamento", "department")),
        ("funding", Words::new("financiamiento", "funding")),
        ("laboratory", Words::new("laboratorio", "laboratory")),
    ],
    missing: Words::same("—"),
};

pub(super) static ISSUE: Vocabulary = Vocabulary {
    terms: &[
        ("rejected", Words::new("rechazada", "rejected")),
        ("repaired", Words::new("reparada", "repaired")),
    ],
    missing: Words::same("—"),
};

pub(super) static REASON: Vocabulary = Vocabulary {
    terms: &[
        ("malformed", Words::new("fila mal formada", "malformed row")),
        ("missing_case_id", Words::new("sin número de caso válido", "no valid case id")),
        ("invalid_registration_date", Words::new("fecha de apertura inválida", "invalid registration date")),
        (
            "unknown_registration_province",
            Words::new("provincia de carga desconocida", "unknown registration province"),
        ),
        ("duplicate_case_id", Words::new("caso repetido", "repeated case id")),
        ("missing_age", Words::new("edad sin dato", "age missing")),
        ("age_out_of_range", Words::new("edad fuera de 0 a 120", "age outside 0 to 120")),
        ("invalid_symptoms_on", Words::new("fecha de síntomas inválida", "invalid symptoms date")),
        ("invalid_admitted_on", Words::new("fecha de internación inválida", "invalid admission date")),
        ("invalid_died_on", Words::new("fecha de fallecimiento inválida", "invalid date of death")),
        ("invalid_diagnosed_on", Words::new("fecha de diagnóstico inválida", "invalid diagnosis date")),
        (
            "unknown_residence_province",
            Words::new("provincia de residencia desconocida", "unknown residence province"),
        ),
        (
            "unknown_residence_department",
            Words::new("departamento de residencia desconocido", "unknown residence department"),
        ),
        ("invalid_test_date", Words::new("fecha de la prueba inválida", "invalid day of the test")),
        ("invalid_tests", Words::new("cantidad de pruebas inválida", "invalid number of tests")),
        ("invalid_positives", Words::new("cantidad de positivas inválida", "invalid number of positives")),
        ("more_positives_than_tests", Words::new("más positivas que pruebas", "more positives than tests")),
        (
            "unknown_test_province",
            Words::new("provincia del laboratorio desconocida", "unknown province of the laboratory"),
        ),
        (
            "unknown_test_department",
            Words::new("departamento del laboratorio desconocido", "unknown department of the laboratory"),
        ),
        ("invalid_vaccine", Words::new("sin nombre de vacuna", "no name of a vaccine")),
        ("invalid_doses", Words::new("cantidad de dosis inválida", "invalid number of doses")),
        ("duplicate_vaccine", Words::new("vacuna repetida", "repeated vaccine")),
        (
            "unknown_vaccination_province",
            Words::new("provincia de aplicación desconocida", "unknown province of the doses"),
        ),
    ],
    missing: Words::same("—"),
};

pub(super) static COUNTRY: Vocabulary =
    Vocabulary { terms: &[], missing: Words::new("Total del país", "Whole country") };

pub(super) static CONTRADICTION: Vocabulary = Vocabulary {
    terms: &[
        ("died_unconfirmed", Words::new("fallecido sin estar confirmado", "died without being confirmed")),
        ("died_unadmitted", Words::new("fallecido sin internación", "died without an admission")),
        (
            "ventilated_without_icu",
            Words::new("respirador sin cuidados intensivos", "ventilated outside intensive care"),
        ),
        (
            "icu_unadmitted",
            Words::new("cuidados intensivos sin internación", "intensive care without an admission"),
        ),
        (
            "registered_before_symptoms",
            Words::new("registrado antes de los síntomas", "registered before the symptoms"),
        ),
        (
            "diagnosed_before_registered",
            Words::new("diagnosticado antes del registro", "diagnosed before the registration"),
        ),
        (
            "died_before_registered",
            Words::new("fallecido antes del registro", "died before the registration"),
        ),
        ("died_before_symptoms", Words::new("fallecido antes de los síntomas", "died before the symptoms")),
        (
            "died_before_admitted",
            Words::new("fallecido antes de la internación", "died before the admission"),
        ),
        ("before_pandemic", Words::new("alguna fecha anterior a 2020", "some date before 2020")),
    ],
    missing: Words::same("—"),
};

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_known_code_has_words_and_an_unknown_one_has_none() {
        assert_eq!(REASON.term("malformed", Language::Spanish), Some("fila mal formada"));
        assert_eq!(REASON.term("malformed", Language::English), Some("malformed row"));
        assert_eq!(REASON.term("from_the_future", Language::English), None);
    }
}
