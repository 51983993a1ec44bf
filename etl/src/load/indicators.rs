//! Writes the estimates of a load, and reads what earlier releases said.

use std::collections::BTreeMap;

use chrono::NaiveDate;
use sqlx::postgres::PgConnection;
use uuid::Uuid;

use super::copy::BinaryCopy;
use crate::aggregates::reference_days::{MAX_DELAY, ReferenceDays};
use crate::clean::encoding::value;
use crate::database::DbContext as _;
use crate::indicators::incidence::{self, Incidence, Population};
use crate::indicators::{self, AgeFatality, AgeGroup, DayEstimate, Indicators, PastReport, Wave};
use common::failure::{Context as _, Result};

/// The tables of the estimates that only kept releases need; [`DAILY`] has a history.
pub const TABLES: [&str; 3] = ["fatality_estimate", "wave_estimate", "incidence_estimate"];
/// The table of the estimates by day.
pub const DAILY: &str = "daily_estimate";

/// Bytes of a message.
const PIECE: usize = 64 << 10;
/// Days before 2000-01-01 in the calendar of PostgreSQL.
const EPOCH: NaiveDate = NaiveDate::from_ymd_opt(2000, 1, 1).expect("a valid date");

const WHAT: &str = "cannot write the estimates";

/// Estimates from the counts of a load and writes the rows.
pub async fn write(session: &mut PgConnection, run_id: Uuid, counts: ReferenceDays) -> Result<()> {
    let past = past_reports(session, run_id).await?;
    let populations = populations(session).await?;
    let work = move || (indicators::estimate(&counts, &past), incidence::by_province(&counts, &populations));
    let (estimated, incidence) =
        tokio::task::spawn_blocking(work).await.context(|| "cannot compute the estimates".to_owned())?;
    let columns = "province_id, year, confirmed, population, crude, standardised, low, high";
    copy(session, (TABLES[2], columns), run_id, incidence.iter(), encode_incidence).await?;
    let Some(Indicators { as_of, days, fatality, waves }) = estimated else { return Ok(()) };
    let columns = "as_of, province_id, day, reported, undated, share_reported, expected, low, median, high, \
                   window_cases, r_mean, r_sd, r_q025, r_median, r_q975, r_seven_day";
    let day = |row: &DayEstimate, out: &mut Vec<u8>| encode_day(row, as_of, out);
    copy(session, (DAILY, columns), run_id, days.iter(), day).await?;
    let columns = "age_group, age_decade, confirmed, died, outcomes, naive, naive_low, naive_high, \
                   corrected, corrected_low, corrected_high, delay_mean, delay_deaths";
    copy(session, (TABLES[0], columns), run_id, fatality.iter(), encode_fatality).await?;
    let columns = "wave, starts_on, peak_on, ends_on, peak_level, is_confirmed, confirmed, died";
    copy(session, (TABLES[1], columns), run_id, (1..).zip(&waves), encode_wave).await
}

/// Reads what the releases before this load said about the days that can still change.
async fn past_reports(session: &mut PgConnection, run_id: Uuid) -> Result<Vec<PastReport>> {
    let rows: Vec<(NaiveDate, Option<i16>, NaiveDate, i64)> = sqlx::query_as(
        "SELECT history.as_of, province_id, day, reported - undated
         FROM release_history() AS history JOIN daily_estimate USING (run_id), pipeline_run AS load
         WHERE load.run_id = $1 AND history.as_of BETWEEN load.dataset_updated_on - 2 * $2 AND load.dataset_updated_on
           AND day > history.as_of - $2",
    )
    .bind(run_id)
    .bind(i32::try_from(MAX_DELAY).unwrap_or(i32::MAX))
    .fetch_all(session)
    .await
    .db_context("cannot read the estimates of earlier releases")?;
    let report = |(as_of, province, day, dated)| PastReport {
        as_of,
        province,
        day,
        dated: u32::try_from(dated).unwrap_or_default(),
    };
    Ok(rows.into_iter().map(report).collect())
}

/// Reads the people of each province by decade of age.
async fn populations(session: &mut PgConnection) -> Result<BTreeMap<i16, Population>> {
    let rows: Vec<(i16, i32, i64)> = sqlx::query_as(
        "SELECT province_id, least(age / 10, 9)::integer, sum(population)::bigint FROM age_population GROUP BY 1, 2",
    )
    .fetch_all(session)
    .await
    .db_context("cannot read the populations")?;
    let mut populations: BTreeMap<i16, Population> = BTreeMap::new();
    for (province, decade, people) in rows {
        let decade = usize::try_from(decade).unwrap_or_default();
        if let Some(sum) = populations.entry(province).or_default().get_mut(decade) {
            *sum += people.unsigned_abs();
        }
    }
    Ok(populations)
}

