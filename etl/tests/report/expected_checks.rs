//! The rows that the question on the checks of the published load must give, grouped here and not by SQL.

use std::collections::BTreeMap;

use sqlx::postgres::PgConnection;

use crate::expected::Rows;
use crate::model::Field;

/// As the report orders them.
const OUTCOMES: [&str; 4] = ["failed", "accepted", "skipped", "passed"];
const DATASETS: [&str; 5] = ["provinces", "departments", "cases", "tests", "vaccinations"];

type Check = (String, String, String, String, Option<f64>, Option<f64>);

/// Every check that did not pass, and how many did for each dataset.
pub(crate) async fn loaded_checks(connection: &mut PgConnection) -> Rows {
    let checks: Vec<Check> = sqlx::query_as(
        "SELECT outcome, dataset, check_name, subject, measured, threshold
         FROM run_check JOIN release USING (run_id) JOIN published_release USING (release_id)",
    )
    .fetch_all(connection)
    .await
    .unwrap();
    let place = |of: &[&str], name: &str| of.iter().position(|known| *known == name).unwrap();
    let mut rows: BTreeMap<(usize, usize, String, String), Vec<Field>> = BTreeMap::new();
    let mut passed: BTreeMap<usize, usize> = BTreeMap::new();
    for (outcome, dataset, check, subject, measured, threshold) in checks {
        let (order, of) = (place(&OUTCOMES, &outcome), place(&DATASETS, &dataset));
        if outcome == "passed" {
            *passed.entry(of).or_default() += 1;
            continue;
        }
        let figure = |figure: Option<f64>| figure.map_or(Field::Nothing, Field::Number);
        let shown = if subject.is_empty() { Field::Nothing } else { Field::text(&subject) };
        let row = vec![
            Field::text(dataset),
            Field::text(outcome),
            Field::text(&check),
            shown,
            figure(measured),
            figure(threshold),
            Field::count(1),
        ];
        // Without a subject last, as SQL orders nulls.
        let subject = if subject.is_empty() { "\u{10ffff}".to_owned() } else { subject };
        rows.insert((order, of, check, subject), row);
    }
    let passed = passed.into_iter().map(|(of, checks)| {
        let nothing = || Field::Nothing;
        let (dataset, outcome) = (Field::text(DATASETS[of]), Field::text("passed"));
        vec![dataset, outcome, nothing(), nothing(), nothing(), nothing(), Field::count(checks)]
    });
    rows.into_values().chain(passed).collect()
}
