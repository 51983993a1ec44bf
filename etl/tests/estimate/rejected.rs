//! Invalid input is rejected with its line, a hint and the exit code, and nothing is printed.

use crate::program::Inputs;

const INTERVAL: &str = "day,probability\n0,0\n1,0.5\n2,0.5\n";
const CASES: &str = "day,cases\n1,5\n2,5\n3,5\n4,5\n5,5\n6,5\n7,5\n8,5\n";

/// Checks that an incidence is rejected, with a valid serial interval.
#[track_caller]
fn assert_incidence_rejected(text: &str, message: &str) {
    let inputs = Inputs::new(&[("i.csv", text), ("s.csv", INTERVAL)]);
    inputs.run("reproduction --incidence i.csv --serial-interval s.csv").assert_rejected(1, message);
}

#[test]
fn incidence_with_bad_field_is_rejected_with_its_line() {
    for (field, message) in [
        ("-3", "column `cases` is `-3`, not a number from 0"),
        ("many", "column `cases` is `many`, not a number from 0"),
        ("NaN", "column `cases` is `NaN`, not a number from 0"),
        ("inf", "column `cases` is `inf`, not a number from 0"),
        ("", "column `cases` is empty"),
    ] {
        assert_incidence_rejected(
            &format!("day,cases\n1,5\n2,{field}\n3,5\n"),
            &format!("`i.csv`, line 3: {message}"),
        );
    }
    assert_incidence_rejected(
        "date,cases\n2021-02-28,1\n2021-02-29,1\n",
        "line 3: column `date` is `2021-02-29`, not a date",
    );
    assert_incidence_rejected(
        "date,cases\n28/02/2021,1\n",
        "line 2: column `date` is `28/02/2021`, not a date",
    );
    assert_incidence_rejected("day,cases\n1.5,1\n", "line 2: column `day` is `1.5`, not a whole number");
    assert_incidence_rejected("day,cases\n1\n", "line 2: column `cases` is empty");
}

#[test]
fn incidence_without_columns_or_rows_is_rejected() {
    assert_incidence_rejected("", "`i.csv` has no rows");
    assert_incidence_rejected("day,cases\n", "`i.csv` has no rows");
    assert_incidence_rejected("day,deaths\n1,2\n", "`i.csv` has no column `cases`");
    assert_incidence_rejected("week,cases\n1,2\n", "`i.csv` has no column `date` or `day`");
    assert_incidence_rejected("day;cases\n1;2\n", "hint: separate the columns by commas");
    assert_incidence_rejected("day,cases,cases\n1,2,3\n", "`i.csv` has more than one column `cases`");
}

#[test]
fn incidence_with_impossible_days_is_rejected() {
    assert_incidence_rejected("day,cases\n1,2\n2,2\n1,2\n", "`i.csv`, line 4: 1 occurs twice");
    assert_incidence_rejected("date,cases\n2021-01-01,2\n2021-01-01,2\n", "line 3: 2021-01-01 occurs twice");
    assert_incidence_rejected("date,cases\n1821-01-01,2\n2021-01-01,2\n", "are more than a hundred years");
    assert_incidence_rejected("day,cases\n1,5\n2,5\n", "the series has 2 days, 8 are needed");
}

#[test]
fn incidence_that_is_not_text_is_rejected() {
    let inputs = Inputs::new(&[("s.csv", INTERVAL)]);
    inputs
        .run("reproduction --incidence none.csv --serial-interval s.csv")
        .assert_rejected(1, "cannot read `none.csv`");
    inputs.run("reproduction --incidence . --serial-interval s.csv").assert_rejected(1, "cannot read `.`");
    let utf16 = [0xff, 0xfe, b'd', 0, b'a', 0];
    let output = inputs.run_with_input("reproduction --incidence - --serial-interval s.csv", &utf16);
    output.assert_rejected(1, "cannot read standard input");
}

#[test]
fn serial_interval_that_is_not_a_distribution_is_rejected() {
    for (text, message) in [
        ("day,probability\n0,0\n1,0.5\n", "the probabilities add up to 0.5, not to 1"),
        ("day,probability\n0,0.5\n1,0.5\n", "a probability above 0 on day 0"),
        ("day,probability\n0,0\n1,1.5\n", "line 3: column `probability` is `1.5`, not a probability"),
        ("day,probability\n0,0\n1,-0.5\n", "line 3: column `probability` is `-0.5`, not a probability"),
        ("day,probability\n1,0.5\n1,0.5\n", "line 3: day 1 occurs twice"),
        ("day,probability\n-1,1\n", "line 2: column `day` is `-1`, not a whole number of days from 0"),
        ("day,probability\n99999999999,1\n", "line 2: column `day` is `99999999999`"),
        ("day,share\n0,0\n", "`s.csv` has no column `probability`"),
    ] {
        let inputs = Inputs::new(&[("i.csv", CASES), ("s.csv", text)]);
        inputs.run("reproduction --incidence i.csv --serial-interval s.csv").assert_rejected(1, message);
    }
}

