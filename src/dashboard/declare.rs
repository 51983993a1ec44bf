//! Tells Metabase what it cannot read from the database: see [`keys`](super::keys).

use common::failure::Result;
use serde_json::{Value, json};

use super::body::is_part;
use super::found::{self, Fields};
use super::keys::{FieldName, all, is_internal, is_partition};
use super::reconcile::{Mode, State, Work};

impl Work<'_> {
    /// Declares the keys.
    pub(super) async fn keys(&mut self, fields: &Fields) -> Result<()> {
        let field = |(table, column): FieldName| fields.get(&(table.to_owned(), column.to_owned()));
        for (key, target) in all() {
            let name = format!("{}.{}", key.0, key.1);
            let target = target.map(field);
            // What a foreign key references must be known, too.
            let (Some(found), false) = (field(key), target == Some(None)) else {
                self.note("key", &name, State::Missing);
                continue;
            };
            let body = match target.flatten() {
                Some(target) => json!({ "semantic_type": "type/FK", "fk_target_field_id": target["id"] }),
                None => json!({ "semantic_type": "type/PK" }),
            };
            let path = format!("/api/field/{}", self.client.id(found)?);
            self.change_if_different("key", &name, (&path, found), &body).await?;
        }
        Ok(())
    }

    /// Hides the internal tables that Metabase has found. Parts of releases come and go with each load: one that is not hidden yet is
    /// no difference.
    pub(super) async fn internal_tables(&mut self, database: i64) -> Result<()> {
        for table in found::tables(self.client, database).await? {
            let name = table["name"].as_str().unwrap_or_default().to_owned();
            if !is_internal(&name) || self.mode == Mode::Look && is_partition(&name) {
                continue;
            }
            let path = format!("/api/table/{}", self.client.id(&table)?);
            self.change_if_different(
                "internal table",
                &name,
                (&path, &table),
                &json!({ "visibility_type": "hidden" }),
            )
            .await?;
        }
        Ok(())
    }

    /// Compares the properties of a thing that Metabase has made itself, and changes them if it may.
    pub(super) async fn change_if_different(
        &mut self,
        kind: &'static str,
        name: &str,
        (path, found): (&str, &Value),
        body: &Value,
    ) -> Result<()> {
        let state = match (is_part(body, found), self.mode) {
            (true, _) => State::Same,
            (false, Mode::Look) => State::Differs,
            (false, Mode::Apply) => {
                self.client.put(path, body).await?;
                State::Changed
            }
        };
        self.note(kind, name, state);
        Ok(())
    }
}
