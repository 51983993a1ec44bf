//! The checks themselves: pure functions from figures to sentences.

use super::{Candidate, Check, CheckOutcome, OptionalFigures, Published, Thresholds};
use crate::clean::missing::Column;
use crate::clean::years::Years;
use crate::dataset::Dataset;
use crate::parse::date::Day;
use crate::tally::{IssueKind, RowCounts, Tally};

/// The checks of the line list.
pub(super) fn of_cases(
    candidate: &Candidate<'_>,
    published: Option<&Published>,
    limits: &Thresholds,
) -> Vec<Check> {
    let dataset = Dataset::Cases;
    let mut checks = vec![not_empty(dataset, candidate.tally.loaded)];
    checks.extend(published.map(|published| dataset_date(candidate.dataset_date, published)));
    checks.push(rejected(dataset, candidate.tally.cases(), limits));
    checks.push(unknown_classifications(candidate, limits));
    if let Some(published) = published {
        for (year, before) in published.profile.years() {
            if wanted(candidate.years, Some(year)) {
                let now = candidate.profile.share(Column::Sex, |other| other == year).0;
                checks.push(rows_of_year(dataset, Some(year), now, before.rows, limits));
            }
        }
    }
    for column in Column::ALL.into_iter().filter(|column| *column != Column::UnknownClassification) {
        let before = published.filter(|published| published.knows_missing).map(|published| {
            let years = |year| published.profile.years().any(|(other, _)| other == year);
            let now = candidate.profile.share(column, years);
            let in_both = |year| candidate.profile.years().any(|(other, _)| other == year);
            (published.profile.share(column, in_both), now)
        });
        let repaired = repaired_by_column(candidate.tally, dataset, column.name());
        checks.push(missing(dataset, column.name(), before, (repaired, candidate.tally.loaded), limits));
    }
    checks
}

/// The checks of the reference tables.
pub(super) fn of_georef(candidate: &Candidate<'_>, published: Option<&Published>) -> Vec<Check> {
    let mut checks = Vec::new();
    for (dataset, counts) in candidate.georef {
        checks.push(not_empty(dataset, counts.loaded));
        if dataset == Dataset::Provinces {
            let message = format!("{} of the provinces' rows were rejected, none may be", counts.rejected);
            let figures = Some((to_float(counts.rejected), 0.0));
            checks.push(check(dataset, "rejected_rows", "", figures, counts.rejected == 0, message));
        }
        if let Some(&before) = published.and_then(|published| published.georef.get(&dataset)) {
            let message =
                format!("the {} have {} rows, {before} are published", dataset.name(), counts.loaded);
            let figures = Some((to_float(counts.loaded), to_float(before)));
            checks.push(check(dataset, "rows", "", figures, counts.loaded >= before, message));
        }
    }
    checks
}

/// The checks of an optional dataset.
pub(super) fn of_optional(
    (dataset, counts, figures): &(Dataset, RowCounts, OptionalFigures),
    candidate: &Candidate<'_>,
    published: Option<&Published>,
    limits: &Thresholds,
) -> Vec<Check> {
    let dataset = *dataset;
    let mut checks = vec![not_empty(dataset, counts.loaded), rejected(dataset, *counts, limits)];
    let before = published.and_then(|published| published.optional.get(&dataset));
    if let Some(before) = before {
        for (year, (rows, _)) in &before.years {
            // The requested years filter no doses.
            if dataset == Dataset::Doses || wanted(candidate.years, *year) {
                let now = figures.years.get(year).map_or(0, |year| year.0);
                checks.push(rows_of_year(dataset, *year, now, *rows, limits));
            }
        }
    }
    for column in figures.columns() {
        let shares = before.map(|before| {
            let now = figures.share(column, |year| before.years.contains_key(&year));
            (before.share(column, |year| figures.years.contains_key(&year)), now)
        });
        let repaired = repaired_by_column(candidate.tally, dataset, column);
        checks.push(missing(dataset, column, shares, (repaired, counts.loaded), limits));
    }
    checks
}

fn not_empty(dataset: Dataset, loaded: u64) -> Check {
    let message = match loaded {
        0 => format!("no row of the {} was loaded", dataset.name()),
        _ => format!("{loaded} rows of the {} were loaded", dataset.name()),
    };
    let check = check(dataset, "not_empty", "", Some((to_float(loaded), 1.0)), loaded > 0, message);
    Check { acceptable: dataset.is_optional(), ..check }
}

fn rejected(dataset: Dataset, counts: RowCounts, limits: &Thresholds) -> Check {
    let (rejected, all) = (counts.rejected, counts.loaded + counts.rejected);
    let percent = percent(rejected, all);
    let limit = limits.max_rejected_percent;
    let message = format!(
        "{rejected} of {all} rows ({percent:.1} %) of the {} were rejected, at most {limit} % may be",
        dataset.name()
    );
    check(dataset, "rejected_percent", "", Some((percent, limit)), percent <= limit, message)
}

