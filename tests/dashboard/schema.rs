//! Request properties of Metabase's published `OpenAPI` description: names, types, and whether they are required.

use serde_json::Value;

/// The type of a property.
#[derive(Clone, Copy)]
pub(crate) enum Type {
    /// Not empty.
    Text,
    Number,
    Flag,
    Map,
    /// A list whose items a function accepts.
    List(fn(&Value) -> Result<(), String>),
}

/// Name, type, and whether the property is required.
pub(crate) type Property = (&'static str, Type, bool);

pub(crate) const CARD: &[Property] = &[
    ("name", Type::Text, true),
    ("dataset_query", Type::Map, true),
    ("display", Type::Text, true),
    ("visualization_settings", Type::Map, true),
    ("description", Type::Text, false),
    ("collection_id", Type::Number, false),
    ("parameters", Type::List(parameter), false),
];

pub(crate) const DASHBOARD: &[Property] = &[
    ("name", Type::Text, true),
    ("description", Type::Text, false),
    ("collection_id", Type::Number, false),
    ("parameters", Type::List(parameter), false),
];

pub(crate) const DASHBOARD_CHANGE: &[Property] = &[
    ("name", Type::Text, false),
    ("description", Type::Text, false),
    ("collection_id", Type::Number, false),
    ("parameters", Type::List(parameter), false),
    ("dashcards", Type::List(dashcard), false),
];

pub(crate) const DATABASE: &[Property] = &[
    ("name", Type::Text, true),
    ("engine", Type::Text, true),
    ("details", Type::Map, true),
    ("is_full_sync", Type::Flag, true),
    ("is_on_demand", Type::Flag, true),
    ("connection_source", Type::Text, true),
];

pub(crate) const DATABASE_CHANGE: &[Property] =
    &[("name", Type::Text, false), ("engine", Type::Text, false), ("details", Type::Map, false)];

pub(crate) const COLLECTION: &[Property] = &[("name", Type::Text, true), ("description", Type::Text, false)];

pub(crate) const FIELD: &[Property] = &[
    ("display_name", Type::Text, false),
    ("description", Type::Text, false),
    ("semantic_type", Type::Text, false),
    ("fk_target_field_id", Type::Number, false),
];

pub(crate) const TABLE: &[Property] = &[("visibility_type", Type::Text, false)];

fn parameter(value: &Value) -> Result<(), String> {
    check(
        value,
        &[
            ("id", Type::Text, true),
            ("type", Type::Text, true),
            ("name", Type::Text, true),
            ("slug", Type::Text, true),
            ("sectionId", Type::Text, false),
            ("target", Type::List(|_| Ok(())), false),
        ],
    )
}

fn dashcard(value: &Value) -> Result<(), String> {
    check(
        value,
        &[
            ("id", Type::Number, true),
            ("size_x", Type::Number, true),
            ("size_y", Type::Number, true),
            ("row", Type::Number, true),
            ("col", Type::Number, true),
            ("card_id", Type::Number, false),
            ("parameter_mappings", Type::List(mapping), false),
        ],
    )
}

fn mapping(value: &Value) -> Result<(), String> {
    check(
        value,
        &[
            ("parameter_id", Type::Text, true),
            ("card_id", Type::Number, false),
            ("target", Type::List(|_| Ok(())), true),
        ],
    )
}

/// Checks that a body has the required properties and no unknown ones.
pub(crate) fn check(body: &Value, properties: &[Property]) -> Result<(), String> {
    let body = body.as_object().ok_or("not an object")?;
    for name in body.keys() {
        if !properties.iter().any(|property| property.0 == name) {
            return Err(format!("unknown property {name}"));
        }
    }
    for (name, property_type, required) in properties {
        let Some(value) = body.get(*name) else {
            if *required {
                return Err(format!("{name} is missing"));
            }
            continue;
        };
        let fits = match property_type {
            Type::Text => value.as_str().is_some_and(|text| !text.is_empty()),
            Type::Number => value.is_i64(),
            Type::Flag => value.is_boolean(),
            Type::Map => value.is_object(),
            Type::List(of) => {
                let list = value.as_array().ok_or_else(|| format!("{name} is not a list"))?;
                list.iter().try_for_each(of).map_err(|error| format!("{name}: {error}"))?;
                true
            }
        };
        if !fits {
            return Err(format!("{name} is {value}"));
        }
    }
    Ok(())
}
