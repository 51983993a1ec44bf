//! Makes what is found what is desired, or only says where they differ. Repeated, it does nothing.

use std::fmt;

use etl::failure::Result;
use etl::report::Language;
use serde::Serialize;
use serde_json::{Value, json};

use super::client::Client;
use super::desired::{self, COLUMNS, Card, Connection, FILTERS};
use super::found::{self, Fields};

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
    let Some(collection) = work.collection().await? else { return Ok(work.all_missing(1 + COLUMNS.len())) };
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

struct Work<'a> {
    client: &'a Client,
    language: Language,
    mode: Mode,
    parts: Vec<Part>,
}

impl Work<'_> {
    fn note(&mut self, kind: &'static str, name: &str, state: State) {
        self.parts.push(Part { kind, name: name.to_owned(), state });
    }

    /// What follows from something that is missing: nothing after it can be there.
    fn all_missing(mut self, known: usize) -> Vec<Part> {
        if known == 0 {
            for (table, column, ..) in COLUMNS {
                self.note("column", &format!("{table}.{column}"), State::Missing);
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
        let name = desired::NAME.to(self.language);
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
        let wanted: Vec<(&str, &str)> = COLUMNS.iter().map(|(table, column, ..)| (*table, *column)).collect();
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
                "display_name": title.to(self.language),
                "description": desired::both(meaning, self.language),
            });
            let same =
                body["display_name"] == field["display_name"] && body["description"] == field["description"];
            let state = match (same, self.mode) {
                (true, _) => State::Same,
                (false, Mode::Look) => State::Differs,
                (false, Mode::Apply) => {
                    self.client.put(&format!("/api/field/{}", self.client.id(field)?), &body).await?;
                    State::Changed
                }
            };
            self.note("column", &name, state);
        }
        Ok(fields)
    }

    async fn collection(&mut self) -> Result<Option<i64>> {
        let found = found::collection(self.client).await?;
        let body = json!({
            "name": desired::NAME.to(self.language),
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
            "name": desired::NAME.to(self.language),
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

fn card_body(card: &Card, database: i64, collection: i64, fields: &Fields) -> Value {
    let mut native = json!({ "query": card.sql });
    let mut parameters = Vec::new();
    if card.filtered {
        let mut tags = serde_json::Map::new();
        for filter in &FILTERS {
            let (table, column) = filter.column;
            let field = fields.get(&(table.to_owned(), column.to_owned())).map(|field| field["id"].clone());
            tags.insert(
                filter.slug.to_owned(),
                json!({
                    "id": filter.id(),
                    "name": filter.slug,
                    "display-name": filter.title.to(Language::Spanish),
                    "type": "dimension",
                    "dimension": ["field", field, null],
                    "widget-type": filter.widget,
                }),
            );
            parameters.push(json!({
                "id": filter.id(),
                "name": filter.title.to(Language::Spanish),
                "slug": filter.slug,
                "type": filter.widget,
                "target": ["dimension", ["template-tag", filter.slug]],
            }));
        }
        native["template-tags"] = Value::Object(tags);
    }
    json!({
        "name": card.title,
        "description": found::marked(&card.description, &card.key),
        "display": card.display,
        "visualization_settings": card.settings,
        "collection_id": collection,
        "dataset_query": { "database": database, "type": "native", "native": native },
        "parameters": parameters,
    })
}

fn parameters(language: Language) -> Vec<Value> {
    let parameter = |filter: &desired::Filter| {
        let section = if filter.widget.starts_with("date") { "date" } else { "string" };
        json!({
            "id": filter.id(),
            "name": filter.title.to(language),
            "slug": filter.slug,
            "type": filter.widget,
            "sectionId": section,
        })
    };
    FILTERS.iter().map(parameter).collect()
}

/// Where each card stands on Metabase's grid of 24 columns: the filtered ones on top, then two in a row. New places have
/// negative ids.
fn places(cards: &[(i64, Card)]) -> Vec<Value> {
    let mut places = Vec::new();
    let (mut row, mut col) = (0, 0);
    for (nth, (id, card)) in cards.iter().enumerate() {
        let (width, height) = match (card.display, card.filtered) {
            ("scalar", _) => (24, 3),
            (_, true) => (8, 7),
            _ => (12, 8),
        };
        if col + width > 24 {
            (row, col) = (row + 8, 0);
        }
        let mappings: Vec<Value> = FILTERS
            .iter()
            .filter(|_| card.filtered)
            .map(|filter| {
                let target = json!(["dimension", ["template-tag", filter.slug]]);
                json!({ "parameter_id": filter.id(), "card_id": id, "target": target })
            })
            .collect();
        places.push(json!({
            "id": -1 - i64::try_from(nth).unwrap_or(0),
            "card_id": id,
            "row": row,
            "col": col,
            "size_x": width,
            "size_y": height,
            "parameter_mappings": mappings,
        }));
        col += width;
        if col >= 24 {
            (row, col) = (row + height, 0);
        }
    }
    places
}

/// Whether a dashboard has exactly these places, whatever their ids.
fn same_places(places: &[Value], found: &Value) -> bool {
    let there = found["dashcards"].as_array().map_or(&[][..], Vec::as_slice);
    let is_there = |place: &Value| {
        let mut place = place.clone();
        if let Some(place) = place.as_object_mut() {
            place.remove("id");
        }
        there.iter().any(|found| is_part(&place, found))
    };
    there.len() == places.len() && places.iter().all(is_there)
}

/// Whether all that is wanted is found; Metabase adds things of its own.
fn is_part(wanted: &Value, found: &Value) -> bool {
    match (wanted, found) {
        (Value::Object(wanted), Value::Object(found)) => {
            wanted.iter().all(|(key, value)| found.get(key).is_some_and(|found| is_part(value, found)))
        }
        (Value::Array(wanted), Value::Array(found)) => {
            wanted.len() == found.len()
                && wanted.iter().zip(found).all(|(wanted, found)| is_part(wanted, found))
        }
        _ => wanted == found,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn more_than_what_is_wanted_is_no_difference() {
        let found = json!({ "a": [1, { "b": 2, "c": 3 }], "id": 9 });
        assert!(is_part(&json!({ "a": [1, { "b": 2 }] }), &found));
        assert!(!is_part(&json!({ "a": [1] }), &found));
        assert!(!is_part(&json!({ "z": null }), &found));
    }

    #[test]
    fn cards_do_not_overlap_and_stay_on_the_grid() {
        let cards: Vec<(i64, Card)> = (1..).zip(desired::cards(Language::Spanish)).collect();
        let boxes: Vec<[i64; 4]> = places(&cards)
            .iter()
            .map(|place| ["col", "row", "size_x", "size_y"].map(|key| place[key].as_i64().unwrap()))
            .collect();
        for (nth, [col, row, width, height]) in boxes.iter().enumerate() {
            assert!(col + width <= 24);
            for [other_col, other_row, other_width, other_height] in &boxes[..nth] {
                let apart = col + width <= *other_col
                    || other_col + other_width <= *col
                    || row + height <= *other_row
                    || other_row + other_height <= *row;
                assert!(apart, "card {nth}");
            }
        }
    }
}