#[test]
fn flags_outside_their_domain_are_usage_errors() {
    let inputs = Inputs::new(&[("i.csv", CASES), ("s.csv", INTERVAL)]);
    for (flags, message) in [
        ("--serial-interval-gamma 1,1", "the mean of the serial interval must be above 1 day"),
        (
            "--serial-interval-gamma 3,0",
            "the standard deviation of the serial interval must be a number above 0",
        ),
        ("--serial-interval s.csv --window 0", "the window must be at least 1 day"),
        ("--serial-interval s.csv --prior-mean 0", "the mean of the prior must be a number above 0"),
        (
            "--serial-interval s.csv --prior-sd NaN",
            "the standard deviation of the prior must be a number above 0",
        ),
    ] {
        inputs.run(&format!("reproduction --incidence i.csv {flags}")).assert_rejected(2, message);
    }
    inputs
        .run("reproduction --incidence - --serial-interval -")
        .assert_rejected(2, "standard input can be only one");
}

#[test]
fn flags_rejected_by_clap_are_usage_errors() {
    let inputs = Inputs::new(&[("i.csv", CASES), ("s.csv", INTERVAL)]);
    for arguments in [
        "reproduction --incidence i.csv",
        "reproduction --incidence i.csv --serial-interval s.csv --serial-interval-gamma 2.6,1.5",
        "reproduction --incidence i.csv --serial-interval-gamma 2.6",
        "reproduction --incidence i.csv --serial-interval-gamma 2.6,x",
        "fatality --incidence i.csv",
        "nowcast --reports i.csv --max-delay 0",
        "prophecy",
    ] {
        let output = inputs.run(arguments);
        assert_eq!((output.code, output.stdout.as_str()), (Some(2), ""), "{output:?}");
    }
}

#[test]
fn fatality_of_impossible_counts_is_rejected() {
    for (text, flags, code, message) in [
        ("day,cases,deaths\n1,2,3\n", "2,3", 1, "3 deaths among 2 cases"),
        (
            "day,cases,deaths\n1,2.5,1\n",
            "2,3",
            1,
            "line 2: column `cases` is `2.5`, not a whole number from 0",
        ),
        ("day,cases\n1,2\n", "2,3", 1, "`i.csv` has no column `deaths`"),
        ("day,cases,deaths\n1,2,1\n", "0.5,3", 2, "the shape of the delay must be 1 or more"),
        ("day,cases,deaths\n1,2,1\n", "2,-3", 2, "the scale of the delay must be a number above 0"),
    ] {
        let inputs = Inputs::new(&[("i.csv", text)]);
        inputs
            .run(&format!("fatality --incidence i.csv --delay-gamma {flags}"))
            .assert_rejected(code, message);
    }
}

#[test]
fn nowcast_of_impossible_reports_is_rejected() {
    let header = "reference_date,delay_days,count\n";
    for (rows, flags, code, message) in [
        ("2021-01-01,0,5\n2021-01-01,0,6\n", "", 1, "line 3: 2021-01-01 with delay 0 occurs twice"),
        (
            "2021-01-01,-1,5\n",
            "",
            1,
            "line 2: column `delay_days` is `-1`, not a whole number of days from 0",
        ),
        ("2021-01-01,0,-5\n", "", 1, "line 2: column `count` is `-5`, not a whole number from 0"),
        ("2021-01-01,99999999999,5\n", "", 1, "line 2: column `delay_days` is `99999999999`"),
        ("2021-01-01,0,5\n2021-01-03,0,6\n", "", 1, "the series has 3 days, 8 are needed"),
        ("2021-01-01,0,5\n2021-01-30,0,6\n", "--max-delay 40", 1, "the series has 30 days, 48 are needed"),
        ("2021-01-01,0,5\n", "--as-of 2020-12-31", 1, "no report is known by 2020-12-31"),
        ("2021-01-01,0,5\n", "--as-of yesterday", 2, "`--as-of yesterday` is not a day"),
        ("1021-01-01,0,5\n2021-01-01,0,5\n", "", 1, "are more than a hundred years"),
    ] {
        let inputs = Inputs::new(&[("r.csv", &(header.to_owned() + rows))]);
        inputs.run(&format!("nowcast --reports r.csv {flags}")).assert_rejected(code, message);
    }
    let inputs = Inputs::new(&[("r.csv", "reference_date,count\n2021-01-01,5\n")]);
    inputs.run("nowcast --reports r.csv").assert_rejected(1, "`r.csv` has no column `delay_days` or `delay`");
}
