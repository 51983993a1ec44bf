//! What Metabase cannot read from the database: the keys of views, and which tables are internal.
//!
//! `covid_case`, `province` and `department` are views of the published release, and a view has no keys.

use etl::failure::Result;
use serde_json::{Value, json};

use super::found::{self, Fields};
use super::reconcile::{Mode, State, Work};

/// A column: its table and its name.
type FieldName = (&'static str, &'static str);

/// Primary keys.
const PRIMARY: [FieldName; 3] =
    [("province", "province_id"), ("department", "department_id"), ("covid_case", "case_id")];

/// Foreign keys: each column with the one that it references.
const FOREIGN: [(FieldName, FieldName); 4] = [
    (("department", "province_id"), ("province", "province_id")),
    (("covid_case", "registration_province_id"), ("province", "province_id")),
    (("covid_case", "residence_province_id"), ("province", "province_id")),
    (("covid_case", "residence_department_id"), ("department", "department_id")),
];

/// Tables that readers reach through views and functions only. A release has partitions of the first ones, called like them.
const INTERNAL: [&str; 18] = [
    "release_case",
    "release_province",
    "release_department",
    "release",
    "release_dataset",
    "published_release",
    "run_check",
    "run_profile",
    "run_issue",
    "run_dataset",
    "rejected_row",
    "case_count",
    "place_count",
    "delay_count",
    "contradiction_count",
    "test_count",
    "vaccination_count",
    "_sqlx_migrations",
];

/// Every column that has a key, with what it references if it is a foreign key.
pub(super) fn all() -> impl Iterator<Item = (FieldName, Option<FieldName>)> {
    let foreign = FOREIGN.into_iter().map(|(field, target)| (field, Some(target)));
    PRIMARY.into_iter().map(|field| (field, None)).chain(foreign)
}

/// Whether a table is internal.
fn is_internal(table: &str) -> bool {
    INTERNAL.contains(&table) || is_partition(table)
}

/// Whether a table is the part of an internal one that belongs to one release or one load, such as `release_case_12`.
fn is_partition(table: &str) -> bool {
    INTERNAL.iter().any(|parent| {
        let suffix = table.strip_prefix(parent).and_then(|rest| rest.strip_prefix('_'));
        suffix.is_some_and(|suffix| {
            !suffix.is_empty()
                && suffix.chars().all(|character| character.is_ascii_hexdigit() || character == '_')
        })
    })
}

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
        let state = match (super::body::is_part(body, found), self.mode) {
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn is_internal_tells_parts_of_releases_from_tables_of_others() {
        for table in ["release", "release_case", "release_case_12", "case_count", "run_check"] {
            assert!(is_internal(table), "{table}");
        }
        for table in
            ["covid_case", "province", "pipeline_run", "release_notes", "release_case_", "test_count_of_mine"]
        {
            assert!(!is_internal(table), "{table}");
        }
    }
}
