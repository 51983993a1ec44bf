//! Arbitrary text under a valid header is loaded, with the model's outcome for each row.

use proptest::prelude::*;
use proptest::sample::select;
use proptest::test_runner::{Config, TestCaseError, TestRunner};
use tokio::runtime::Runtime;

use crate::aggregate_counts;
use crate::fixture::{CSV, Fixture};
use crate::model::{self, Years};
use crate::outcome::{Loaded, value};
use crate::rows::{self, MINISTRY, georef};

/// Values for each column that is read, besides those of [`rows::row`]: the column's position, and the values.
const ODDITIES: [(usize, &[&str]); 16] = [
    (
        0,
        &[
            "1",
            "2",
            "0003",
            "4",
            " 5 ",
            "0",
            "-3",
            "+3",
            "1.0",
            "x",
            "",
            "NA",
            "9223372036854775807",
            "9223372036854775808",
            "184467440737095516150",
        ],
    ),
    (1, &["F", "X", "f", " nr\u{A0}", "", "NA", "na", "NULL", "\\N", "mujer \"trans\"", "mujer  trans", "ñ"]),
    (
        2,
        &[
            "0",
            "120",
            "121",
            "-1",
            "00030",
            "54.5",
            "54.0",
            "",
            "NA",
            "NaN",
            " 7 ",
            "\u{FEFF}7\u{2009}",
            "2025",
            "x",
            "99999999999999999999999999999999999999999",
        ],
    ),
    (3, &["Años", "Meses", "", "MESES", " Meses "]),
    (8, DATES),
    (9, DATES),
    (11, DATES),
    (12, &["SI", "si", "NO", "", "NA", "nan", "1"]),
    (15, DATES),
    (16, &["SI", "Si", "", "SÍ", "sí\u{A0}", "Si\u{301}"]),
    (
        17,
        &[
            "02", "2", "006", "6.0", "\u{A0}06", "0", "00", "0.0", "99", "3", "94", "x", "", "65542", "-6",
            "6.5",
        ],
    ),
    (
        20,
        &[
            "Confirmado",
            "  Sin   Clasificar ",
            "Sin\nClasificar",
            "Sin\tClasificar\r\nhoy",
            "sin\u{A0}clasificar",
            "CONFIRMADO",
            "null",
            "",
            "NA",
            "di\"jo\"",
            "a,b",
            "\\N",
            "\\.",
        ],
    ),
    (21, &["02", "6", "94", "99", "99.0", "0", "77", "", "NA", "null", "x", "38.00", "\u{200B}38"]),
    (22, DATES),
    (
        23,
        &[
            "0",
            "000",
            "7",
            "007",
            "014",
            "441",
            "015",
            "126",
            "021",
            "441.0",
            "0.0",
            "\\n",
            "143",
            "1441",
            "x",
            "",
            "NA",
            "-1",
            "18446744073709551615",
        ],
    ),
    (24, &["2022-06-05", "2022-06-05", "2021-08-01", "", "NA", "hoy"]),
];

const DATES: &[&str] = &[
    "2020-01-01",
    "2019-12-31",
    "2020-02-29",
    "2021-02-29",
    "2022-06-05",
    "2022-06-06",
    "2022-06-07",
    "1900-01-01",
    "1899-12-31",
    "2021-07-15",
    "15/07/2021",
    "2021-7-15",
    "20210715",
    "+021-07-15",
    "2021-07-15 ",
    "\u{A0}2021-07-15",
    "",
    "NA",
    "NULL",
    "NaN",
    "ayer",
];

