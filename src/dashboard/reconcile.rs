//! Makes what is found what is desired, or only says where they differ. Repeated, it does nothing.

use std::fmt;

use common::failure::Result;
use etl::report::Language;
use serde::Serialize;
use serde_json::{Value, json};

use super::body::{card_body, is_part, parameters, places, same_places};
use super::client::Client;
use super::desired::{self, COLUMNS, Card, Connection};
use super::found::{self, Fields};
use super::keys;

/// Whether anything may be changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mode {
    /// Make it so.
    Apply,
    /// Only say.
    Look,
}

/// A thing in Metabase and what became of it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Part {
    /// What kind of thing.
    pub kind: &'static str,
    /// Its stable name.
    pub name: String,
    /// What became of it.
    pub state: State,
}

/// What became of a thing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum State {
    /// It is as it should be.
    Same,
    /// It is not there.
    Missing,
    /// It is otherwise.
    Differs,
    /// It was created.
    Created,
    /// It was changed.
    Changed,
}

impl fmt::Display for State {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Same => "as it should be",
            Self::Missing => "missing",
            Self::Differs => "differs",
            Self::Created => "created",
            Self::Changed => "changed",
        })
    }
}

/// Compares everything with this repository and, where it may, makes it so. Gives every part in the order of creation.
pub async fn reconcile(
    client: &Client,
    connection: Option<&Connection>,
    language: Language,
    mode: Mode,
) -> Result<Vec<Part>> {
    let mut work = Work { client, language, mode, parts: Vec::new() };
    let Some(database) = work.database(connection).await? else { return Ok(work.all_missing(0)) };
    let fields = work.columns(database).await?;
    work.keys(&fields).await?;
    work.internal_tables(database).await?;
    let Some(collection) = work.collection().await? else { return Ok(work.all_missing(1)) };
    let items = found::items(client, collection).await?;
    let mut ids = Vec::new();
    for card in desired::cards(language) {
        let body = card_body(&card, database, collection, &fields);
        let id = work.thing("question", "/api/card", items.get(&card.key), &card.key, &body).await?;
        ids.push((id, card));
    }
    work.dashboard(items.get("dashboard"), collection, &ids).await?;
    Ok(work.parts)
}

/// A comparison under way.
pub(super) struct Work<'a> {
    pub(super) client: &'a Client,
    language: Language,
    pub(super) mode: Mode,
    parts: Vec<Part>,
}

