//! Planted defects, compared with what a load would find.

use std::collections::{HashMap, HashSet};

use crate::Consequence;
use crate::defect::Defect;
use crate::tests::sample;

/// Counts what a load finds, independently of the generator.
fn count_by_hand(text: &str) -> HashMap<&'static str, u64> {
    let mut counts = HashMap::<&'static str, u64>::new();
    let mut seen = HashSet::new();
    let provinces: HashSet<&str> =
        "02 06 10 14 18 22 26 30 34 38 42 46 50 54 58 62 66 70 74 78 82 86 90 94".split(' ').collect();
    for line in text.lines().skip(1).filter(|line| !line.is_empty()) {
        let raw: Vec<&str> = line.split(',').collect();
        let stray = raw.iter().any(|field| field.trim_matches('"').contains('"'));
        if raw.len() != 25 || stray || line.contains('\u{FFFD}') {
            *counts.entry("malformed").or_default() += 1;
            continue;
        }
        let fields: Vec<&str> = raw
            .iter()
            .map(|field| field.trim_matches('"'))
            .map(|field| if field == "NA" { "" } else { field })
            .collect();
        let date =
            |column: usize| fields[column].parse::<chrono::NaiveDate>().ok().map(|date| date.to_string());
        let rejection = if fields[0].parse::<i64>().is_ok_and(|id| id > 0) {
            if date(9).is_none_or(|date| !("2020-01-01"..="2022-06-05").contains(&&*date)) {
                Some("invalid_registration_date")
            } else if !provinces.contains(fields[17]) {
                Some("unknown_registration_province")
            } else if !seen.insert(fields[0]) {
                Some("duplicate_case_id")
            } else {
                None
            }
        } else {
            Some("missing_case_id")
        };
        if let Some(reason) = rejection {
            *counts.entry(reason).or_default() += 1;
            continue;
        }
        let mut repair = |reason, needed: bool| *counts.entry(reason).or_default() += u64::from(needed);
        repair("missing_age", fields[2].is_empty());
        repair(
            "age_out_of_range",
            !fields[2].is_empty() && !fields[2].parse::<u8>().is_ok_and(|age| age <= 120),
        );
        for (column, reason) in [
            (8, "invalid_symptoms_on"),
            (11, "invalid_admitted_on"),
            (15, "invalid_died_on"),
            (22, "invalid_diagnosed_on"),
        ] {
            let valid = date(column).is_some_and(|date| ("1900-01-01"..="2022-06-06").contains(&&*date));
            repair(reason, !fields[column].is_empty() && !valid);
        }
        let (province, department) = (fields[21], fields[23]);
        repair("unknown_residence_province", province != "99" && !provinces.contains(province));
        let odd = matches!((province, department), ("38", "126") | ("14", "999") | ("99", "007"));
        repair("unknown_residence_department", odd);
    }
    counts.retain(|_, rows| *rows > 0);
    counts
}

#[test]
fn every_defect_is_planted_and_counted() {
    for (rows, seed, dirty) in [(1_000, 1, 0.000_001), (1_000, 2, 1.0), (30_000, 3, 0.2), (12_345, 4, 0.9)] {
        let (text, written) = sample(rows, seed, dirty);
        for &defect in Defect::ALL {
            assert!(written.planted.of(defect) > 0, "{defect:?} of {rows} rows, seed {seed}");
        }
        let mut expected = HashMap::new();
        for (consequence, rows) in written.planted.tally() {
            let (Consequence::Rejected(reason) | Consequence::Repaired(reason)) = consequence else {
                continue;
            };
            expected.insert(reason, rows);
        }
        assert_eq!(count_by_hand(&text), expected, "{rows} rows, seed {seed}, dirty {dirty}");
    }
}

#[test]
fn dirty_share_matches_option() {
    let (_, written) = sample(50_000, 8, 0.1);
    let dirty: u64 = Defect::ALL.iter().map(|&defect| written.planted.of(defect)).sum();
    assert!(dirty.abs_diff(5_000) < 300, "{dirty}");
}

#[test]
fn dirty_sample_keeps_clean_rows() {
    let (clean, _) = sample(5_000, 11, 0.0);
    let (dirty, written) = sample(5_000, 11, 0.05);
    let clean: HashSet<&str> = clean.lines().collect();
    let changed = dirty.lines().filter(|line| !line.is_empty() && !clean.contains(line)).count();
    assert!(written.planted.rejected() > 0);
    assert!((100..330).contains(&changed), "{changed}");
}

#[test]
fn duplicate_repeats_earlier_kept_row() {
    let (text, written) = sample(100_000, 12, 0.02);
    let mut first = HashMap::new();
    let mut distances = Vec::new();
    for (line, row) in text.lines().skip(1).enumerate() {
        let fields: Vec<&str> = row.split(',').collect();
        let id = fields[0].trim_matches('"');
        if fields.len() != 25 || !id.parse::<i64>().is_ok_and(|id| id > 0) {
            continue;
        }
        if let Some((earlier, date)) = first.get(id) {
            distances.push(line - earlier);
            assert_eq!(*date, fields[9], "the same registration");
            assert!(row.contains("\"Sospechoso\""));
        } else {
            first.insert(id, (line, fields[9]));
        }
    }
    let planted = written.planted.of(Defect::DuplicateNearby) + written.planted.of(Defect::DuplicateFarAway);
    assert_eq!(distances.len() as u64, planted);
    assert!(distances.iter().filter(|distance| **distance > 10_000).count() > 10);
    assert!(distances.iter().filter(|distance| **distance < 10).count() > 10);
}
