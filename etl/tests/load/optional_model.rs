//! A second implementation of the rules for the optional files (`docs/reference/cleaning-rules.md`), with ordinary strings.
//!
//! It shares no code with the pipeline's parser or rules. Rows are compared as sorted texts.

use std::collections::{BTreeMap, HashSet};

use chrono::{Datelike as _, NaiveDate};
use etl::sample::{Consequence, FileSummary};
use sqlx::{AssertSqlSafe, PgConnection};
use uuid::Uuid;

use crate::model::Georef;
use crate::model_reader;

/// The outcome of a dataset.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Dataset {
    pub(crate) read: i64,
    pub(crate) filtered: i64,
    pub(crate) loaded: i64,
    pub(crate) rejected: i64,
    pub(crate) repaired: i64,
    /// The number of each `kind reason`.
    pub(crate) issues: BTreeMap<String, i64>,
    /// `line reason`.
    pub(crate) rejects: Vec<String>,
    /// The table's rows, with fields joined by `|` and empty for NULL.
    pub(crate) rows: Vec<String>,
}

pub(crate) enum Fate {
    Filtered,
    Rejected(&'static str),
    Kept(Vec<String>, Vec<&'static str>),
}

impl Dataset {
    /// Reads the outcome of a run from the database.
    pub(crate) async fn of(connection: &mut PgConnection, run: Uuid, dataset: &str) -> Self {
        let counts: (i64, i64, i64, i64, i64) = sqlx::query_as(
            "SELECT rows_read, rows_filtered, rows_loaded, rows_rejected, rows_repaired FROM run_dataset
             WHERE run_id = $1 AND dataset = $2 AND status = 'loaded'",
        )
        .bind(run)
        .bind(dataset)
        .fetch_one(&mut *connection)
        .await
        .unwrap();
        let issues: Vec<(String, i64)> = sqlx::query_as(
            "SELECT kind || ' ' || reason, rows FROM run_issue WHERE run_id = $1 AND dataset = $2",
        )
        .bind(run)
        .bind(dataset)
        .fetch_all(&mut *connection)
        .await
        .unwrap();
        let rejects = sqlx::query_scalar(
            "SELECT line || ' ' || reason FROM rejected_row WHERE run_id = $1 AND dataset = $2 ORDER BY line",
        );
        let rejects = rejects.bind(run).bind(dataset).fetch_all(&mut *connection).await.unwrap();
        Self {
            read: counts.0,
            filtered: counts.1,
            loaded: counts.2,
            rejected: counts.3,
            repaired: counts.4,
            issues: issues.into_iter().collect(),
            rejects,
            rows: published(connection, dataset).await,
        }
    }

    /// Adds the rows of a file with the outcome of each.
    pub(crate) fn judged(text: &[u8], mut judge: impl FnMut(&BTreeMap<String, String>) -> Fate) -> Self {
        let mut rows = model_reader::rows(text).into_iter();
        let names = rows.next().and_then(|header| header.fields).unwrap();
        let mut dataset = Self::default();
        for row in rows {
            dataset.read += 1;
            let fate = row.fields.as_ref().map_or(Fate::Rejected("malformed"), |fields| {
                judge(
                    &names
                        .iter()
                        .zip(fields)
                        .map(|(name, field)| {
                            (name.to_lowercase().replace(' ', "_"), field.trim_ascii().to_owned())
                        })
                        .collect(),
                )
            });
            match fate {
                Fate::Filtered => dataset.filtered += 1,
                Fate::Rejected(reason) => {
                    dataset.rejected += 1;
                    *dataset.issues.entry(format!("rejected {reason}")).or_default() += 1;
                    dataset.rejects.push(format!("{} {reason}", row.line));
                }
                Fate::Kept(lines, repairs) => {
                    dataset.loaded += 1;
                    dataset.rows.extend(lines);
                    for repair in repairs {
                        dataset.repaired += 1;
                        *dataset.issues.entry(format!("repaired {repair}")).or_default() += 1;
                    }
                }
            }
        }
        dataset.rows.sort();
        dataset
    }
}

/// Returns the rows that readers see.
pub(crate) async fn published(connection: &mut PgConnection, dataset: &str) -> Vec<String> {
    let function = if dataset == "tests" { "test_counts" } else { "vaccination_counts" };
    let columns = if dataset == "tests" {
        "coalesce(tested_on::text, ''), coalesce(province_id::text, ''), coalesce(department_id::text, ''),
         coalesce(funding, ''), coalesce(laboratory, ''), tests, positives"
    } else {
        "coalesce(province_id::text, ''), vaccine, dose, doses"
    };
    let query = format!("SELECT concat_ws('|', {columns}) FROM {function}()");
    let mut rows: Vec<String> = sqlx::query_scalar(AssertSqlSafe(query)).fetch_all(connection).await.unwrap();
    rows.sort();
    rows
}

pub(crate) fn known(text: &str) -> Option<&str> {
    Some(text).filter(|text| !matches!(*text, "" | "NA"))
}

pub(crate) fn date(text: &str) -> Option<NaiveDate> {
    let plain = text.len() == 10 && text.bytes().all(|byte| byte.is_ascii_digit() || byte == b'-');
    text.parse().ok().filter(|_| plain)
}

pub(crate) fn digits(text: &str) -> Option<u64> {
    Some(text).filter(|text| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit()))?.parse().ok()
}

/// Parses a quantity: `1.234` is `1234`; ten digits are too many.
fn quantity(text: &str) -> Option<i64> {
    let groups: Vec<&str> = text.split('.').collect();
    let grouped = groups.len() > 1;
    if grouped && (!(1..=3).contains(&groups[0].len()) || groups[1..].iter().any(|group| group.len() != 3)) {
        return None;
    }
    digits(&groups.concat())
        .and_then(|number| i64::try_from(number).ok())
        .filter(|number| *number < 1_000_000_000)
}

pub(crate) fn province(
    text: &str,
    georef: &Georef,
    reason: &'static str,
    repairs: &mut Vec<&'static str>,
) -> Option<i16> {
    let text = known(text).filter(|text| *text != "S.I.")?;
    let code = digits(text);
    if matches!(code, Some(0 | 99)) {
        return None;
    }
    let found =
        code.and_then(|code| i16::try_from(code).ok()).filter(|code| georef.provinces.contains_key(code));
    repairs.extend(found.is_none().then_some(reason));
    found
}

pub(crate) fn collapsed(text: &str) -> String {
    text.split_ascii_whitespace().collect::<Vec<_>>().join(" ")
}

pub(crate) fn shown(value: Option<impl ToString>) -> String {
    value.map_or_else(String::new, |value| value.to_string())
}

/// `Covid19Determinaciones`; `years` is `None` for all.
pub(crate) fn tests(text: &[u8], georef: &Georef, years: Option<&[i32]>, dataset_date: &str) -> Dataset {
    Dataset::judged(text, |row| {
        let last = date(&row["ultima_actualizacion"]).or_else(|| date(dataset_date)).unwrap();
        let first = date("2020-01-01").unwrap();
        let Some(day) = date(&row["fecha"]).filter(|day| *day >= first && *day <= last) else {
            return Fate::Rejected("invalid_test_date");
        };
        if years.is_some_and(|years| !years.contains(&day.year())) {
            return Fate::Filtered;
        }
        let Some(tests) = quantity(&row["total"]) else { return Fate::Rejected("invalid_tests") };
        let Some(positives) = known(&row["positivos"]).map_or(Some(0), quantity) else {
            return Fate::Rejected("invalid_positives");
        };
        if positives > tests {
            return Fate::Rejected("more_positives_than_tests");
        }
        let mut repairs = Vec::new();
        let province =
            province(&row["codigo_indec_provincia"], georef, "unknown_test_province", &mut repairs);
        let department = known(&row["codigo_indec_departamento"])
            .filter(|code| digits(code) != Some(0))
            .and_then(|code| {
                let code = digits(code).zip(province).and_then(|(code, province)| match (province, code) {
                    (2, code) => code.checked_mul(7),
                    (94, 14) => Some(15),
                    (94, 7) => Some(8),
                    (_, code) => Some(code),
                });
                let full = code
                    .filter(|code| *code < 1000)
                    .zip(province)
                    .map(|(code, province)| i32::from(province) * 1000 + i32::try_from(code).unwrap())
                    .filter(|full| georef.departments.contains_key(full));
                repairs.extend(full.is_none().then_some("unknown_test_department"));
                full
            });
        let words = |name: &str| known(&row[name]).map(collapsed);
        let funding = if row.contains_key("origen_financiamiento") {
            words("origen_financiamiento")
        } else {
            words("origen_de_financiamiento")
        };
        let line = [
            day.to_string(),
            shown(province),
            shown(department),
            shown(funding),
            shown(words("tipo")),
            tests.to_string(),
            positives.to_string(),
        ];
        Fate::Kept(vec![line.join("|")], repairs)
    })
}

/// `Covid19VacunasAgrupadas`.
pub(crate) fn vaccinations(text: &[u8], georef: &Georef) -> Dataset {
    let mut seen = HashSet::new();
    Dataset::judged(text, |row| {
        let Some(vaccine) = known(&row["vacuna_nombre"]).map(collapsed).filter(|name| name.len() <= 200)
        else {
            return Fate::Rejected("invalid_vaccine");
        };
        let kinds = [
            ("primera_dosis", "first"),
            ("segunda_dosis", "second"),
            ("dosis_unica", "single"),
            ("dosis_adicional", "additional"),
            ("dosis_refuerzo", "booster"),
        ];
        let mut counts = Vec::new();
        for (column, dose) in kinds {
            match row.get(&format!("{column}_cantidad")).and_then(|text| known(text)).map(quantity) {
                None => {}
                Some(Some(doses)) => counts.push((dose, doses)),
                Some(None) => return Fate::Rejected("invalid_doses"),
            }
        }
        let mut repairs = Vec::new();
        let code = &row["jurisdiccion_codigo_indec"];
        let province = province(code, georef, "unknown_vaccination_province", &mut repairs);
        if !seen.insert((province, vaccine.clone())) {
            return Fate::Rejected("duplicate_vaccine");
        }
        let line = |(dose, doses): (&str, i64)| format!("{}|{vaccine}|{dose}|{doses}", shown(province));
        Fate::Kept(counts.into_iter().map(line).collect(), repairs)
    })
}

/// Returns what a sample says that a correct load counts, as [`Dataset::issues`].
pub(crate) fn planted(summary: &FileSummary) -> BTreeMap<String, i64> {
    let issue = |(consequence, rows): &(Consequence, u64)| {
        let issue = match consequence {
            Consequence::Rejected(reason) => format!("rejected {reason}"),
            Consequence::Repaired(reason) => format!("repaired {reason}"),
            Consequence::Kept => panic!("what is kept is not counted"),
        };
        (issue, i64::try_from(*rows).unwrap())
    };
    summary.planted.iter().map(issue).collect()
}
