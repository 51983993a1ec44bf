//! What there is in Metabase now, as far as it is ours.

use std::collections::BTreeMap;

use common::failure::{Failure, Result};
use serde_json::Value;

use super::client::Client;

/// How a thing of ours is known: the last line of its description.
const MARK: &str = "covidctl: ";

/// How often Metabase is asked whether it has read the tables, and with what pause.
const ATTEMPTS: u32 = 60;

/// The mark at the end of a description.
pub(super) fn marked(description: &str, key: &str) -> String {
    format!("{description}\n\n{MARK}{key}")
}

/// The key of a thing of ours.
pub(super) fn key(thing: &Value) -> Option<&str> {
    thing["description"].as_str()?.lines().last()?.strip_prefix(MARK)
}

/// A list that Metabase gives bare or, in some versions, as `data`.
fn list(answer: &Value) -> &[Value] {
    answer.as_array().or_else(|| answer["data"].as_array()).map_or(&[], Vec::as_slice)
}

/// The connection of this name.
pub(super) async fn database(client: &Client, name: &str) -> Result<Option<Value>> {
    let all = client.get("/api/database").await?;
    Ok(list(&all).iter().find(|database| database["name"] == name).cloned())
}

/// The collection of ours.
pub(super) async fn collection(client: &Client) -> Result<Option<Value>> {
    let all = client.get("/api/collection").await?;
    Ok(list(&all).iter().find(|collection| key(collection) == Some("collection")).cloned())
}

/// The cards and the dashboards of a collection, whole, by their keys.
pub(super) async fn items(client: &Client, collection: i64) -> Result<BTreeMap<String, Value>> {
    let all = client.get(&format!("/api/collection/{collection}/items?models=card&models=dashboard")).await?;
    let mut items = BTreeMap::new();
    for item in list(&all).iter().filter(|item| key(item).is_some()) {
        let id = client.id(item)?;
        let path = match item["model"].as_str() {
            Some("dashboard") => format!("/api/dashboard/{id}"),
            // Newer releases keep queries in another form; this is the one that is written here.
            _ => format!("/api/card/{id}?legacy-mbql=true"),
        };
        let whole = client.get(&path).await?;
        if let Some(key) = key(&whole) {
            items.insert(key.to_owned(), whole);
        }
    }
    Ok(items)
}

/// The fields of a connection's tables, by table and column.
pub(super) type Fields = BTreeMap<(String, String), Value>;

/// The tables of a connection with their fields, hidden ones, too.
pub(super) async fn tables(client: &Client, database: i64) -> Result<Vec<Value>> {
    let metadata = client.get(&format!("/api/database/{database}/metadata?include_hidden=true")).await?;
    Ok(metadata["tables"].as_array().cloned().unwrap_or_default())
}

/// Those that are known now.
pub(super) async fn fields(client: &Client, database: i64) -> Result<Fields> {
    let mut fields = Fields::new();
    for table in tables(client, database).await? {
        for field in table["fields"].as_array().into_iter().flatten() {
            if let (Some(table), Some(name)) = (table["name"].as_str(), field["name"].as_str()) {
                fields.insert((table.to_owned(), name.to_owned()), field.clone());
            }
        }
    }
    Ok(fields)
}

/// Waits until Metabase has read the tables that are wanted; it does so on its own, after a connection was made.
pub(super) async fn synced_fields(client: &Client, database: i64, wanted: &[(&str, &str)]) -> Result<Fields> {
    for _ in 0..ATTEMPTS {
        let fields = fields(client, database).await?;
        if wanted
            .iter()
            .all(|(table, column)| fields.contains_key(&((*table).to_owned(), (*column).to_owned())))
        {
            return Ok(fields);
        }
        tokio::time::sleep(std::time::Duration::from_secs(1)).await;
    }
    Err(Failure::new("Metabase has not found the pipeline's tables in the database")
        .hint("check that its URL names the database of the pipeline, that a load has succeeded there, and that the role may read"))
}
