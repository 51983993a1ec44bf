//! What Metabase should contain.

use common::failure::{Failure, Result};
use etl::report::{Chart, ColumnKind, Language, Localized, QUESTIONS, Question, tr};
use etl::store::percent_decoded;
use serde_json::{Value, json};

/// The name of the connection, the collection and the dashboard.
pub(super) const NAME: Localized = tr("Covid-19 en la Argentina", "Covid-19 in Argentina");

/// A connection to the replica as the read-only role.
pub struct Connection {
    details: Value,
}

impl Connection {
    /// Parses `postgres://user:password@host:port/database`, optionally with `?sslmode=…`.
    pub fn parse(url: &str) -> Result<Self> {
        let wrong = |why: &str| {
            Failure::usage(format!("the database URL for Metabase {why}"))
                .hint("write postgres://covid19_reader:password@host:5432/covid19 as Metabase reaches it")
        };
        let url = reqwest::Url::parse(url).map_err(|error| wrong("is invalid").source(error))?;
        if !matches!(url.scheme(), "postgres" | "postgresql") {
            return Err(wrong("is not a PostgreSQL URL"));
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

    /// Returns a connection; `mode` is Metabase's SSL mode, `None` without encryption.
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

    /// Returns the request body that creates the connection.
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

    /// Returns whether the details agree that can be compared; Metabase never returns a password.
    pub(super) fn matches(&self, found: &Value) -> bool {
        let comparable = ["host", "port", "dbname", "user", "ssl"];
        comparable.iter().all(|key| found["details"][key] == self.details[key])
    }
}

/// Returns the columns that get a title and a description, as `table.column`.
pub(super) fn columns() -> impl Iterator<Item = (&'static str, Localized, Localized)> {
    include_str!("columns.tsv").lines().filter_map(|line| {
        let mut fields = line.split('\t');
        let mut next = || fields.next();
        Some((next()?, tr(next()?, next()?), tr(next()?, next()?)))
    })
}

/// Returns a text in both languages, the dashboard's language first.
pub(super) fn both(words: Localized, language: Language) -> String {
    let other = match language {
        Language::Spanish => Language::English,
        Language::English => Language::Spanish,
    };
    format!("{} / {}", words.get(language), words.get(other))
}

/// A filter of the dashboard.
pub(super) struct Filter {
    pub(super) slug: &'static str,
    /// `table.column`
    pub(super) column: &'static str,
    pub(super) title: Localized,
    pub(super) widget: &'static str,
}

pub(super) const FILTERS: [Filter; 3] = [
    Filter {
        slug: "province",
        column: "province.name",
        title: tr("Provincia", "Province"),
        widget: "string/=",
    },
    Filter {
        slug: "period",
        column: "covid_case.registered_on",
        title: tr("Período", "Period"),
        widget: "date/all-options",
    },
    Filter {
        slug: "classification",
        column: "covid_case.classification",
        title: tr("Clasificación", "Classification"),
        widget: "string/=",
    },
];

impl Filter {
    /// Returns a stable id, so that a second run finds the filter.
    pub(super) fn id(&self) -> String {
        format!("covid19-{}", self.slug)
    }
}

/// A card, without the ids that Metabase assigns.
pub(super) struct Card {
    /// Stable, unlike the title.
    pub(super) key: String,
    pub(super) title: String,
    pub(super) description: String,
    pub(super) sql: &'static str,
    pub(super) display: &'static str,
    pub(super) settings: Value,
    /// Whether the dashboard's filters apply to it.
    pub(super) filtered: bool,
}

/// Returns every card: the filtered ones first, then one per question of the report.
pub(super) fn cards(language: Language) -> Vec<Card> {
    FILTERED
        .iter()
        .map(|card| filtered(card, language))
        .chain(QUESTIONS.iter().map(|source| question(source, language)))
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

fn question(source: &'static Question, language: Language) -> Card {
    let (display, settings) = match &source.chart {
        Chart::Columns { x, y } => ("bar", graph(x, &[y])),
        Chart::Trend { x, each, smooth } => ("combo", graph(x, &[each, smooth])),
        Chart::Band { x, y, interval } => {
            let mut settings = graph(x, &[y, interval.0, interval.1]);
            let end = json!({ "display": "line", "line.style": "dashed" });
            settings["series_settings"] = json!({ interval.0: end, interval.1: end });
            ("line", settings)
        }
        Chart::Expected { x, known, expected, interval } => {
            let mut settings = graph(x, &[known, expected, interval.0, interval.1]);
            settings["series_settings"] = json!({
                *known: { "display": "bar" },
                *expected: { "display": "line" },
                interval.0: { "display": "line", "line.style": "dashed" },
                interval.1: { "display": "line", "line.style": "dashed" },
            });
            ("combo", settings)
        }
        Chart::Stack { x, solid, ghost } => {
            let mut settings = graph(x, &[solid, ghost]);
            settings["stackable.stack_type"] = json!("stacked");
            ("bar", settings)
        }
        Chart::DotPlot { label, series, .. } => ("row", graph(label, series)),
        Chart::Pyramid { label, left, right } => ("row", graph(label, &[left, right])),
        Chart::Bars | Chart::Heatmap { .. } | Chart::None => ("table", json!({})),
    };
    Card {
        key: source.name.to_owned(),
        title: source.title.get(language).to_owned(),
        description: source.note.get(language).to_owned(),
        sql: source.sql,
        display,
        settings: with_titles(settings, source, language),
        filtered: false,
    }
}

fn graph(x: &str, y: &[&str]) -> Value {
    json!({ "graph.dimensions": [x], "graph.metrics": y })
}

/// Adds the columns' titles and units, as in the report.
fn with_titles(mut settings: Value, source: &Question, language: Language) -> Value {
    let mut columns = serde_json::Map::new();
    for column in &source.columns {
        let mut format = json!({ "column_title": column.title.get(language) });
        if matches!(column.kind, ColumnKind::Percent | ColumnKind::Share | ColumnKind::Change) {
            format["suffix"] = json!(" %");
            format["decimals"] = json!(1);
        }
        columns.insert(json!(["name", column.name]).to_string(), format);
    }
    settings["column_settings"] = Value::Object(columns);
    settings
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn connection_parse_reads_url_and_errors_hide_password() {
        let connection =
            Connection::parse("postgres://reader:secretpass@replica:6000/covid19?sslmode=verify-full")
                .unwrap();
        let body = connection.body("x");
        assert_eq!(body["details"]["host"], "replica");
        assert_eq!(
            (&body["details"]["port"], &body["details"]["ssl-mode"]),
            (&json!(6000), &json!("verify-full"))
        );
        let mut found = json!({ "details": body["details"] });
        found["details"]["password"] = json!("**MetabasePass**");
        assert!(connection.matches(&found));
        found["details"]["user"] = json!("writer");
        assert!(!connection.matches(&found));
        for wrong in ["mysql://a:b@c/d", "postgres://host/db", "postgres://user@host", "nonsense"] {
            let failure = Connection::parse(wrong).err().unwrap();
            assert_eq!(failure.exit().code(), 2, "{wrong}");
            assert!(!failure.to_string().contains("pass"), "{failure}");
        }
    }

    #[test]
    fn columns_reads_every_line() {
        assert_eq!(columns().count(), include_str!("columns.tsv").lines().count());
        let (name, title, meaning) = columns().last().unwrap();
        assert_eq!((name, title.get(Language::English)), ("province.name", "Province"));
        assert_eq!(both(meaning, Language::Spanish), "Nombre usual / Usual name");
    }

    #[test]
    fn cards_have_unique_keys_and_filtered_ones_every_filter_once() {
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
