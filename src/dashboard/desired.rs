//! What there should be in Metabase, as the bodies of its requests. Pure: it asks nobody.

use common::failure::{Failure, Result};
use etl::report::{Chart, ColumnKind, Language, Localized, QUESTIONS, Question, tr};
use etl::store::percent_decoded;
use serde_json::{Value, json};

/// What the connection, the collection and the dashboard are called.
pub(super) const NAME: Localized = tr("Covid-19 en la Argentina", "Covid-19 in Argentina");

/// A way to the replica, as the role that only reads.
pub struct Connection {
    details: Value,
}

impl Connection {
    /// From `postgres://user:password@host:port/database`; with `?sslmode=…` as Metabase should use it.
    pub fn parse(url: &str) -> Result<Self> {
        let wrong = |why: &str| {
            Failure::usage(format!("the database's URL for Metabase {why}"))
                .hint("write postgres://covid19_reader:password@host:5432/covid19 as Metabase reaches it")
        };
        let url = reqwest::Url::parse(url).map_err(|error| wrong("cannot be read").source(error))?;
        if !matches!(url.scheme(), "postgres" | "postgresql") {
            return Err(wrong("is not one of PostgreSQL"));
        }
        let host = url.host_str().ok_or_else(|| wrong("has no host"))?;
        let name = url.path().trim_start_matches('/');
        if name.is_empty() || url.username().is_empty() {
            return Err(wrong("needs a user and a database"));
        }
        let mode = url.query_pairs().find(|(key, _)| key == "sslmode").map(|(_, mode)| mode.into_owned());
        let login = (url.username(), url.password().unwrap_or_default());
        let login = (percent_decoded(login.0), percent_decoded(login.1));
        Ok(Self::new((host, url.port().unwrap_or(5432)), name, (&login.0, &login.1), mode.as_deref()))
    }

    /// To a host and port, to a database there, as somebody with a password; encrypted in that mode of Metabase's.
    pub fn new(
        (host, port): (&str, u16),
        database: &str,
        (user, password): (&str, &str),
        mode: Option<&str>,
    ) -> Self {
        let mut details = json!({
            "host": host,
            "port": port,
            "dbname": database,
            "user": user,
            "password": password,
            "ssl": mode.is_some(),
            "schema-filters-type": "inclusion",
            "schema-filters-patterns": "public",
        });
        if let Some(mode) = mode {
            details["ssl-mode"] = json!(mode);
        }
        Self { details }
    }

    /// The request that creates it.
    pub(super) fn body(&self, name: &str) -> Value {
        json!({
            "name": name,
            "engine": "postgres",
            "details": self.details,
            "is_full_sync": true,
            "is_on_demand": false,
            "connection_source": "admin",
        })
    }

    /// What can be compared: Metabase never tells a password.
    pub(super) fn comparable(&self) -> Vec<(&'static str, &Value)> {
        ["host", "port", "dbname", "user", "ssl"].map(|key| (key, &self.details[key])).into()
    }
}

/// A column's words for people: table, column, title, meaning.
pub(super) const COLUMNS: [(&str, &str, Localized, Localized); 9] = [
    (
        "covid_case",
        "registered_on",
        tr("Registrado el", "Registered on"),
        tr("fecha_apertura: el día en que se abrió el caso", "fecha_apertura: the day the case was opened"),
    ),
    (
        "covid_case",
        "classification",
        tr("Clasificación", "Classification"),
        tr("clasificacion_resumen del ministerio", "the ministry’s clasificacion_resumen"),
    ),
    (
        "covid_case",
        "age",
        tr("Edad", "Age"),
        tr(
            "En años, a la fecha de los datos; 0 si es menor de un año",
            "In years, on the date of the data; 0 below one",
        ),
    ),
    ("covid_case", "sex", tr("Sexo", "Sex"), tr("F, M o NR (no registrado)", "F, M or NR (not registered)")),
    (
        "covid_case",
        "died_on",
        tr("Fallecido el", "Died on"),
        tr(
            "También la tienen casos descartados: filtrar por clasificación",
            "Discarded cases have it, too: filter by classification",
        ),
    ),
    (
        "covid_case",
        "symptoms_on",
        tr("Síntomas desde", "Symptoms since"),
        tr("Falta en la mitad de los confirmados", "Missing in half of the confirmed cases"),
    ),
    (
        "covid_case",
        "residence_province_id",
        tr("Provincia de residencia", "Province of residence"),
        tr("Vacía si no se conoce", "Empty where it is unknown"),
    ),
    (
        "covid_case",
        "registration_province_id",
        tr("Provincia de carga", "Province of registration"),
        tr("Donde se cargó el caso", "Where the case was registered"),
    ),
    ("province", "name", tr("Provincia", "Province"), tr("Nombre usual", "As people say it")),
];

/// The words in the page's language, then in the other one, as a column's description.
pub(super) fn both(words: Localized, language: Language) -> String {
    let (first, second) = match language {
        Language::Spanish => (Language::Spanish, Language::English),
        Language::English => (Language::English, Language::Spanish),
    };
    format!("{} / {}", words.get(first), words.get(second))
}

/// A filter of the dashboard: its slug, the column that it filters, what it is called, and Metabase's name for its widget.
pub(super) struct Filter {
    pub(super) slug: &'static str,
    pub(super) column: (&'static str, &'static str),
    pub(super) title: Localized,
    pub(super) widget: &'static str,
}

pub(super) const FILTERS: [Filter; 3] = [
    Filter {
        slug: "province",
        column: ("province", "name"),
        title: tr("Provincia", "Province"),
        widget: "string/=",
    },
    Filter {
        slug: "period",
        column: ("covid_case", "registered_on"),
        title: tr("Período", "Period"),
        widget: "date/all-options",
    },
    Filter {
        slug: "classification",
        column: ("covid_case", "classification"),
        title: tr("Clasificación", "Classification"),
        widget: "string/=",
    },
];