/// A row with some oddities, each field quoted or, if possible, bare.
fn row() -> impl Strategy<Value = Vec<u8>> {
    let odd = select(&ODDITIES[..]).prop_flat_map(|(column, values)| (Just(column), select(values)));
    (0..400_u32, prop::collection::vec(odd, 0..5), any::<u32>(), select(&["\n", "\r\n"][..])).prop_map(
        |(number, oddities, quotes, end)| {
            let mut fields: Vec<String> =
                rows::row(number % 40).into_iter().map(Option::unwrap_or_default).collect();
            for (column, value) in oddities {
                value.clone_into(&mut fields[column]);
            }
            let quoted = fields.iter().enumerate().map(|(at, field)| {
                if quotes >> at & 1 == 1 || field.contains([',', '"', '\n']) {
                    format!("\"{}\"", field.replace('"', "\"\""))
                } else {
                    field.clone()
                }
            });
            (quoted.collect::<Vec<_>>().join(",") + end).into_bytes()
        },
    )
}

/// A damaged row: bytes removed, inserted, or cut off.
fn damaged() -> impl Strategy<Value = Vec<u8>> {
    let piece = prop_oneof![
        Just(b"\"".to_vec()),
        Just(b",".to_vec()),
        Just(b"\n".to_vec()),
        Just(b"\0".to_vec()),
        Just(b"\"\n\"".to_vec()),
        prop::collection::vec(any::<u8>(), 0..4),
    ];
    (row(), any::<prop::sample::Index>(), 0..30_usize, piece).prop_map(|(mut row, at, cut, piece)| {
        let at = at.index(row.len());
        let end = (at + cut).min(row.len());
        row.splice(at..end, piece);
        row
    })
}

fn body() -> impl Strategy<Value = Vec<u8>> {
    let noise = prop::collection::vec(any::<u8>(), 0..80);
    let quotes = "[\",a\\r\\n\\\\\t]{0,40}".prop_map(String::into_bytes);
    let blank = select(&["\n", "\r\n", "\r\r\n", " \n"][..]).prop_map(|end| end.as_bytes().to_vec());
    let line = prop_oneof![12 => row(), 4 => damaged(), 1 => noise, 1 => quotes, 1 => blank];
    let parts = (prop::collection::vec(line.clone(), 0..200), prop::collection::vec(line, 0..200));
    parts.prop_map(|(before, after)| {
        // Without a single date there is no dataset: one row has it, in the middle of everything.
        let dated = format!("\n{}", MINISTRY.line(&rows::row(1)));
        [before.concat(), dated.into_bytes(), after.concat()].concat()
    })
}

#[test]
fn any_text_is_loaded_as_the_model_says() {
    let runtime = Runtime::new().unwrap();
    let fixture = runtime.block_on(Fixture::new());
    let georef = georef();
    let years = [("all", Years::All), ("2021", Years::Listed(&[2021])), ("latest", Years::Latest)];
    // A case is a whole file and a whole load: few are enough, and a failure is made small in few steps.
    let config = Config { cases: 20, max_shrink_iters: 60, failure_persistence: None, ..Config::default() };
    let tested = TestRunner::new(config).run(&(body(), 0..years.len()), |(body, wanted)| {
        let text = [MINISTRY.header().into_bytes(), body].concat();
        let (flag, years) = &years[wanted];
        fixture.put(CSV, &text);
        let ended = fixture.run(&["--years", flag, "--force"]);
        prop_assert_eq!(ended.code, Some(0), "{}", ended.stderr);
        runtime.block_on(async {
            let mut connection = fixture.connect().await;
            aggregate_counts::must_be_right(&mut connection).await;
            let loaded = Loaded::of(&mut connection, ended.run).await;
            let expected = model::load(&text, &georef, years);
            if let Some(difference) = loaded.difference(&expected) {
                return Err(TestCaseError::fail(difference));
            }
            prop_assert_eq!(loaded.read, loaded.filtered + loaded.loaded + loaded.rejected);
            let rejected: i64 = value(
                &mut connection,
                &format!("SELECT count(*) FROM rejected_row WHERE run_id = '{}'", ended.run),
            )
            .await;
            prop_assert_eq!(loaded.rejected, rejected);
            prop_assert_eq!(
                loaded.loaded,
                value::<i64>(&mut connection, "SELECT count(*) FROM covid_case").await
            );
            Ok(())
        })
    });
    tested.unwrap();
}
