//! Tests of the grammar and of its evaluation.

use chrono::{DateTime, FixedOffset};
use proptest::prelude::*;

use super::*;

fn now() -> DateTime<FixedOffset> {
    DateTime::parse_from_rfc3339("2026-03-02T10:00:00-03:00").unwrap()
}

fn condition(text: &str) -> Condition {
    Condition::parse(text, now()).unwrap_or_else(|error| panic!("{error}"))
}

fn holds(text: &str, message: &str) -> bool {
    let time = Record::new(message).time().unwrap_or(0);
    let subject = Subject { record: Record::new(message), time, source: "etl", stream: "run" };
    let condition = condition(text);
    let holds = condition.holds(&subject);
    let found = condition.prefilter().is_none_or(|prefilter| prefilter.find(message.as_bytes(), 0).is_some());
    assert!(found || !holds, "the prefilter of `{text}` misses {message}");
    holds
}

const LINE: &str = r#"{"timestamp":"2026-03-02T03:04:05.007Z","level":"WARN","fields":{"message":"rows rejected","reason":"malformed","rows":12,"seconds":2.5,"path":"a/b"}}"#;

#[test]
fn comparisons_hold_as_documented() {
    for (text, expected) in [
        ("level >= warn and reason = \"malformed\" and seconds > 2", true),
        ("level = WARNING", true),
        ("level > warn", false),
        ("level < error", true),
        ("level != info", true),
        ("level =~ '^W'", true),
        ("rows = 12", true),
        ("rows = 12.0", true),
        ("rows = \"12\"", true),
        ("rows = \"12.0\"", false),
        ("rows != 12", false),
        ("rows >= 100", false),
        ("reason != 12", true),
        ("reason =~ 'mal|dup'", true),
        ("reason !~ mal", false),
        ("message = \"rows rejected\"", true),
        ("path = a/b", true),
        ("fields.path = 'a/b'", true),
        ("nothing = 1", false),
        ("nothing != 1", false),
        ("nothing !~ x", false),
        ("not nothing = 1", true),
        ("not (level = warn or rows = 1)", false),
        ("level = error or level = warn and rows > 100", false),
        ("(level = error or level = warn) and rows > 10", true),
        ("NOT level = error AND source = etl", true),
        ("stream = run", true),
        ("time >= \"2026-03-02 00:04:05\"", true),
        ("time > 2026-03-02T03:04:06Z", false),
        ("time < 1h and time > 1d", true),
    ] {
        assert_eq!(holds(text, LINE), expected, "{text}");
    }
    assert!(holds("duration > 1000", "REPORT RequestId: a\tDuration: 1234.56 ms"));
    assert!(holds("level = error", r#"{"level":50,"msg":"x"}"#));
    assert!(holds("level = error", r#"{"level":"\u0045RROR"}"#), "escaped characters are found");
    assert!(holds("reason = malformed", r#"{"reason":"m\u0061lformed"}"#));
}

#[test]
fn errors_point_at_the_place() {
    let errors: Vec<String> = [
        "",
        "level",
        "level warn",
        "level = loud",
        "level >= warn reason = x",
        "rows > ",
        "(rows > 1",
        "rows > 1)",
        "rows = = 1",
        "rows > 1 and and x = 1",
        "reason = \"malformed",
        "reason =~ \"a(b\"",
        "time > soonish",
        "= 1",
        "rows ! 1",
        "ñandú € 1",
    ]
    .iter()
    .map(|text| Condition::parse(text, now()).unwrap_err().to_string())
    .collect();
    insta::assert_snapshot!(errors.join("\n\n"));
}

#[test]
fn deep_nesting_is_refused() {
    let text = format!("{}rows = 1{}", "(".repeat(100_000), ")".repeat(100_000));
    assert!(Condition::parse(&text, now()).unwrap_err().message().contains("nested"));
    let text = format!("{}rows = 1", "not ".repeat(100_000));
    assert!(Condition::parse(&text, now()).is_err());
}

#[test]
fn completion_offers_what_can_follow() {
    let fields = ["reason".to_owned(), "rows".to_owned()];
    let complete = |text: &str| complete_condition(text, &fields).candidates.join(" ");
    assert_eq!(complete(""), "level message time source stream exception reason rows not");
    assert_eq!(complete("r"), "reason rows");
    assert_eq!(complete("level "), "!= !~ =~ <= >= = < >");
    assert_eq!(complete("level >= "), "trace debug info warn error");
    assert_eq!(complete("level >= w"), "warn");
    assert_eq!(complete("level >= warn "), "and or");
    assert_eq!(complete("level >= warn and (ro"), "rows");
    assert_eq!(complete("rows > "), "");
    assert_eq!(complete_condition("level >= warn and ro", &fields).replaces, 2);
}

/// A condition as text and as its meaning for the fields `a`, `b` and `c`.
fn generated() -> impl Strategy<Value = (String, fn_of_fields::Meaning)> {
    use fn_of_fields::Meaning;
    let leaf = (0..3_usize, 0..6_usize, -3..4_i64).prop_map(|(field, operator, value)| {
        let sign = ["=", "!=", "<", "<=", ">", ">="][operator];
        (format!("{} {sign} {value}", ["a", "b", "c"][field]), Meaning::Compare(field, operator, value))
    });
    leaf.prop_recursive(4, 24, 2, |inner| {
        prop_oneof![
            inner.clone().prop_map(|(text, meaning)| (format!("not ({text})"), Meaning::Not(meaning.into()))),
            (inner.clone(), inner.clone(), any::<bool>()).prop_map(|((left, a), (right, b), is_and)| {
                let word = if is_and { "and" } else { "or" };
                (format!("({left}) {word} ({right})"), Meaning::Both(a.into(), b.into(), is_and))
            }),
        ]
    })
}

mod fn_of_fields {
    #[derive(Debug, Clone)]
    pub(super) enum Meaning {
        Compare(usize, usize, i64),
        Not(Box<Self>),
        Both(Box<Self>, Box<Self>, bool),
    }

    impl Meaning {
        pub(super) fn of(&self, fields: [Option<i64>; 3]) -> bool {
            match self {
                Self::Compare(field, operator, value) => fields[*field].is_some_and(|found| match operator {
                    0 => found == *value,
                    1 => found != *value,
                    2 => found < *value,
                    3 => found <= *value,
                    4 => found > *value,
                    _ => found >= *value,
                }),
                Self::Not(inner) => !inner.of(fields),
                Self::Both(left, right, true) => left.of(fields) && right.of(fields),
                Self::Both(left, right, false) => left.of(fields) || right.of(fields),
            }
        }
    }
}

proptest! {
    #[test]
    fn condition_means_what_it_says((text, meaning) in generated(), fields in prop::array::uniform3(prop::option::of(-3..4_i64)), is_json in any::<bool>()) {
        let pairs = ["a", "b", "c"].iter().zip(fields).filter_map(|(name, value)| Some((name, value?)));
        let message = if is_json {
            let members: Vec<String> = pairs.map(|(name, value)| format!("\"{name}\":{value}")).collect();
            format!("{{{}}}", members.join(","))
        } else {
            pairs.map(|(name, value)| format!("{name}={value}")).collect::<Vec<_>>().join(" ")
        };
        prop_assert_eq!(holds(&text, &message), meaning.of(fields), "{} of {}", text, message);
    }

    #[test]
    fn any_text_is_a_condition_or_an_error_inside_it(text in any::<String>()) {
        if let Err(error) = Condition::parse(&text, now()) {
            prop_assert!(error.position() <= error.to_string().chars().count());
            prop_assert!(!error.message().is_empty());
        }
        _ = complete_condition(&text, &[]);
    }

    #[test]
    fn any_value_in_quotes_is_found_in_json(value in "[^\"\\\\]{0,20}") {
        let message = serde_json::json!({ "field": value }).to_string();
        prop_assert!(holds(&format!("field = \"{value}\""), &message), "{}", message);
    }
}
