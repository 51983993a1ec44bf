//! What Metabase's published `OpenAPI` description demands of each request that we send: names, kinds, and what must be there.

use serde_json::Value;

/// What a property may be.
#[derive(Clone, Copy)]
pub(crate) enum Is {
    /// Text with something in it.
    Text,
    Number,
    Flag,
    Map,
    /// A list of whatever a function accepts.
    List(fn(&Value) -> Result<(), String>),
}

/// A property: its name, what it is, whether it must be there.
pub(crate) type Property = (&'static str, Is, bool);

pub(crate) const CARD: &[Property] = &[
    ("name", Is::Text, true),
    ("dataset_query", Is::Map, true),
    ("display", Is::Text, true),
    ("visualization_settings", Is::Map, true),
    ("description", Is::Text, false),
    ("collection_id", Is::Number, false),
    ("parameters", Is::List(parameter), false),
];

pub(crate) const DASHBOARD: &[Property] = &[
    ("name", Is::Text, true),
    ("description", Is::Text, false),
    ("collection_id", Is::Number, false),
    ("parameters", Is::List(parameter), false),
];

pub(crate) const DASHBOARD_CHANGE: &[Property] = &[
    ("name", Is::Text, false),
    ("description", Is::Text, false),
    ("collection_id", Is::Number, false),
    ("parameters", Is::List(parameter), false),
    ("dashcards", Is::List(place), false),
];

pub(crate) const DATABASE: &[Property] = &[
    ("name", Is::Text, true),
    ("engine", Is::Text, true),
    ("details", Is::Map, true),
    ("is_full_sync", Is::Flag, true),
    ("is_on_demand", Is::Flag, true),
    ("connection_source", Is::Text, true),
];

pub(crate) const DATABASE_CHANGE: &[Property] =
    &[("name", Is::Text, false), ("engine", Is::Text, false), ("details", Is::Map, false)];

pub(crate) const COLLECTION: &[Property] = &[("name", Is::Text, true), ("description", Is::Text, false)];

pub(crate) const FIELD: &[Property] = &[
    ("display_name", Is::Text, false),
    ("description", Is::Text, false),
    ("semantic_type", Is::Text, false),
    ("fk_target_field_id", Is::Number, false),
];

pub(crate) const TABLE: &[Property] = &[("visibility_type", Is::Text, false)];

fn parameter(value: &Value) -> Result<(), String> {
    check(
        value,
        &[
            ("id", Is::Text, true),
            ("type", Is::Text, true),
            ("name", Is::Text, true),
            ("slug", Is::Text, true),
            ("sectionId", Is::Text, false),
            ("target", Is::List(|_| Ok(())), false),
        ],
    )
}

fn place(value: &Value) -> Result<(), String> {
    check(
        value,
        &[
            ("id", Is::Number, true),
            ("size_x", Is::Number, true),
            ("size_y", Is::Number, true),
            ("row", Is::Number, true),
            ("col", Is::Number, true),
            ("card_id", Is::Number, false),
            ("parameter_mappings", Is::List(mapping), false),
        ],
    )
}

fn mapping(value: &Value) -> Result<(), String> {
    check(
        value,
        &[
            ("parameter_id", Is::Text, true),
            ("card_id", Is::Number, false),
            ("target", Is::List(|_| Ok(())), true),
        ],
    )
}

/// Whether a body has what it must have, and nothing that is not known.
pub(crate) fn check(body: &Value, properties: &[Property]) -> Result<(), String> {
    let body = body.as_object().ok_or("not an object")?;
    for name in body.keys() {
        if !properties.iter().any(|property| property.0 == name) {
            return Err(format!("unknown property {name}"));
        }
    }
    for (name, is, must) in properties {
        let Some(value) = body.get(*name) else {
            if *must {
                return Err(format!("{name} is missing"));
            }
            continue;
        };
        let fits = match is {
            Is::Text => value.as_str().is_some_and(|text| !text.is_empty()),
            Is::Number => value.is_i64(),
            Is::Flag => value.is_boolean(),
            Is::Map => value.is_object(),
            Is::List(of) => {
                let list = value.as_array().ok_or_else(|| format!("{name} is no list"))?;
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
