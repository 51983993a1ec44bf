//! Applies the specification to Metabase, or reports the differences. Idempotent.

use std::fmt;

use common::failure::Result;
use etl::report::Language;
use serde::Serialize;
use serde_json::{Value, json};

use super::client::Client;
use super::keys;
use super::payload::{card_payload, dashcards, has_dashcards, is_subset, parameters};
use super::remote::{self, Fields};
use super::spec::{self, COLUMNS, Card, Connection};

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ReconcileMode {
    /// Create and update.
    Apply,
    /// Only report.
    Check,
}

/// An item in Metabase and its state.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ItemStatus {
    pub kind: &'static str,
    /// Stable, unlike the title.
    pub name: String,
    pub state: ItemState,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum ItemState {
    Same,
    Missing,
    Differs,
    Created,
    Changed,
}

impl fmt::Display for ItemState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Same => "up to date",
            Self::Missing => "missing",
            Self::Differs => "differs",
            Self::Created => "created",
            Self::Changed => "changed",
        })
    }
}

/// Compares everything with the specification and, in [`ReconcileMode::Apply`], applies it. Returns every item in the order of creation.
pub async fn reconcile(
    client: &Client,
    connection: Option<&Connection>,
    language: Language,
    mode: ReconcileMode,
) -> Result<Vec<ItemStatus>> {
    let mut reconciler = Reconciler { client, language, mode, items: Vec::new() };
    let Some(database) = reconciler.database(connection).await? else {
        return Ok(reconciler.all_missing(false));
    };
    let fields = reconciler.columns(database).await?;
    reconciler.keys(&fields).await?;
    reconciler.internal_tables(database).await?;
    let Some(collection) = reconciler.collection().await? else { return Ok(reconciler.all_missing(true)) };
    let items = remote::items(client, collection).await?;
    let mut ids = Vec::new();
    for card in spec::cards(language) {
        let body = card_payload(&card, database, collection, &fields);
        let id = reconciler.item("question", "/api/card", items.get(&card.key), &card.key, &body).await?;
        ids.push((id, card));
    }
    reconciler.dashboard(items.get("dashboard"), collection, &ids).await?;
    Ok(reconciler.items)
}

struct Reconciler<'a> {
    client: &'a Client,
    language: Language,
    mode: ReconcileMode,
    items: Vec<ItemStatus>,
}

