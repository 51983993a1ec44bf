//! The same rows in every accepted format give the same table.

use std::io::{Cursor, Write as _};

use zip::write::SimpleFileOptions;
use zip::{CompressionMethod, ZipWriter};

use crate::fixture::{CSV, Fixture, ZIP};
use crate::model::{self, Years};
use crate::outcome::table;
use crate::rows::{self, COLUMNS, Format, MINISTRY, Row, deflated, file, georef, good, zip};

/// Rows of each format.
const COUNT: u32 = 400;

/// The formats of the text.
fn texts() -> Vec<(&'static str, Vec<u8>)> {
    let rows = good(COUNT);
    let in_format = |format: Format| format.file(&rows);
    let bare = Format { quoted: false, ..MINISTRY };
    let plain = file(&rows);
    vec![
        ("as the ministry writes", plain.clone().into_bytes()),
        ("UTF-8 with BOM", format!("\u{FEFF}{plain}").into_bytes()),
        ("UTF-16LE with BOM", utf16(&plain)),
        ("UTF-16LE with LF", utf16(&in_format(Format { end: "\n", ..MINISTRY }))),
        ("LF", in_format(Format { end: "\n", ..MINISTRY }).into_bytes()),
        ("bare fields", in_format(bare).into_bytes()),
        ("bare fields with LF and NA", in_format(Format { end: "\n", null: "NA", ..bare }).into_bytes()),
        ("null as \"\"", in_format(Format { null: "\"\"", ..MINISTRY }).into_bytes()),
        ("null as NA", in_format(Format { null: "NA", ..MINISTRY }).into_bytes()),
        ("null as \"NA\"", in_format(Format { null: "\"NA\"", ..MINISTRY }).into_bytes()),
        ("no final line end", plain.trim_end().as_bytes().to_vec()),
        ("no final line end, UTF-16LE", utf16(plain.trim_end())),
        ("blank lines everywhere", plain.replace("\r\n", "\r\n\r\n\n").into_bytes()),
        ("blank lines before the header", format!("\r\n\n{plain}").into_bytes()),
        (
            "header in capitals",
            plain.replacen(&MINISTRY.header(), &MINISTRY.header().to_uppercase(), 1).into_bytes(),
        ),
        ("columns in another order, with others between", shuffled(&rows).into_bytes()),
        (
            "a line break within quotes",
            plain.replace("\"Sin Clasificar\"", "\"Sin\r\nClasificar\"").into_bytes(),
        ),
        (
            "a line break within quotes that are not needed",
            plain.replace("\"Argentina\"", "\"Argen\n\n\ntina\"").into_bytes(),
        ),
        (
            "spaces around values",
            plain.replace("\"Confirmado\"", "\"  Confirmado \"").replace("\"SI\"", "\" SI \"").into_bytes(),
        ),
    ]
}

fn utf16(text: &str) -> Vec<u8> {
    "\u{FEFF}".encode_utf16().chain(text.encode_utf16()).flat_map(u16::to_le_bytes).collect()
}

/// The columns in reverse order, each after an unknown one.
fn shuffled(rows: &[Row]) -> String {
    let header: Row = COLUMNS.iter().map(|name| Some((*name).to_owned())).collect();
    let mut text = String::new();
    for (line, fields) in std::iter::once(&header).chain(rows).enumerate() {
        let extra = |at: usize| Some(if line == 0 { format!("extra_{at}") } else { "a \"b\", c".to_owned() });
        let fields: Row =
            fields.iter().enumerate().rev().flat_map(|(at, field)| [extra(at), field.clone()]).collect();
        text += &MINISTRY.line(&fields);
    }
    text
}

/// The formats of the file that contains the text.
fn archives() -> Vec<(&'static str, Vec<u8>)> {
    let text = file(&good(COUNT));
    let stored = SimpleFileOptions::default().compression_method(CompressionMethod::Stored);
    vec![
        ("deflated", zip(CSV, &text, deflated())),
        ("stored", zip(CSV, &text, stored)),
        ("in a deep folder", zip("var/folders/x y/Covid19Casos.csv", &text, deflated())),
        ("in a folder of Windows", zip("datos\\Covid19Casos.csv", &text, deflated())),
        ("Zip64", zip(CSV, &text, deflated().large_file(true))),
        ("Zip64, stored", zip(CSV, &text, stored.large_file(true))),
        ("UTF-16LE in a zip", zip(CSV, utf16(&text), deflated())),
        ("among others", {
            let mut archive = ZipWriter::new(Cursor::new(Vec::new()));
            archive.set_comment("a comment that says PK\u{5}\u{6}").unwrap();
            for (name, content) in [
                ("leeme.txt", "hola"),
                ("a/xCovid19Casos.csv", "x,y\n1,2\n"),
                (CSV, &text),
                ("z.csv", "x,y\n"),
            ] {
                archive.start_file(name, deflated()).unwrap();
                archive.write_all(content.as_bytes()).unwrap();
            }
            archive.finish().unwrap().into_inner()
        }),
    ]
}

#[tokio::test]
async fn every_form_gives_the_same_table() {
    let fixture = Fixture::new().await;
    let expected = model::load(file(&good(COUNT)).as_bytes(), &georef(), &Years::All);
    assert_eq!(expected.loaded, i64::from(COUNT), "nothing is wrong with these rows: {:?}", expected.issues);
    let forms = texts().into_iter().map(|(form, text)| (CSV, form, text));
    for (name, form, content) in forms.chain(archives().into_iter().map(|(form, zip)| (ZIP, form, zip))) {
        fixture.replace(name, content);
        let loaded = fixture.load("all").await;
        loaded.must_be(&expected, form);
    }
}

/// A zip, which the ministry publishes, has precedence over a bare CSV.
#[tokio::test]
async fn zip_is_preferred_over_csv() {
    let fixture = Fixture::new().await;
    fixture.put(CSV, file(&good(3)));
    fixture.put(ZIP, zip(CSV, file(&good(5)), deflated()));
    assert_eq!(fixture.load("all").await.loaded, 5);
}

/// A file of several blocks, so that it is cut between rows and between characters.
#[tokio::test]
async fn large_utf_16_file_loads_like_utf_8() {
    let fixture = Fixture::new().await;
    let rows: Vec<Row> = (0..9000)
        .map(|number| {
            let mut row = rows::row(number);
            row[4] = Some("🦠ñ".repeat(number as usize % 23));
            row
        })
        .collect();
    let text = file(&rows);
    let mut tables = Vec::new();
    for content in [text.clone().into_bytes(), utf16(&text)] {
        fixture.replace(ZIP, zip(CSV, content, deflated()));
        assert_eq!(fixture.load("all").await.loaded, 9000);
        tables.push(table(&mut fixture.connect().await).await);
    }
    assert_eq!(tables[0], tables[1]);
}
