//! The expected rows of `loaded_checks`, grouped in memory instead of by SQL.

use std::collections::BTreeMap;

use sqlx::postgres::PgConnection;

use crate::expected::Rows;
use crate::model::Field;

/// In the order of the report.
const OUTCOMES: [&str; 4] = ["failed", "accepted", "skipped", "passed"];
const DATASETS: [&str; 6] = ["provinces", "departments", "cases", "tests", "vaccinations", "doses"];

type Check = (String, String, String, String, Option<f64>, Option<f64>);

/// Returns every check that did not pass, and the number of passed checks of each dataset.
pub(crate) async fn loaded_checks(connection: &mut PgConnection) -> Rows {
    let checks: Vec<Check> = sqlx::query_as(
        "SELECT outcome, dataset, check_name, subject, measured, threshold
         FROM run_check JOIN release USING (run_id) JOIN published_release USING (release_id)",
    )
    .fetch_all(connection)
    .await
    .unwrap();
    let position = |of: &[&str], name: &str| of.iter().position(|known| *known == name).unwrap();
    let mut rows: BTreeMap<(usize, usize, String, String), Vec<Field>> = BTreeMap::new();
    let mut passed: BTreeMap<usize, usize> = BTreeMap::new();
    for (outcome, dataset, check, subject, measured, threshold) in checks {
        let (order, of) = (position(&OUTCOMES, &outcome), position(&DATASETS, &dataset));
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
