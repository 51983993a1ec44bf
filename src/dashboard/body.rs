//! What is said to Metabase of a card and of the dashboard, and whether what it says is the same. It asks nobody.

use etl::report::Language;
use serde_json::{Value, json};

use super::desired::{self, Card, FILTERS};
use super::found::{self, Fields};

pub(super) fn card_body(card: &Card, database: i64, collection: i64, fields: &Fields) -> Value {
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
                    "display-name": filter.title.get(Language::Spanish),
                    "type": "dimension",
                    "dimension": ["field", field, null],
                    "widget-type": filter.widget,
                }),
            );
            parameters.push(json!({
                "id": filter.id(),
                "name": filter.title.get(Language::Spanish),
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

pub(super) fn parameters(language: Language) -> Vec<Value> {
    let parameter = |filter: &desired::Filter| {
        let section = if filter.widget.starts_with("date") { "date" } else { "string" };
        json!({
            "id": filter.id(),
            "name": filter.title.get(language),
            "slug": filter.slug,
            "type": filter.widget,
            "sectionId": section,
        })
    };
    FILTERS.iter().map(parameter).collect()
}

/// Where each card stands on Metabase's grid of 24 columns: the filtered ones on top, then two in a row. New places have
/// negative ids.
pub(super) fn places(cards: &[(i64, Card)]) -> Vec<Value> {
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
pub(super) fn same_places(places: &[Value], found: &Value) -> bool {
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
pub(super) fn is_part(wanted: &Value, found: &Value) -> bool {
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
