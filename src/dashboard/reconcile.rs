//! Applies the specification to Metabase, or reports the differences. Idempotent.

use std::collections::BTreeMap;
use std::fmt;

use common::failure::Result;
use etl::report::Language;
use serde::Serialize;
use serde_json::{Value, json};

use super::client::Client;
use super::keys::{self, KEYS};
use super::payload::{card_payload, dashcards, has_dashcards, is_subset, parameters};
use super::remote::{self, Fields};
use super::spec::{self, Card, Connection};

#[derive(Clone, Copy)]
pub enum ReconcileMode<'a> {
    /// Create and update.
    Apply(&'a Connection),
    /// Only report; of the connection, only the existence if it is not given.
    Check(Option<&'a Connection>),
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
    language: Language,
    mode: ReconcileMode<'_>,
) -> Result<Vec<ItemStatus>> {
    let mut reconciler = Reconciler { client, language, mode, items: Vec::new() };
    let database = reconciler.database().await?;
    let fields = reconciler.fields(database).await?;
    reconciler.columns(&fields).await?;
    reconciler.keys(&fields).await?;
    if let Some(database) = database {
        reconciler.internal_tables(database).await?;
    }
    // Without the connection, everything else is missing, too.
    let collection = reconciler.collection(database.is_some()).await?;
    let items = match collection {
        Some(collection) => remote::items(client, collection).await?,
        None => BTreeMap::new(),
    };
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
    mode: ReconcileMode<'a>,
    items: Vec<ItemStatus>,
}

impl Reconciler<'_> {
    fn report(&mut self, kind: &'static str, name: &str, state: ItemState) {
        self.items.push(ItemStatus { kind, name: name.to_owned(), state });
    }

    async fn database(&mut self) -> Result<Option<i64>> {
        let name = spec::NAME.get(self.language);
        let connection = match self.mode {
            ReconcileMode::Apply(connection) => Some(connection),
            ReconcileMode::Check(connection) => connection,
        };
        let found = remote::database(self.client, name).await?;
        let up_to_date = |found: &Value| connection.is_none_or(|connection| connection.matches(found));
        let found = found.as_ref().map(|found| (found, up_to_date(found)));
        let create = connection.map(|connection| connection.body(name)).unwrap_or_default();
        // The other properties are accepted only for a new connection.
        let update = json!({ "name": name, "engine": create["engine"], "details": create["details"] });
        self.apply("connection", name, "/api/database", found, &create, &update).await
    }

    /// Returns the fields of a connection, none without one. Before they are changed, Metabase must have read them all.
    async fn fields(&self, database: Option<i64>) -> Result<Fields> {
        let Some(database) = database else { return Ok(Fields::new()) };
        let fields = remote::fields(self.client, database).await?;
        if matches!(self.mode, ReconcileMode::Check(_)) {
            return Ok(fields);
        }
        if fields.is_empty() {
            self.client.post(&format!("/api/database/{database}/sync_schema"), &json!({})).await?;
        }
        let required = spec::columns().map(|(column, ..)| column);
        let required: Vec<&str> = required.chain(KEYS.iter().map(|(key, _)| *key)).collect();
        remote::synced_fields(self.client, database, &required).await
    }

    /// Sets the titles and descriptions of the columns.
    async fn columns(&mut self, fields: &Fields) -> Result<()> {
        for (column, title, meaning) in spec::columns() {
            let Some(field) = fields.get(column) else {
                self.report("column", column, ItemState::Missing);
                continue;
            };
            let body = json!({
                "display_name": title.get(self.language),
                "description": spec::both(meaning, self.language),
            });
            self.item("column", "/api/field", Some(field), column, &body).await?;
        }
        Ok(())
    }

    /// Declares the keys, which Metabase cannot read from views.
    async fn keys(&mut self, fields: &Fields) -> Result<()> {
        for (key, target) in KEYS {
            let target = target.map(|target| fields.get(target));
            // The referenced column must exist, too.
            let (Some(field), false) = (fields.get(key), target == Some(None)) else {
                self.report("key", key, ItemState::Missing);
                continue;
            };
            let body = match target.flatten() {
                Some(target) => json!({ "semantic_type": "type/FK", "fk_target_field_id": target["id"] }),
                None => json!({ "semantic_type": "type/PK" }),
            };
            self.item("key", "/api/field", Some(field), key, &body).await?;
        }
        Ok(())
    }

    /// Hides the internal tables. A partition that is not hidden yet is no difference: each load creates new ones.
    async fn internal_tables(&mut self, database: i64) -> Result<()> {
        let is_check = matches!(self.mode, ReconcileMode::Check(_));
        for table in remote::tables(self.client, database).await? {
            let name = table["name"].as_str().unwrap_or_default();
            if !keys::is_internal(name) || is_check && keys::is_partition(name) {
                continue;
            }
            let hidden = json!({ "visibility_type": "hidden" });
            self.item("internal table", "/api/table", Some(&table), name, &hidden).await?;
        }
        Ok(())
    }

    async fn collection(&mut self, is_connected: bool) -> Result<Option<i64>> {
        let found = if is_connected { remote::collection(self.client).await? } else { None };
        let body = json!({
            "name": spec::NAME.get(self.language),
            "description": remote::mark("https://datos.gob.ar", "collection"),
        });
        self.item("collection", "/api/collection", found.as_ref(), "collection", &body).await
    }

    async fn dashboard(
        &mut self,
        found: Option<&Value>,
        collection: Option<i64>,
        cards: &[(Option<i64>, Card)],
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
        if let (None, Some(id)) = (found, id) {
            self.client.put(&format!("/api/dashboard/{id}"), &json!({ "dashcards": dashcards })).await?;
        }
        Ok(())
    }

    /// Creates, updates or compares an item; returns its id, or `None` if it is missing.
    async fn item(
        &mut self,
        kind: &'static str,
        path: &str,
        found: Option<&Value>,
        name: &str,
        body: &Value,
    ) -> Result<Option<i64>> {
        let found = found.map(|found| (found, is_subset(body, found)));
        self.apply(kind, name, path, found, body, body).await
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
    ) -> Result<Option<i64>> {
        let found = match found {
            Some((found, up_to_date)) => Some((self.client.id(found)?, up_to_date)),
            None => None,
        };
        let (state, id) = match (found, self.mode) {
            (Some((id, true)), _) => (ItemState::Same, Some(id)),
            (Some((id, false)), ReconcileMode::Check(_)) => (ItemState::Differs, Some(id)),
            (Some((id, false)), ReconcileMode::Apply(_)) => {
                self.client.put(&format!("{path}/{id}"), update).await?;
                (ItemState::Changed, Some(id))
            }
            (None, ReconcileMode::Check(_)) => (ItemState::Missing, None),
            (None, ReconcileMode::Apply(_)) => {
                let created = self.client.post(path, create).await?;
                (ItemState::Created, Some(self.client.id(&created)?))
            }
        };
        self.report(kind, name, state);
        Ok(id)
    }
}