async fn copy<T>(
    session: &mut PgConnection,
    (table, columns): (&str, &str),
    run_id: Uuid,
    rows: impl Iterator<Item = T>,
    encode: impl Fn(T, &mut Vec<u8>),
) -> Result<()> {
    let fields = i16::try_from(1 + columns.split(',').count()).unwrap_or_default();
    let mut copy =
        BinaryCopy::begin(session, &format!("public.{table}"), &format!("run_id, {columns}"), WHAT).await?;
    let mut piece = Vec::with_capacity(PIECE);
    for row in rows {
        piece.extend_from_slice(&fields.to_be_bytes());
        value(&mut piece, Some(run_id.into_bytes()));
        encode(row, &mut piece);
        if piece.len() >= PIECE {
            copy.send(&piece).await?;
            piece.clear();
        }
    }
    copy.send(&piece).await?;
    copy.finish().await.map(drop)
}

fn encode_day(row: &DayEstimate, as_of: NaiveDate, out: &mut Vec<u8>) {
    date(out, as_of);
    value(out, row.province.map(i16::to_be_bytes));
    date(out, row.day);
    bigint(out, row.reported);
    bigint(out, row.undated);
    double(out, Some(row.share_reported));
    double(out, Some(row.expected));
    bigint(out, row.low);
    bigint(out, row.median);
    bigint(out, row.high);
    double(out, row.reproduction.map(|reproduction| reproduction.cases));
    let posterior = row.reproduction.map(|reproduction| reproduction.posterior);
    double(out, posterior.map(|posterior| posterior.mean));
    double(out, posterior.map(|posterior| posterior.sd));
    double(out, posterior.map(|posterior| posterior.q025));
    double(out, posterior.map(|posterior| posterior.median));
    double(out, posterior.map(|posterior| posterior.q975));
    double(out, row.seven_day);
}

fn encode_fatality(row: &AgeFatality, out: &mut Vec<u8>) {
    let (group, decade) = match row.age {
        AgeGroup::Decade(decade) => ("decade", Some(decade)),
        AgeGroup::Unknown => ("unknown", None),
        AgeGroup::All => ("all", None),
    };
    let fatality = &row.fatality;
    value(out, Some(group));
    value(out, decade.map(i16::to_be_bytes));
    bigint(out, fatality.cases);
    bigint(out, fatality.deaths);
    double(out, Some(fatality.outcomes));
    for estimate in [fatality.naive, fatality.corrected] {
        double(out, estimate.map(|estimate| estimate.value));
        double(out, estimate.map(|estimate| estimate.low));
        double(out, estimate.map(|estimate| estimate.high));
    }
    double(out, Some(row.delay.mean));
    bigint(out, row.delay.deaths);
}

fn encode_incidence(row: &Incidence, out: &mut Vec<u8>) {
    value(out, row.province.map(i16::to_be_bytes));
    value(out, Some(i16::try_from(row.year).unwrap_or_default().to_be_bytes()));
    bigint(out, row.confirmed);
    bigint(out, row.population);
    for number in [row.crude, row.standardised.value, row.standardised.low, row.standardised.high] {
        double(out, Some(number));
    }
}

fn encode_wave((number, wave): (i16, &Wave), out: &mut Vec<u8>) {
    value(out, Some(number.to_be_bytes()));
    for day in [wave.starts_on, wave.peak_on, wave.ends_on] {
        date(out, day);
    }
    double(out, Some(wave.peak_level));
    value(out, Some([u8::from(wave.is_confirmed)]));
    bigint(out, wave.cases);
    bigint(out, wave.died);
}

fn date(out: &mut Vec<u8>, day: NaiveDate) {
    let days = i32::try_from((day - EPOCH).num_days()).unwrap_or_default();
    value(out, Some(days.to_be_bytes()));
}

fn bigint(out: &mut Vec<u8>, number: u64) {
    value(out, Some(i64::try_from(number).unwrap_or(i64::MAX).to_be_bytes()));
}

fn double(out: &mut Vec<u8>, number: Option<f64>) {
    value(out, number.map(f64::to_be_bytes));
}
