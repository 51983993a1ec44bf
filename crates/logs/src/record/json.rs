//! Walks the members of a JSON object without parsing its values and without allocation.
//!
//! Meant for lines of logs: a line that is not valid JSON has the members before the first error.

use std::borrow::Cow;

use memchr::memchr2;

/// A value, as its text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum JsonValue<'a> {
    /// What is between the quotes, with its escapes.
    String(&'a str),
    /// Everything between the braces, with them.
    Object(&'a str),
    /// An array, a number, `true`, `false` or `null`.
    Other(&'a str),
}

/// The members of an object, in their order.
#[derive(Debug, Clone)]
pub(crate) struct JsonMembers<'a> {
    text: &'a str,
    at: usize,
}

impl<'a> JsonMembers<'a> {
    /// Walks the object that the text starts with; anything else has no members.
    pub(crate) fn of(text: &'a str) -> Self {
        let at = if text.starts_with('{') { 1 } else { text.len() };
        Self { text, at }
    }

    fn skip_blanks(&mut self) {
        let bytes = self.text.as_bytes();
        while bytes.get(self.at).is_some_and(u8::is_ascii_whitespace) {
            self.at += 1;
        }
    }

    fn take(&mut self, wanted: u8) -> Option<()> {
        self.skip_blanks();
        (self.text.as_bytes().get(self.at) == Some(&wanted)).then(|| self.at += 1)
    }

    /// Takes a string; returns what is between its quotes.
    fn string(&mut self) -> Option<&'a str> {
        self.take(b'"')?;
        let start = self.at;
        let end = end_of_string(self.text.as_bytes(), start)?;
        self.at = end + 1;
        self.text.get(start..end)
    }

    fn value(&mut self) -> Option<JsonValue<'a>> {
        self.skip_blanks();
        let bytes = self.text.as_bytes();
        let start = self.at;
        match bytes.get(start)? {
            b'"' => self.string().map(JsonValue::String),
            open @ (b'{' | b'[') => {
                self.at = end_of_nesting(bytes, start)?;
                let text = self.text.get(start..self.at)?;
                Some(if *open == b'{' { JsonValue::Object(text) } else { JsonValue::Other(text) })
            }
            _ => {
                let ends = |byte: &u8| matches!(byte, b',' | b'}' | b']') || byte.is_ascii_whitespace();
                let length = bytes[start..].iter().position(ends)?;
                self.at = start + length;
                self.text.get(start..self.at).filter(|text| !text.is_empty()).map(JsonValue::Other)
            }
        }
    }
}

impl<'a> Iterator for JsonMembers<'a> {
    /// A name, with its escapes, and its value.
    type Item = (&'a str, JsonValue<'a>);

    fn next(&mut self) -> Option<Self::Item> {
        let mut member = || {
            let name = self.string()?;
            self.take(b':')?;
            let value = self.value()?;
            self.skip_blanks();
            if self.text.as_bytes().get(self.at) == Some(&b',') {
                self.at += 1;
            }
            Some((name, value))
        };
        let member = member();
        if member.is_none() {
            self.at = self.text.len();
        }
        member
    }
}

/// Returns the position of the quote that ends the string whose content starts at `at`.
fn end_of_string(bytes: &[u8], mut at: usize) -> Option<usize> {
    loop {
        at += memchr2(b'"', b'\\', bytes.get(at..)?)?;
        if bytes[at] == b'"' {
            return Some(at);
        }
        at += 2;
    }
}

/// Returns the position after the object or array that starts at `start`.
fn end_of_nesting(bytes: &[u8], start: usize) -> Option<usize> {
    let (mut depth, mut at) = (0_usize, start);
    loop {
        match bytes.get(at)? {
            b'"' => at = end_of_string(bytes, at + 1)?,
            b'{' | b'[' => depth += 1,
            b'}' | b']' => {
                depth = depth.checked_sub(1)?;
                if depth == 0 {
                    return Some(at + 1);
                }
            }
            _ => {}
        }
        at += 1;
    }
}

/// Resolves the escapes of a string; one that is invalid stays as it is.
pub(crate) fn unescape(raw: &str) -> Cow<'_, str> {
    if memchr::memchr(b'\\', raw.as_bytes()).is_none() {
        return raw.into();
    }
    serde_json::from_str::<String>(&format!("\"{raw}\"")).map_or(Cow::Borrowed(raw), Cow::Owned)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::{Map, Value};

    use super::*;

    #[test]
    fn members_have_names_and_values_in_order() {
        let text = r#"{ "a" : "x\"y", "b":{"c":[1,"}"]} ,"d":-1.5e3,"e":null, "f":[] }"#;
        let members: Vec<_> = JsonMembers::of(text).collect();
        assert_eq!(
            members,
            [
                ("a", JsonValue::String(r#"x\"y"#)),
                ("b", JsonValue::Object(r#"{"c":[1,"}"]}"#)),
                ("d", JsonValue::Other("-1.5e3")),
                ("e", JsonValue::Other("null")),
                ("f", JsonValue::Other("[]")),
            ]
        );
        assert_eq!(unescape(r"x\u0041\ny"), "xA\ny");
    }

    #[test]
    fn broken_object_has_members_before_the_error() {
        for text in
            [r#"{"a":1,"b"#, r#"{"a":1,"b":"x"#, r#"{"a":1,:}"#, r#"{"a":1,"b":{"#, r#"{"a":1,"b":"\"#]
        {
            let names: Vec<_> = JsonMembers::of(text).map(|(name, _)| name).collect();
            assert_eq!(names, ["a"], "{text}");
        }
        assert_eq!(JsonMembers::of("text").next(), None);
    }

    fn json() -> impl Strategy<Value = Value> {
        let leaf = prop_oneof![
            Just(Value::Null),
            any::<bool>().prop_map(Value::from),
            any::<i64>().prop_map(Value::from),
            any::<String>().prop_map(Value::from),
        ];
        leaf.prop_recursive(3, 20, 4, |inner| {
            prop_oneof![
                prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
                prop::collection::vec((any::<String>(), inner), 0..4)
                    .prop_map(|members| Value::Object(members.into_iter().collect::<Map<_, _>>())),
            ]
        })
    }

    proptest! {
        #[test]
        fn members_equal_those_of_a_parser(members in prop::collection::vec((any::<String>(), json()), 0..6), pretty in any::<bool>()) {
            let object: Map<String, Value> = members.into_iter().collect();
            let text = if pretty { serde_json::to_string_pretty(&object) } else { serde_json::to_string(&object) }.unwrap();
            let walked: Map<String, Value> = JsonMembers::of(&text)
                .map(|(name, value)| {
                    let value = match value {
                        JsonValue::String(text) => Value::from(unescape(text).into_owned()),
                        JsonValue::Object(text) | JsonValue::Other(text) => serde_json::from_str(text).unwrap(),
                    };
                    (unescape(name).into_owned(), value)
                })
                .collect();
            prop_assert_eq!(walked, object);
        }

        #[test]
        fn members_of_any_text_end(text in any::<String>()) {
            let object = format!("{{{text}");
            prop_assert!(JsonMembers::of(&object).count() <= text.len() + 1);
        }
    }
}