impl Filter {
    /// The same for ever, so that a second run finds what the first one made.
    pub(super) fn id(&self) -> String {
        format!("covid19-{}", self.slug)
    }
}

/// A card as it should be, but for the ids that only Metabase knows.
pub(super) struct Card {
    /// Its stable name.
    pub(super) key: String,
    pub(super) title: String,
    pub(super) description: String,
    pub(super) sql: &'static str,
    pub(super) display: &'static str,
    pub(super) settings: Value,
    /// Whether the dashboard's filters reach it.
    pub(super) filtered: bool,
}

/// Every card: the filtered ones first, then one for each question of the report.
pub(super) fn cards(language: Language) -> Vec<Card> {
    FILTERED
        .iter()
        .map(|made| filtered(made, language))
        .chain(QUESTIONS.iter().map(|asked| question(asked, language)))
        .collect()
}

type Filtered = (&'static str, Localized, &'static str, &'static str, &'static [&'static str]);

const FILTERED: [Filtered; 4] = [
    ("filtered_cases", tr("Casos", "Cases"), include_str!("queries/cases.sql"), "scalar", &[]),
    (
        "filtered_by_week",
        tr("Casos por semana epidemiológica", "Cases by epidemiological week"),
        include_str!("queries/by_week.sql"),
        "bar",
        &["week_starts_on", "cases"],
    ),
    (
        "filtered_by_province",
        tr("Casos por provincia de residencia", "Cases by province of residence"),
        include_str!("queries/by_province.sql"),
        "row",
        &["province", "cases"],
    ),
    (
        "filtered_by_age",
        tr("Casos por edad", "Cases by age"),
        include_str!("queries/by_age.sql"),
        "bar",
        &["age_band", "cases"],
    ),
];

fn filtered((key, title, sql, display, axes): &Filtered, language: Language) -> Card {
    let note = tr(
        "Todos los casos notificados que dejan los filtros; sin filtro de clasificación, no solo los confirmados.",
        "All notified cases that the filters leave; without one of classification, not only the confirmed.",
    );
    Card {
        key: (*key).to_owned(),
        title: title.get(language).to_owned(),
        description: note.get(language).to_owned(),
        sql,
        display,
        settings: axes.split_first().map_or_else(|| json!({}), |(x, y)| graph(x, y)),
        filtered: true,
    }
}

fn question(asked: &'static Question, language: Language) -> Card {
    let (display, settings) = match asked.chart {
        Chart::Columns { x, y } => ("bar", graph(x, &[y])),
        Chart::Trend { x, each, smooth } => ("combo", graph(x, &[each, smooth])),
        Chart::Band { x, y, interval } => ("line", graph(x, &[y, interval.0, interval.1])),
        Chart::Stack { x, solid, ghost } => ("bar", stacked(graph(x, &[solid, ghost]))),
        Chart::DotPlot { label, series, .. } => ("row", graph(label, series)),
        Chart::Pyramid { label, left, right } => ("row", graph(label, &[left, right])),
        Chart::Bars | Chart::Heatmap { .. } | Chart::None => ("table", json!({})),
    };
    Card {
        key: asked.name.to_owned(),
        title: asked.title.get(language).to_owned(),
        description: asked.note.get(language).to_owned(),
        sql: asked.sql,
        display,
        settings: with_titles(settings, asked, language),
        filtered: false,
    }
}

fn graph(x: &str, y: &[&str]) -> Value {
    json!({ "graph.dimensions": [x], "graph.metrics": y })
}

fn stacked(mut settings: Value) -> Value {
    settings["stackable.stack_type"] = json!("stacked");
    settings
}

/// The columns' titles and signs, as the report has them.
fn with_titles(mut settings: Value, asked: &Question, language: Language) -> Value {
    let mut columns = serde_json::Map::new();
    for column in asked.columns {
        let mut said = json!({ "column_title": column.title.get(language) });
        if matches!(column.kind, ColumnKind::Percent | ColumnKind::Share | ColumnKind::Change) {
            said["suffix"] = json!(" %");
            said["decimals"] = json!(1);
        }
        columns.insert(json!(["name", column.name]).to_string(), said);
    }
    settings["column_settings"] = Value::Object(columns);
    settings
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn a_connection_is_read_from_a_url_and_tells_no_password() {
        let connection =
            Connection::parse("postgres://reader:secretpass@replica:6000/covid19?sslmode=verify-full")
                .unwrap();
        let body = connection.body("x");
        assert_eq!(body["details"]["host"], "replica");
        assert_eq!(
            (&body["details"]["port"], &body["details"]["ssl-mode"]),
            (&json!(6000), &json!("verify-full"))
        );
        assert!(connection.comparable().iter().all(|(key, _)| *key != "password"));
        for wrong in ["mysql://a:b@c/d", "postgres://host/db", "postgres://user@host", "nonsense"] {
            let failure = Connection::parse(wrong).err().unwrap();
            assert_eq!(failure.exit().code(), 2, "{wrong}");
            assert!(!failure.to_string().contains("pass"), "{failure}");
        }
    }

    #[test]
    fn keys_are_unique_and_filtered_queries_have_every_filter_once() {
        let cards = cards(Language::Spanish);
        let keys: BTreeSet<&str> = cards.iter().map(|card| card.key.as_str()).collect();
        assert_eq!(keys.len(), cards.len());
        for card in &cards {
            for filter in &FILTERS {
                let tag = format!("[[AND {{{{{}}}}}]]", filter.slug);
                assert_eq!(card.sql.matches(&tag).count(), usize::from(card.filtered), "{} {tag}", card.key);
            }
        }
    }
}