impl Work<'_> {
    pub(super) fn note(&mut self, kind: &'static str, name: &str, state: State) {
        self.parts.push(Part { kind, name: name.to_owned(), state });
    }

    /// What follows from something that is missing: nothing after it can be there.
    fn all_missing(mut self, known: usize) -> Vec<Part> {
        if known == 0 {
            for (table, column, ..) in COLUMNS {
                self.note("column", &format!("{table}.{column}"), State::Missing);
            }
            for ((table, column), _) in keys::all() {
                self.note("key", &format!("{table}.{column}"), State::Missing);
            }
            self.note("collection", "collection", State::Missing);
        }
        for card in desired::cards(self.language) {
            self.note("question", &card.key, State::Missing);
        }
        self.note("dashboard", "dashboard", State::Missing);
        self.parts
    }

    async fn database(&mut self, connection: Option<&Connection>) -> Result<Option<i64>> {
        let name = desired::NAME.get(self.language);
        let found = found::database(self.client, name).await?;
        let Some(found) = found else {
            let Some(connection) = connection.filter(|_| self.mode == Mode::Apply) else {
                self.note("connection", name, State::Missing);
                return Ok(None);
            };
            let made = self.client.post("/api/database", &connection.body(name)).await?;
            self.note("connection", name, State::Created);
            return self.client.id(&made).map(Some);
        };
        let id = self.client.id(&found)?;
        let differs = connection.is_some_and(|connection| {
            connection.comparable().iter().any(|(key, value)| found["details"][*key] != **value)
        });
        let state = match (differs, self.mode, connection) {
            (true, Mode::Apply, Some(connection)) => {
                let mut body = connection.body(name);
                // What only a new connection takes.
                if let Some(body) = body.as_object_mut() {
                    body.retain(|key, _| key == "name" || key == "engine" || key == "details");
                }
                self.client.put(&format!("/api/database/{id}"), &body).await?;
                State::Changed
            }
            (true, ..) => State::Differs,
            (false, ..) => State::Same,
        };
        self.note("connection", name, state);
        Ok(Some(id))
    }

    /// Names and explains the columns, in both languages.
    async fn columns(&mut self, database: i64) -> Result<Fields> {
        let named = COLUMNS.iter().map(|(table, column, ..)| (*table, *column));
        let wanted: Vec<(&str, &str)> = named.chain(keys::all().map(|(field, _)| field)).collect();
        let fields = match self.mode {
            Mode::Apply => {
                if found::fields(self.client, database).await?.is_empty() {
                    self.client.post(&format!("/api/database/{database}/sync_schema"), &json!({})).await?;
                }
                found::synced_fields(self.client, database, &wanted).await?
            }
            Mode::Look => found::fields(self.client, database).await?,
        };
        for (table, column, title, meaning) in COLUMNS {
            let name = format!("{table}.{column}");
            let Some(field) = fields.get(&(table.to_owned(), column.to_owned())) else {
                self.note("column", &name, State::Missing);
                continue;
            };
            let body = json!({
                "display_name": title.get(self.language),
                "description": desired::both(meaning, self.language),
            });
            let path = format!("/api/field/{}", self.client.id(field)?);
            self.change_if_different("column", &name, (&path, field), &body).await?;
        }
        Ok(fields)
    }

    async fn collection(&mut self) -> Result<Option<i64>> {
        let found = found::collection(self.client).await?;
        let body = json!({
            "name": desired::NAME.get(self.language),
            "description": found::marked("https://datos.gob.ar", "collection"),
        });
        let id = self.thing("collection", "/api/collection", found.as_ref(), "collection", &body).await?;
        Ok((id > 0).then_some(id))
    }

    /// Creates, changes or compares one thing; gives its id, or 0 where there is none.
    async fn thing(
        &mut self,
        kind: &'static str,
        path: &str,
        found: Option<&Value>,
        name: &str,
        body: &Value,
    ) -> Result<i64> {
        let (state, id) = match (found, self.mode) {
            (None, Mode::Look) => (State::Missing, 0),
            (None, Mode::Apply) => (State::Created, self.client.id(&self.client.post(path, body).await?)?),
            (Some(found), _) if is_part(body, found) => (State::Same, self.client.id(found)?),
            (Some(found), Mode::Look) => (State::Differs, self.client.id(found)?),
            (Some(found), Mode::Apply) => {
                let id = self.client.id(found)?;
                self.client.put(&format!("{path}/{id}"), body).await?;
                (State::Changed, id)
            }
        };
        self.note(kind, name, state);
        Ok(id)
    }

    async fn dashboard(
        &mut self,
        found: Option<&Value>,
        collection: i64,
        cards: &[(i64, Card)],
    ) -> Result<()> {
        let head = json!({
            "name": desired::NAME.get(self.language),
            "description": found::marked("covidctl dashboard apply", "dashboard"),
            "collection_id": collection,
            "parameters": parameters(self.language),
        });
        let places = places(cards);
        let state = match (found, self.mode) {
            (None, Mode::Look) => State::Missing,
            (None, Mode::Apply) => {
                let id = self.client.id(&self.client.post("/api/dashboard", &head).await?)?;
                let body = json!({ "dashcards": places });
                self.client.put(&format!("/api/dashboard/{id}"), &body).await?;
                State::Created
            }
            (Some(found), mode) => {
                let same = is_part(&head, found) && same_places(&places, found);
                match (same, mode) {
                    (true, _) => State::Same,
                    (false, Mode::Look) => State::Differs,
                    (false, Mode::Apply) => {
                        let mut body = head;
                        body["dashcards"] = json!(places);
                        self.client.put(&format!("/api/dashboard/{}", self.client.id(found)?), &body).await?;
                        State::Changed
                    }
                }
            }
        };
        self.note("dashboard", "dashboard", state);
        Ok(())
    }
}
