//! The aggregates of a load equal those that PostgreSQL computes from the published cases.

use sqlx::PgConnection;

use crate::fixture::{CSV, Fixture};
use crate::model::{self, Years};
use crate::outcome::value;
use crate::rows::{MINISTRY, georef, row};

/// Each kind of aggregate: its key, its numbers, the load's rows, and the query that computes them.
const KINDS: [(&str, &str, &str, &str); 4] = [
    (
        "registered_on, residence_province_id, sex, age_decade, classification",
        "sum(cases), sum(admitted), sum(icu), sum(ventilated), sum(died)",
        "case_counts()",
        "count_cases()",
    ),
    (
        "registered_on, registration_province_id, residence_province_id, residence_department_id",
        "sum(confirmed), sum(died)",
        "place_counts()",
        "count_places()",
    ),
    ("registered_on, symptoms_on", "sum(confirmed)", "delay_counts()", "count_delays()"),
    ("contradiction", "sum(cases)", "contradiction_counts()", "count_contradictions()"),
];

/// Panics if the load's aggregates differ from PostgreSQL's.
pub(crate) async fn must_be_right(connection: &mut PgConnection) {
    for (key, numbers, kept, now) in KINDS {
        let of = |function| format!("(SELECT {key}, {numbers} FROM {function} GROUP BY {key})");
        let (kept, now) = (of(kept), of(now));
        let wrong: Option<String> = value(
            connection,
            &format!(
                "SELECT string_agg(line::text, ' ') FROM ({kept} EXCEPT ALL {now} UNION ALL ({now} EXCEPT ALL {kept})) AS line"
            ),
        )
        .await;
        assert_eq!(wrong, None, "counted wrongly, by {key}");
    }
}

/// With more words than the interner holds, aggregates are written in several parts, and a key has several rows.
#[tokio::test]
async fn counts_in_parts_add_up() {
    let mut text = MINISTRY.header();
    for number in 0..6000 {
        let mut row = row(1);
        row[0] = Some((number + 1).to_string());
        row[1] = Some(format!("sex {}", number % 1500));
        text += &MINISTRY.line(&row);
    }
    let fixture = Fixture::new().await;
    fixture.put(CSV, &text);
    fixture.load("all").await.must_be(&model::load(text.as_bytes(), &georef(), &Years::All), "words");
    let lines: i64 = value(&mut fixture.connect().await, "SELECT count(*) FROM case_count").await;
    assert!((1501..=6000).contains(&lines), "{lines} lines for 1500 keys");
}
