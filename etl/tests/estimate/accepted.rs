//! Valid input in every format.

use crate::program::Inputs;

const INTERVAL: &str = "day,probability\n0,0\n1,0.5\n2,0.5\n";

/// Returns a CSV file with this header.
fn file(header: &str, rows: impl IntoIterator<Item = String>) -> String {
    let lines: Vec<String> = [header.to_owned()].into_iter().chain(rows).collect();
    lines.join("\n")
}

fn incidence(rows: impl IntoIterator<Item = (u32, u32)>) -> String {
    file("day,cases", rows.into_iter().map(|(day, cases)| format!("{day},{cases}")))
}

#[test]
fn reproduction_of_constant_cases_has_posterior_of_formula() {
    let inputs = Inputs::new(&[("i.csv", &incidence((1..=10).map(|day| (day, 100)))), ("s.csv", INTERVAL)]);
    let (_, rows) = inputs.run("reproduction --incidence i.csv --serial-interval s.csv").table();
    assert_eq!(rows.len(), 3);
    // Seven days of 100 cases and as much infectiousness: shape 1 + 700, scale 1 / (1/5 + 700).
    let last = &rows[2];
    assert_eq!(last[..2], ["4", "10"]);
    assert!((last[2].parse::<f64>().unwrap() - 701.0 / 700.2).abs() < 1e-12);
    assert!((last[3].parse::<f64>().unwrap() - 701_f64.sqrt() / 700.2).abs() < 1e-12);
}

#[test]
fn reproduction_takes_window_and_prior_from_flags() {
    let inputs = Inputs::new(&[("i.csv", &incidence((1..=10).map(|day| (day, 0)))), ("s.csv", INTERVAL)]);
    let arguments =
        "reproduction --incidence i.csv --serial-interval s.csv --window 3 --prior-mean 2 --prior-sd 1";
    let (_, rows) = inputs.run(arguments).table();
    assert_eq!(rows.len(), 7);
    // Without cases the posterior is the prior.
    assert!(rows.iter().all(|row| (row[2].parse::<f64>().unwrap() - 2.0).abs() < 1e-12));
    assert!(rows.iter().all(|row| (row[3].parse::<f64>().unwrap() - 1.0).abs() < 1e-12));
}

#[test]
fn reproduction_of_window_within_serial_interval_is_empty() {
    let inputs = Inputs::new(&[("i.csv", &incidence((1..=20).map(|day| (day, 5))))]);
    let (_, rows) = inputs.run("reproduction --incidence i.csv --serial-interval-gamma 9.5,2").table();
    assert_eq!(rows[1], ["3", "9", "", "", "", "", ""]);
    assert_eq!(rows[2][..2], ["4", "10"]);
    assert_ne!(rows[2][2], "");
}

#[test]
fn rows_in_any_order_and_with_gaps_give_same_estimate() {
    let whole = "date,cases\n2021-01-30,4\n2021-01-31,0\n2021-02-01,0\n2021-02-02,7\n2021-02-03,3\n2021-02-04,1\n\
        2021-02-05,2\n2021-02-06,9\n2021-02-07,5\n";
    let gaps = "\u{feff}Cases , region, DATE\r\n7,x,2021-02-02\r\n4.0,x,2021-01-30\r\n3,\"a,b\",2021-02-03\r\n1,x,2021-02-04\r\n\
        2,x,2021-02-05\r\n9,x,2021-02-06\r\n5,x,2021-02-07\r\n";
    let inputs = Inputs::new(&[("whole.csv", whole), ("gaps.csv", gaps), ("s.csv", INTERVAL)]);
    let run =
        |file: &str| inputs.run(&format!("reproduction --incidence {file} --serial-interval s.csv")).table();
    assert_eq!(run("whole.csv"), run("gaps.csv"));
    assert_eq!(run("gaps.csv").1.len(), 2);
}

#[test]
fn standard_input_replaces_either_file() {
    let cases = incidence((1..=12).map(|day| (day, day)));
    let inputs = Inputs::new(&[("i.csv", &cases), ("s.csv", INTERVAL)]);
    let from_files = inputs.run("reproduction --incidence i.csv --serial-interval s.csv").table();
    let arguments = "reproduction --incidence - --serial-interval s.csv";
    assert_eq!(inputs.run_with_input(arguments, cases.as_bytes()).table(), from_files);
    let arguments = "reproduction --incidence i.csv --serial-interval -";
    assert_eq!(inputs.run_with_input(arguments, INTERVAL.as_bytes()).table(), from_files);
}

#[test]
fn fatality_with_more_deaths_than_outcomes_has_no_correction() {
    let inputs = Inputs::new(&[("i.csv", "day,cases,deaths\n1,5,0\n2,5,3\n")]);
    let output = inputs.run("fatality --incidence i.csv --delay-gamma 4,5");
    let (_, rows) = output.table();
    assert_eq!(rows[0][..2], ["naive", "0.3"]);
    assert_eq!(rows[1], ["corrected", "", "", ""]);
    assert!(output.stderr.contains("no corrected fatality"), "{output:?}");
}

#[test]
fn fatality_without_cases_is_empty() {
    let inputs = Inputs::new(&[("i.csv", "day,cases,deaths\n1,0,0\n2,0,0\n")]);
    let (_, rows) = inputs.run("fatality --incidence i.csv --delay-gamma 2,3").table();
    assert_eq!(rows, [["naive", "", "", ""], ["corrected", "", "", ""]]);
}

#[test]
fn nowcast_of_steady_reports_completes_the_last_day() {
    // 40 cases a day, half of them reported on the next day.
    let rows = (1..=40).flat_map(|day| [(day, 0), (day, 1)]).filter(|(day, delay)| day + delay <= 40);
    let text = file("day,delay,count", rows.map(|(day, delay)| format!("{day},{delay},20")));
    let inputs = Inputs::new(&[("r.csv", &text)]);
    let (header, rows) = inputs.run("nowcast --reports r.csv").table();
    assert_eq!(header, "day,reported,share_reported,expected,low,median,high");
    assert_eq!(rows.len(), 2);
    assert_eq!(rows[0], ["39", "40", "1", "40", "40", "40", "40"]);
    assert_eq!(rows[1][..3], ["40", "20", "0.5"]);
    let [expected, low, _, high] = [3, 4, 5, 6].map(|column| rows[1][column].parse::<f64>().unwrap());
    assert!((expected - 40.0).abs() < 0.2, "{expected}");
    assert!(low > 25.0 && low < 38.0 && high > 42.0 && high < 60.0, "{low} {high}");
}

#[test]
fn nowcast_as_of_leaves_later_reports_out() {
    let reports = |last: u32, known: u32| {
        let rows =
            (1..=last).flat_map(|day| [(day, 0), (day, 2)]).filter(|(day, delay)| day + delay <= known);
        file("day,delay_days,count", rows.map(|(day, delay)| format!("{day},{delay},10")).collect::<Vec<_>>())
    };
    let inputs = Inputs::new(&[("all.csv", &reports(40, 42)), ("early.csv", &reports(30, 30))]);
    let as_of = inputs.run("nowcast --reports all.csv --as-of 30").table();
    assert_eq!(as_of, inputs.run("nowcast --reports early.csv").table());
    assert_eq!(as_of.1.last().unwrap()[0], "30");
}
