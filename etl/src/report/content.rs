//! The content of a report and the text that all of its forms share.

use chrono::{DateTime, Utc};
use uuid::Uuid;

use super::answer::{Answer, QuestionResult};
use super::format;
use super::language::{Language, Localized, tr};

pub(super) const SOURCE: Localized = tr(
    "Fuente: Ministerio de Salud de la Nación: casos registrados en la República Argentina (Covid19Casos); donde la carga los tiene, también pruebas \
     (Covid19Determinaciones), vacunas (Covid19VacunasAgrupadas) y dosis (datos_nomivac_covid19).",
    "Source: Argentina’s Ministry of Health: registered Covid-19 cases (Covid19Casos) and, if they are loaded, tests (Covid19Determinaciones), \
     vaccinations (Covid19VacunasAgrupadas) and doses (datos_nomivac_covid19).",
);
pub(super) const DEFINITION: Localized = tr(
    "Confirmado es el caso que el ministerio clasifica así; descartados, sospechosos y sin clasificar no se cuentan, \
     aunque hayan fallecido. Las fechas son las de registro (fecha_apertura), no las de síntomas ni de diagnóstico. Los \
     casos se registran con demora y se reclasifican: los últimos días siempre están incompletos.",
    "A case is confirmed if the ministry classifies it as such; discarded, suspected and unclassified cases are not \
     counted, even if they died. Dates are dates of registration (fecha_apertura), not of symptoms or diagnosis. Cases \
     are registered late and reclassified: the latest days are always incomplete.",
);
pub(super) const DATA_AS_OF: Localized = tr("Datos al", "Data as of");

/// How a report is made.
#[derive(Debug, Clone, Copy)]
pub struct Options {
    /// The language of text and page; the CSVs have none.
    pub language: Language,
    /// The id of the report's own run.
    pub run_id: Uuid,
    /// When that run started; part of the name of the report's folder.
    pub started_at: DateTime<Utc>,
}

#[derive(Debug)]
pub(super) struct Content {
    pub(super) options: Options,
    pub(super) results: Vec<QuestionResult>,
}

impl Content {
    pub(super) fn answers(&self) -> impl Iterator<Item = &Answer> {
        self.results.iter().filter_map(|result| result.answer.as_ref().ok())
    }

    pub(super) fn answer(&self, question: &str) -> Option<&Answer> {
        self.answers().find(|answer| answer.question.name == question)
    }

    /// Returns titles and values: date of the data, load, report, and when the report was made.
    pub(super) fn provenance(&self) -> [(&'static str, String); 4] {
        let Options { language, run_id, started_at } = self.options;
        let started_on = format::date(started_at.date_naive(), language);
        [
            (DATA_AS_OF, self.data_as_of()),
            (tr("Carga", "Load"), self.load_property("run_id")),
            (tr("Informe", "Report"), run_id.to_string()),
            (tr("Hecho el", "Made on"), format!("{started_on} {}", started_at.format("%H:%M UTC"))),
        ]
        .map(|(title, value)| (title.get(language), value))
    }

    pub(super) fn data_as_of(&self) -> String {
        self.load_property("dataset_updated_on")
    }

    /// Formats a column of the first answer that has it: the questions on the published load have one row.
    fn load_property(&self, name: &str) -> String {
        let value = self.answers().find_map(|answer| {
            let (row, at) = (answer.rows.first()?, answer.question.position(name)?);
            Some(format::value(&row[at], &answer.columns()[at], self.options.language))
        });
        value.unwrap_or_else(|| "—".to_owned())
    }

    /// Returns the warning of a report in which questions failed.
    pub(super) fn incomplete_warning(&self) -> Option<String> {
        let failed = self.results.iter().filter(|result| result.answer.is_err()).count();
        let of = self.results.len();
        (failed > 0).then(|| match self.options.language {
            Language::Spanish => {
                format!("INCOMPLETO: fallaron {failed} de {of} preguntas; abajo dice por qué.")
            }
            Language::English => format!("INCOMPLETE: {failed} of {of} questions failed; see why below."),
        })
    }
}
