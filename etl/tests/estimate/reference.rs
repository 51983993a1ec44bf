//! Compares the output with results of the reference implementations, in the folder `EPI_REFERENCE`.

use std::path::{Path, PathBuf};

use crate::program::Inputs;

#[expect(clippy::disallowed_methods, reason = "tests have no command line")]
fn reference() -> Option<PathBuf> {
    let folder = std::env::var("EPI_REFERENCE").ok();
    if folder.is_none() {
        println!("skipped: EPI_REFERENCE is not set");
    }
    folder.map(|folder| std::fs::canonicalize(folder).unwrap())
}

#[track_caller]
fn assert_matches(folder: &Path, expected: &str, interval: &str) {
    let path = folder.display();
    let output = Inputs::new(&[])
        .run(&format!("reproduction --incidence {path}/flu2009_incidence.csv --window 7 {interval}"));
    let (header, rows) = output.table();
    assert_eq!(header, "t_start,t_end,mean,sd,q025,median,q975");
    let expected = std::fs::read_to_string(folder.join(expected)).unwrap();
    let expected: Vec<Vec<f64>> = expected
        .lines()
        .skip(1)
        .map(|line| line.split(',').map(|field| field.parse().unwrap()).collect())
        .collect();
    assert_eq!((rows.len(), expected.len()), (25, 25));
    for (got, expected) in rows.iter().flatten().zip(expected.iter().flatten()) {
        let got: f64 = got.parse().unwrap();
        assert!((got / expected - 1.0).abs() < 1e-6, "{got} is not {expected}");
    }
}

#[test]
fn reproduction_of_flu_2009_equals_epiestim() {
    let Some(folder) = reference() else { return };
    let file = format!("--serial-interval {}/flu2009_serial_interval.csv", folder.display());
    assert_matches(&folder, "flu2009_R_nonparametric.csv", &file);
    assert_matches(&folder, "flu2009_R_parametric_2.6_1.5.csv", "--serial-interval-gamma 2.6,1.5");
}

#[test]
fn fatality_of_ebola_1976_equals_cfr() {
    let Some(folder) = reference() else { return };
    let arguments =
        format!("fatality --incidence {}/ebola1976.csv --delay-gamma 2.40,3.33", folder.display());
    let (header, rows) = Inputs::new(&[]).run(&arguments).table();
    assert_eq!(header, "estimate,fatality,low,high");
    let rounded = |row: &[String]| {
        let numbers = row[1..].iter().map(|field| format!("{:.4}", field.parse::<f64>().unwrap()));
        [row[0].clone()].into_iter().chain(numbers).collect::<Vec<_>>()
    };
    assert_eq!(rounded(&rows[0]), ["naive", "0.9551", "0.9211", "0.9774"]);
    assert_eq!(rounded(&rows[1]), ["corrected", "0.9592", "0.9295", "0.9793"]);
}

#[test]
fn nowcast_of_german_hospitalisations_reads_published_format() {
    let Some(folder) = reference() else { return };
    let file = folder.join("germany_hospitalisations_by_delay.csv");
    let run = |more: &str| {
        let arguments = format!("nowcast --reports {} --max-delay 40 {more}", file.display());
        Inputs::new(&[]).run(&arguments).table()
    };
    let (header, rows) = run("--as-of 2021-10-15");
    assert_eq!(header, "reference_date,reported,share_reported,expected,low,median,high");
    assert_eq!((rows.len(), rows[40][0].as_str()), (41, "2021-10-15"));
    // The final numbers of the same reference days, within the same 40 days.
    let later = std::fs::read_to_string(&file).unwrap();
    let arrived = |date: &str| -> u64 {
        let fields = later.lines().skip(1).map(|line| line.split(',').collect::<Vec<_>>());
        let within = fields.filter(|row| row[0] == date && row[1].parse::<u64>().unwrap() <= 40);
        within.map(|row| row[2].parse::<u64>().unwrap()).sum()
    };
    let covered = rows.iter().filter(|row| {
        let (low, high): (u64, u64) = (row[4].parse().unwrap(), row[6].parse().unwrap());
        (low..=high).contains(&arrived(&row[0]))
    });
    assert!(covered.count() >= 35);
    assert_eq!(run("").1.last().unwrap()[0], "2021-12-01");
}
