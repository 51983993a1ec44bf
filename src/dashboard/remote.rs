//! Reads what Metabase contains, as far as it is managed here.

use std::collections::BTreeMap;

use common::failure::{Failure, Result};
use serde_json::Value;

use super::client::Client;

/// Prefix of the last line of the description of a managed item.
const MARK: &str = "covidctl: ";

/// Seconds that Metabase may take to read the tables of a new connection.
const SYNC_ATTEMPTS: u32 = 60;

/// Appends the mark to a description.
pub(super) fn mark(description: &str, key: &str) -> String {
    format!("{description}\n\n{MARK}{key}")
}

/// Returns the key of a managed item.
fn key(item: &Value) -> Option<&str> {
    item["description"].as_str()?.lines().last()?.strip_prefix(MARK)
}

/// Returns a list that is bare or, in some versions of Metabase, in `data`.
fn list(answer: &Value) -> &[Value] {
    answer.as_array().or_else(|| answer["data"].as_array()).map_or(&[], Vec::as_slice)
}

pub(super) async fn database(client: &Client, name: &str) -> Result<Option<Value>> {
    let all = client.get("/api/database").await?;
    Ok(list(&all).iter().find(|database| database["name"] == name).cloned())
}

pub(super) async fn collection(client: &Client) -> Result<Option<Value>> {
    let all = client.get("/api/collection").await?;
    Ok(list(&all).iter().find(|collection| key(collection) == Some("collection")).cloned())
}

/// Returns the complete managed cards and dashboards of a collection, by key.
pub(super) async fn items(client: &Client, collection: i64) -> Result<BTreeMap<String, Value>> {
    let all = client.get(&format!("/api/collection/{collection}/items?models=card&models=dashboard")).await?;
    let mut items = BTreeMap::new();
    for item in list(&all).iter().filter(|item| key(item).is_some()) {
        let id = client.id(item)?;
        let path = match item["model"].as_str() {
            Some("dashboard") => format!("/api/dashboard/{id}"),
            // Newer releases return queries in another format by default.
            _ => format!("/api/card/{id}?legacy-mbql=true"),
        };
        let whole = client.get(&path).await?;
        if let Some(key) = key(&whole) {
            items.insert(key.to_owned(), whole);
        }
    }
    Ok(items)
}

/// The fields of a connection's tables, by `table.column`.
pub(super) type Fields = BTreeMap<String, Value>;

/// Returns the tables of a connection with their fields, including hidden ones.
pub(super) async fn tables(client: &Client, database: i64) -> Result<Vec<Value>> {
    let metadata = client.get(&format!("/api/database/{database}/metadata?include_hidden=true")).await?;
    Ok(metadata["tables"].as_array().cloned().unwrap_or_default())
}

pub(super) async fn fields(client: &Client, database: i64) -> Result<Fields> {
    let mut fields = Fields::new();
    for table in tables(client, database).await? {
        for field in table["fields"].as_array().into_iter().flatten() {
            if let (Some(table), Some(name)) = (table["name"].as_str(), field["name"].as_str()) {
                fields.insert(format!("{table}.{name}"), field.clone());
            }
        }
    }
    Ok(fields)
}

/// Waits until Metabase has read the required tables, which it does after a connection is created.
pub(super) async fn synced_fields(client: &Client, database: i64, required: &[&str]) -> Result<Fields> {
    for _ in 0..SYNC_ATTEMPTS {
        let fields = fields(client, database).await?;
        if required.iter().all(|column| fields.contains_key(*column)) {
            return Ok(fields);
        }
        tokio::time::sleep(std::time::Duration::from_secs(1)).await;
    }
    Err(Failure::new("Metabase has not found the pipeline's tables in the database")
        .hint("check that the URL names the pipeline's database, that a load has succeeded, and that the role has read access"))
}
