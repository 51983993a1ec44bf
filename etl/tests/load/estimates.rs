//! The estimates of releases: written with their release, kept as history, and used by later releases.

use chrono::{Days, NaiveDate};

use crate::fixture::{CSV, Fixture};
use crate::outcome::value;
use crate::rows::{Row, file, row};

const FIRST: NaiveDate = NaiveDate::from_ymd_opt(2021, 3, 1).expect("a valid date");
const DAYS: u64 = 120;

/// Returns the day this many days after the first day of symptoms.
fn day(number: u64) -> NaiveDate {
    FIRST.checked_add_days(Days::new(number)).unwrap()
}

/// Returns the rows of a release with the registrations up to a day: twenty cases with symptoms on each day, registered after 0 to 9 days, and
/// five without a date of symptoms.
fn release(as_of: u64) -> Vec<Row> {
    let mut rows = Vec::new();
    for (symptoms, nth) in (0..DAYS).flat_map(|day| (0..25).map(move |nth| (day, nth))) {
        let registered = symptoms + if nth < 20 { nth % 10 } else { 0 };
        if registered > as_of {
            continue;
        }
        let mut row = row(u32::try_from(symptoms * 25 + nth).unwrap());
        row[8] = (nth < 20).then(|| day(symptoms).to_string());
        row[9] = Some(day(registered).to_string());
        row[15] = None;
        row[20] = Some("Confirmado".to_owned());
        row[21] = Some("06".to_owned());
        row[24] = Some(day(as_of + 1).to_string());
        rows.push(row);
    }
    rows
}

#[tokio::test]
async fn releases_keep_a_history_of_estimates_until_they_are_rolled_back() {
    let fixture = Fixture::new().await;
    let rows = |table: &str| format!("SELECT count(*) FROM {table}");
    for as_of in [80, 90, 110] {
        fixture.replace(CSV, file(&release(as_of)));
        fixture.run(&["--years", "all", "--keep-releases", "0", "--retire-after", "0s"]).succeeded();
    }
    let mut connection = fixture.connect().await;
    // The country and Buenos Aires, by day.
    assert_eq!(value::<i64>(&mut connection, &rows("daily_estimates()")).await, 2 * 111);
    let incomplete = "SELECT string_agg(DISTINCT format('%s %s %s', expected BETWEEN 24.5 AND 25.5, low <= 25, high >= 25), ',')
         FROM daily_estimates() WHERE day > as_of - 9";
    assert_eq!(value::<String>(&mut connection, incomplete).await, "t t t");
    let number = "SELECT round(r_mean::numeric, 1)::text FROM daily_estimates()
         WHERE province_id = 6 AND r_mean IS NOT NULL ORDER BY day DESC LIMIT 1";
    assert_eq!(value::<String>(&mut connection, number).await, "1.0");
    // All days of the release that the published one is compared with, and 60 days of those before.
    let history = "SELECT string_agg(format('%s %s', as_of, count), ' ' ORDER BY as_of) FROM (
         SELECT as_of, count(*) FROM release_history() JOIN daily_estimate USING (run_id, as_of) GROUP BY 1) AS history";
    let expected = format!("{} 120 {} 182 {} 222", day(80), day(90), day(110));
    assert_eq!(value::<String>(&mut connection, history).await, expected);
    let compared = "SELECT format('%s %s', count(DISTINCT as_of), bool_and(reported_since BETWEEN low AND high)) FROM past_estimates()";
    assert_eq!(value::<String>(&mut connection, compared).await, "2 t");

    fixture.execute("UPDATE release SET rolled_back = true WHERE publication = 2").await;
    assert_eq!(value::<i64>(&mut connection, &rows("release_history()")).await, 2);
}

/// A release of few days has no nowcast, and questions about it say so.
#[tokio::test]
async fn release_of_two_weeks_has_no_nowcast_but_a_fatality() {
    let fixture = Fixture::new().await;
    fixture.put(CSV, file(&release(14)));
    fixture.run(&["--years", "all"]).succeeded();
    let mut connection = fixture.connect().await;
    assert_eq!(value::<i64>(&mut connection, "SELECT count(*) FROM daily_estimates()").await, 0);
    assert_eq!(value::<i64>(&mut connection, "SELECT count(*) FROM wave_estimates()").await, 0);
    assert!(value::<i64>(&mut connection, "SELECT count(*) FROM fatality_estimates()").await > 1);
    let incidence = "SELECT string_agg(format('%s %s %s %s', coalesce(province_id, 0), year, confirmed, standardised BETWEEN low AND high), ', '
                                       ORDER BY province_id NULLS FIRST) FROM incidence_estimates()";
    let confirmed = release(14).len();
    assert_eq!(
        value::<String>(&mut connection, incidence).await,
        format!("0 2021 {confirmed} t, 6 2021 {confirmed} t")
    );
    let crude = "SELECT abs(crude - 100000.0 * confirmed / population) < 1e-9 AND population = 17417715
                 FROM incidence_estimates() WHERE province_id = 6";
    let people = "SELECT sum(population)::bigint FROM age_population WHERE province_id = 6";
    let crude = crude.replace("17417715", &value::<i64>(&mut connection, people).await.to_string());
    assert!(value::<bool>(&mut connection, &crude).await);
}
