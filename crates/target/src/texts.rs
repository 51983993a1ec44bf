//! A list in the configuration file, written out or by the names of parameters.

use std::fmt;

use serde::de::value::{MapAccessDeserializer, SeqAccessDeserializer};
use serde::de::{MapAccess, SeqAccess, Visitor};
use serde::{Deserialize, Deserializer};

/// Values, or the names of the SSM parameters that hold them, each a value or a comma-separated list.
#[derive(Debug, Clone, PartialEq, Eq)]
#[expect(missing_docs, reason = "the names say it")]
pub enum Texts {
    Listed(Vec<String>),
    Parameters(Vec<String>),
}

impl Texts {
    pub(crate) fn is_empty(&self) -> bool {
        *self == Self::default()
    }
}

impl Default for Texts {
    fn default() -> Self {
        Self::Listed(Vec::new())
    }
}

impl<'de> Deserialize<'de> for Texts {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        #[derive(Deserialize)]
        #[serde(deny_unknown_fields)]
        struct Table {
            parameters: Vec<String>,
        }

        struct TextsVisitor;

        impl<'de> Visitor<'de> for TextsVisitor {
            type Value = Texts;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a list, or { parameters = [\"/name\"] }")
            }

            fn visit_seq<A: SeqAccess<'de>>(self, list: A) -> Result<Texts, A::Error> {
                Vec::deserialize(SeqAccessDeserializer::new(list)).map(Texts::Listed)
            }

            fn visit_map<A: MapAccess<'de>>(self, table: A) -> Result<Texts, A::Error> {
                let Table { parameters } = Table::deserialize(MapAccessDeserializer::new(table))?;
                Ok(Texts::Parameters(parameters))
            }
        }

        deserializer.deserialize_any(TextsVisitor)
    }
}
