//! Request bodies of cards and of the dashboard, and their comparison with Metabase's responses.

use etl::report::Language;
use serde_json::{Value, json};

use super::remote::{self, Fields};
use super::spec::{Card, FILTERS, Filter};

pub(super) fn card_payload(
    card: &Card,
    database: Option<i64>,
    collection: Option<i64>,
    fields: &Fields,
) -> Value {
    let mut native = json!({ "query": card.sql });
    let mut parameters = Vec::new();
    if card.filtered {
        let mut tags = serde_json::Map::new();
        for filter in &FILTERS {
            let field = fields.get(filter.column).map(|field| &field["id"]);
            tags.insert(
                filter.slug.to_owned(),
                json!({
                    "id": filter.id(),
                    "name": filter.slug,
                    "display-name": filter.title.get(Language::Spanish),
                    "type": "dimension",
                    "dimension": ["field", field, null],
                    "widget-type": filter.widget,
                }),
            );
            let target = json!(["dimension", ["template-tag", filter.slug]]);
            parameters.push(parameter(filter, Language::Spanish, "target", &target));
        }
        native["template-tags"] = Value::Object(tags);
    }
    json!({
        "name": card.title,
        "description": remote::mark(&card.description, &card.key),
        "display": card.display,
        "visualization_settings": card.settings,
        "collection_id": collection,
        "dataset_query": { "database": database, "type": "native", "native": native },
        "parameters": parameters,
    })
}

/// Returns the parameters of the dashboard.
pub(super) fn parameters(language: Language) -> Vec<Value> {
    let parameter = |filter: &Filter| {
        let section = if filter.widget.starts_with("date") { "date" } else { "string" };
        parameter(filter, language, "sectionId", &json!(section))
    };
    FILTERS.iter().map(parameter).collect()
}

fn parameter(filter: &Filter, language: Language, key: &str, value: &Value) -> Value {
    let (id, name) = (filter.id(), filter.title.get(language));
    json!({ "id": id, "name": name, "slug": filter.slug, "type": filter.widget, key: value })
}

/// Returns the layout of the cards on Metabase's grid of 24 columns: the filtered ones on top, then two per row. New dashcards have negative
/// ids.
pub(super) fn dashcards(cards: &[(Option<i64>, Card)]) -> Vec<Value> {
    let mut dashcards = Vec::new();
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
        let mapping = |filter: &Filter| {
            let target = json!(["dimension", ["template-tag", filter.slug]]);
            json!({ "parameter_id": filter.id(), "card_id": id, "target": target })
        };
        let mappings: Vec<_> = FILTERS.iter().filter(|_| card.filtered).map(mapping).collect();
        dashcards.push(json!({
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
    dashcards
}

/// Returns whether a dashboard has exactly these dashcards, regardless of their ids.
pub(super) fn has_dashcards(dashcards: &[Value], found: &Value) -> bool {
    let existing = found["dashcards"].as_array().map_or(&[][..], Vec::as_slice);
    let exists = |dashcard: &Value| {
        let mut dashcard = dashcard.clone();
        if let Some(dashcard) = dashcard.as_object_mut() {
            dashcard.remove("id");
        }
        existing.iter().any(|found| is_subset(&dashcard, found))
    };
    existing.len() == dashcards.len() && dashcards.iter().all(exists)
}

/// Returns whether a response contains all desired values; Metabase adds values of its own.
pub(super) fn is_subset(desired: &Value, found: &Value) -> bool {
    match (desired, found) {
        (Value::Object(desired), Value::Object(found)) => {
            desired.iter().all(|(key, value)| found.get(key).is_some_and(|found| is_subset(value, found)))
        }
        (Value::Array(desired), Value::Array(found)) => {
            desired.len() == found.len()
                && desired.iter().zip(found).all(|(desired, found)| is_subset(desired, found))
        }
        _ => desired == found,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn is_subset_ignores_additional_values() {
        let found = json!({ "a": [1, { "b": 2, "c": 3 }], "id": 9 });
        assert!(is_subset(&json!({ "a": [1, { "b": 2 }] }), &found));
        assert!(!is_subset(&json!({ "a": [1] }), &found));
        assert!(!is_subset(&json!({ "z": null }), &found));
    }

    #[test]
    fn dashcards_do_not_overlap_and_stay_on_grid() {
        let cards: Vec<_> = (1..).map(Some).zip(super::super::spec::cards(Language::Spanish)).collect();
        let boxes: Vec<[i64; 4]> = dashcards(&cards)
            .iter()
            .map(|dashcard| ["col", "row", "size_x", "size_y"].map(|key| dashcard[key].as_i64().unwrap()))
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