impl Reconciler<'_> {
    fn report(&mut self, kind: &'static str, name: &str, state: ItemState) {
        self.items.push(ItemStatus { kind, name: name.to_owned(), state });
    }

    /// Reports everything after a missing connection or collection as missing, too.
    fn all_missing(mut self, connected: bool) -> Vec<ItemStatus> {
        if !connected {
            for (table, column, ..) in COLUMNS {
                self.report("column", &format!("{table}.{column}"), ItemState::Missing);
            }
            for ((table, column), _) in keys::all() {
                self.report("key", &format!("{table}.{column}"), ItemState::Missing);
            }
            self.report("collection", "collection", ItemState::Missing);
        }
        for card in spec::cards(self.language) {
            self.report("question", &card.key, ItemState::Missing);
        }
        self.report("dashboard", "dashboard", ItemState::Missing);
        self.items
    }

    async fn database(&mut self, connection: Option<&Connection>) -> Result<Option<i64>> {
        let name = spec::NAME.get(self.language);
        let found = remote::database(self.client, name).await?;
        let Some(connection) = connection else {
            self.report(
                "connection",
                name,
                if found.is_some() { ItemState::Same } else { ItemState::Missing },
            );
            return found.map(|found| self.client.id(&found)).transpose();
        };
        let matches = |found: &Value| {
            connection.comparable().iter().all(|(key, value)| found["details"][*key] == **value)
        };
        let create = connection.body(name);
        // The other properties are accepted only for a new connection.
        let update = json!({ "name": name, "engine": create["engine"], "details": create["details"] });
        let found = found.as_ref().map(|found| (found, matches(found)));
        let id = self.apply("connection", name, "/api/database", found, &create, &update).await?;
        Ok((id > 0).then_some(id))
    }

    /// Sets the titles and descriptions of the columns.
    async fn columns(&mut self, database: i64) -> Result<Fields> {
        let named = COLUMNS.iter().map(|(table, column, ..)| (*table, *column));
        let wanted: Vec<(&str, &str)> = named.chain(keys::all().map(|(field, _)| field)).collect();
        let fields = match self.mode {
            ReconcileMode::Apply => {
                if remote::fields(self.client, database).await?.is_empty() {
                    self.client.post(&format!("/api/database/{database}/sync_schema"), &json!({})).await?;
                }
                remote::synced_fields(self.client, database, &wanted).await?
            }
            ReconcileMode::Check => remote::fields(self.client, database).await?,
        };
        for (table, column, title, meaning) in COLUMNS {
            let name = format!("{table}.{column}");
            let Some(field) = fields.get(&(table.to_owned(), column.to_owned())) else {
                self.report("column", &name, ItemState::Missing);
                continue;
            };
            let body = json!({
                "display_name": title.get(self.language),
                "description": spec::both(meaning, self.language),
            });
            self.item("column", "/api/field", Some(field), &name, &body).await?;
        }
        Ok(fields)
    }

    async fn collection(&mut self) -> Result<Option<i64>> {
        let found = remote::collection(self.client).await?;
        let body = json!({
            "name": spec::NAME.get(self.language),
            "description": remote::mark("https://datos.gob.ar", "collection"),
        });
        let id = self.item("collection", "/api/collection", found.as_ref(), "collection", &body).await?;
        Ok((id > 0).then_some(id))
    }

    /// Creates, updates or compares an item; returns its id, or 0 if it is missing.
    async fn item(
        &mut self,
        kind: &'static str,
        path: &str,
        found: Option<&Value>,
        name: &str,
        body: &Value,
    ) -> Result<i64> {
        let up_to_date = found.is_some_and(|found| is_subset(body, found));
        self.apply(kind, name, path, found.map(|found| (found, up_to_date)), body, body).await
    }

    /// Creates the item with `create` if it was not found, or updates it with `update` unless it is up to date.
    async fn apply(
        &mut self,
        kind: &'static str,
        name: &str,
        path: &str,
        found: Option<(&Value, bool)>,
        create: &Value,
        update: &Value,
    ) -> Result<i64> {
        let id = found.map(|(found, _)| self.client.id(found)).transpose()?;
        let (state, id) = match (id, found, self.mode) {
            (Some(id), Some((_, true)), _) => (ItemState::Same, id),
            (Some(id), _, ReconcileMode::Check) => (ItemState::Differs, id),
            (Some(id), _, ReconcileMode::Apply) => {
                self.client.put(&format!("{path}/{id}"), update).await?;
                (ItemState::Changed, id)
            }
            (None, _, ReconcileMode::Check) => (ItemState::Missing, 0),
            (None, _, ReconcileMode::Apply) => {
                (ItemState::Created, self.client.id(&self.client.post(path, create).await?)?)
            }
        };
        self.report(kind, name, state);
        Ok(id)
    }

    async fn dashboard(
        &mut self,
        found: Option<&Value>,
        collection: i64,
        cards: &[(i64, Card)],
    ) -> Result<()> {
        let head = json!({
            "name": spec::NAME.get(self.language),
            "description": remote::mark("covidctl dashboard apply", "dashboard"),
            "collection_id": collection,
            "parameters": parameters(self.language),
        });
        let dashcards = dashcards(cards);
        let found = found.map(|found| (found, is_subset(&head, found) && has_dashcards(&dashcards, found)));
        let mut whole = head.clone();
        whole["dashcards"] = json!(dashcards);
        let id = self.apply("dashboard", "dashboard", "/api/dashboard", found, &head, &whole).await?;
        // Metabase creates a dashboard without cards.
        if found.is_none() && id > 0 {
            self.client.put(&format!("/api/dashboard/{id}"), &json!({ "dashcards": dashcards })).await?;
        }
        Ok(())
    }

    /// Declares the keys, which Metabase cannot read from views.
    async fn keys(&mut self, fields: &Fields) -> Result<()> {
        let field = |(table, column): keys::FieldName| fields.get(&(table.to_owned(), column.to_owned()));
        for (key, target) in keys::all() {
            let name = format!("{}.{}", key.0, key.1);
            let target = target.map(field);
            // The referenced column must exist, too.
            let (Some(found), false) = (field(key), target == Some(None)) else {
                self.report("key", &name, ItemState::Missing);
                continue;
            };
            let body = match target.flatten() {
                Some(target) => json!({ "semantic_type": "type/FK", "fk_target_field_id": target["id"] }),
                None => json!({ "semantic_type": "type/PK" }),
            };
            self.item("key", "/api/field", Some(found), &name, &body).await?;
        }
        Ok(())
    }

    /// Hides the internal tables. A partition that is not hidden yet is no difference: each load creates new ones.
    async fn internal_tables(&mut self, database: i64) -> Result<()> {
        for table in remote::tables(self.client, database).await? {
            let name = table["name"].as_str().unwrap_or_default().to_owned();
            if !keys::is_internal(&name) || self.mode == ReconcileMode::Check && keys::is_partition(&name) {
                continue;
            }
            let hidden = json!({ "visibility_type": "hidden" });
            self.item("internal table", "/api/table", Some(&table), &name, &hidden).await?;
        }
        Ok(())
    }
}