fn unknown_classifications(candidate: &Candidate<'_>, limits: &Thresholds) -> Check {
    let (rows, unknown) = candidate.profile.share(Column::UnknownClassification, |_| true);
    let percent = percent(unknown, rows);
    let limit = limits.max_unknown_classification_percent;
    let message = format!(
        "{unknown} of {rows} cases ({percent:.1} %) have a classification other than the ministry's four, at most {limit} % may"
    );
    let name = "unknown_classification_percent";
    check(Dataset::Cases, name, "", Some((percent, limit)), percent <= limit, message)
}

fn dataset_date(date: Day, published: &Published) -> Check {
    let date = chrono::NaiveDate::from(date);
    let check = |passed, message| check(Dataset::Cases, "dataset_date", "", None, passed, message);
    let Some(before) = published.dataset_date else {
        let check = check(true, "the date of the published dataset is not known".to_owned());
        return Check { outcome: CheckOutcome::Skipped, ..check };
    };
    check(date >= before, format!("the dataset is of {date}, the published one of {before}"))
}

fn rows_of_year(dataset: Dataset, year: Option<i32>, now: u64, before: u64, limits: &Thresholds) -> Check {
    let percent = percent(now, before);
    let limit = limits.min_rows_percent;
    let (subject, of_year) =
        year.map_or_else(Default::default, |year| (year.to_string(), format!(" of {year}")));
    let message = format!(
        "the {}{of_year} have {now} rows, {before} are published ({percent:.1} %, at least {limit} % are required)",
        dataset.name()
    );
    let passed = before == 0 || percent >= limit;
    check(dataset, "rows_percent", &subject, Some((percent, limit)), passed, message)
}

/// Compares a column's share of missing values with the published one in the years that both have; without such years, its
/// share of repaired values counts.
fn missing(
    dataset: Dataset,
    column: &str,
    shares: Option<((u64, u64), (u64, u64))>,
    (repaired, loaded): (u64, u64),
    limits: &Thresholds,
) -> Check {
    if let Some(((rows_before, missing_before), (rows, missing))) = shares
        && rows_before > 0
        && rows > 0
    {
        let (before, now) = (percent(missing_before, rows_before), percent(missing, rows));
        let limit = limits.max_missing_increase;
        let message = format!(
            "`{column}` has no valid value in {now:.1} % of the {}, {before:.1} % are published; it may rise by {limit} points",
            dataset.name()
        );
        let increase = now - before;
        return check(
            dataset,
            "missing_increase",
            column,
            Some((increase, limit)),
            increase <= limit,
            message,
        );
    }
    let percent = percent(repaired, loaded);
    let limit = limits.max_repaired_percent;
    let message = format!(
        "`{column}` was repaired in {percent:.1} % of the {}, at most {limit} % may be on a first load",
        dataset.name()
    );
    check(dataset, "repaired_percent", column, Some((percent, limit)), percent <= limit, message)
}

/// Repairs of a column: the reasons that name it, such as `invalid_died_on`, `missing_age` and `age_out_of_range`.
fn repaired_by_column(tally: &Tally, dataset: Dataset, column: &str) -> u64 {
    let column = column.trim_end_matches("_id");
    tally
        .issues()
        .filter(|(of, kind, reason, _)| {
            (*of, *kind) == (dataset, IssueKind::Repaired)
                && (reason.ends_with(&format!("_{column}")) || reason.starts_with(&format!("{column}_")))
        })
        .map(|issue| issue.3)
        .sum()
}

fn wanted(years: &Years, year: Option<i32>) -> bool {
    year.is_none_or(|year| Day::from_calendar(year, 1, 1).is_some_and(|day| years.contain(day)))
}

/// Returns a check with what was measured and its limit.
fn check(
    dataset: Dataset,
    name: &'static str,
    subject: &str,
    figures: Option<(f64, f64)>,
    passed: bool,
    message: String,
) -> Check {
    let outcome = if passed { CheckOutcome::Passed } else { CheckOutcome::Failed };
    let (subject, (measured, threshold)) = (subject.to_owned(), figures.unzip());
    Check { dataset, name, subject, outcome, measured, threshold, message, acceptable: true }
}

fn percent(part: u64, whole: u64) -> f64 {
    if whole == 0 { 0.0 } else { to_float(part) / to_float(whole) * 100.0 }
}

#[expect(clippy::cast_precision_loss, reason = "counts of rows are far below 2^52")]
const fn to_float(rows: u64) -> f64 {
    rows as f64
}
