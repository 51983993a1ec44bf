//! Line lists with an oddity of real files: they are loaded as meant, or refused with a message that names the oddity.

use crate::fixture::{CSV, Fixture, ZIP};
use crate::outcome::{table, value};
use crate::rows::{COLUMNS, MINISTRY, PROVINCES, Row, deflated, file, good, zip};

const COUNT: u32 = 80;

/// The columns with codes.
const CODES: [&str; 3] = ["carga_provincia_id", "residencia_provincia_id", "residencia_departamento_id"];

/// Changes the values of some columns.
fn changed(columns: impl Fn(&str) -> bool, change: impl Fn(Option<String>) -> Option<String>) -> Vec<Row> {
    let mut rows = good(COUNT);
    for row in &mut rows {
        for (field, _) in row.iter_mut().zip(COLUMNS).filter(|(_, name)| columns(name)) {
            *field = change(field.take());
        }
    }
    rows
}

/// Asserts that both are loaded, without rejects, as the same rows.
async fn must_be_loaded_alike(expected: &[Row], other: &[Row]) {
    let fixture = Fixture::new().await;
    let mut tables = Vec::new();
    for rows in [expected, other] {
        fixture.replace(CSV, file(rows));
        let loaded = fixture.load("all").await;
        assert_eq!((loaded.loaded, loaded.rejected), (i64::from(COUNT), 0));
        tables.push((loaded.issues, table(&mut fixture.connect().await).await));
    }
    assert_eq!(tables[0], tables[1]);
}

#[tokio::test]
async fn codes_are_read_as_decimals_and_between_blanks() {
    let is_code = |name: &str| CODES.contains(&name);
    let floats = changed(is_code, |code| code.map(|code| format!("{:.1}", code.parse::<f64>().unwrap())));
    assert_eq!(floats[0][17].as_deref(), Some("6.0"));
    must_be_loaded_alike(&good(COUNT), &floats).await;
    let blanks = changed(|_| true, |value| value.map(|value| format!("\u{A0}\u{FEFF}{value}\u{2009} ")));
    must_be_loaded_alike(&good(COUNT), &blanks).await;
}

#[tokio::test]
async fn words_in_another_case_are_the_ministry_words() {
    let is_word = |name: &str| {
        [
            "sexo",
            "edad_años_meses",
            "cuidado_intensivo",
            "asistencia_respiratoria_mecanica",
            "clasificacion_resumen",
        ]
        .contains(&name)
    };
    let lower = changed(is_word, |word| word.map(|word| word.to_lowercase()));
    must_be_loaded_alike(&good(COUNT), &lower).await;
    let upper = changed(is_word, |word| {
        word.map(|word| if word == "SI" { "Sí".to_owned() } else { word.to_uppercase() })
    });
    must_be_loaded_alike(&good(COUNT), &upper).await;
}

#[tokio::test]
async fn null_words_are_nulls_with_one_warning_for_each_column() {
    let nullable = |name: &str| name.starts_with("fecha_") || name == "edad";
    for word in ["NULL", "nan", "\\N"] {
        let words = changed(nullable, |value| Some(value.unwrap_or_else(|| word.to_owned())));
        must_be_loaded_alike(&good(COUNT), &words).await;
    }
    let fixture = Fixture::new().await;
    fixture.put(CSV, file(&changed(nullable, |value| Some(value.unwrap_or_else(|| "null".to_owned())))));
    let log = fixture.run(&["--years", "all"]).succeeded().stderr;
    let warnings: Vec<_> = log.lines().filter(|line| line.contains("column has a word for null")).collect();
    assert_eq!(warnings.len(), 5, "{log}");
    for (column, first) in
        [("age", 2), ("symptoms_on", 3), ("admitted_on", 3), ("died_on", 3), ("diagnosed_on", 3)]
    {
        let warning = warnings.iter().find(|line| line.contains(&format!("column=\"{column}\""))).unwrap();
        assert!(
            warning.contains("value=\"null\"") && warning.contains(&format!("first_line={first} ")),
            "{warning}"
        );
    }
}

#[tokio::test]
async fn record_with_too_many_fields_is_one_reject() {
    let fixture = Fixture::new().await;
    let text = file(&good(COUNT)).replacen(
        "\"Argentina\",\"Córdoba\"",
        "\"Argen,\r\n\r\ntina\",\"Córdoba\",\"more\"",
        1,
    );
    fixture.put(CSV, &text);
    let loaded = fixture.load("all").await;
    assert_eq!((loaded.loaded, loaded.rejected), (i64::from(COUNT) - 1, 1));
    assert_eq!((loaded.rejects[0].line, loaded.rejects[0].raw.lines().count()), (2, 3));
}

#[tokio::test]
async fn blank_lines_before_the_header_are_passed_over() {
    let fixture = Fixture::new().await;
    fixture.put(CSV, "\n".repeat(3_000_000) + &file(&good(COUNT)) + "x\r\n");
    let loaded = fixture.load("all").await;
    assert_eq!((loaded.loaded, loaded.rejects[0].line), (i64::from(COUNT), 3_000_082));
}

#[tokio::test]
async fn tierra_del_fuego_keeps_its_old_codes_if_the_reference_table_has_them() {
    let fixture = Fixture::new().await;
    fixture.put(CSV, file(&good(COUNT)));
    let departments = async |fixture: &Fixture| -> String {
        let query = "SELECT string_agg(DISTINCT residence_department_id::text, ' ') FROM covid_case WHERE residence_province_id = 94";
        value(&mut fixture.connect().await, query).await
    };
    fixture.load("all").await;
    assert_eq!(departments(&fixture).await, "94015");
    let old = crate::rows::DEPARTMENTS.to_owned() + "\"94014\",\"Ushuaia, antes\",\"94\"\r\n";
    fixture.put("departamentos.csv", old);
    fixture.load("all").await;
    assert_eq!(departments(&fixture).await, "94014");
}

#[tokio::test]
async fn foreign_csv_is_named() {
    let fixture = Fixture::loaded().await;
    let before = fixture.published().await;
    let text = file(&good(20));
    let to_utf16 =
        |text: &str, bytes: fn(u16) -> [u8; 2]| text.encode_utf16().flat_map(bytes).collect::<Vec<u8>>();
    let latin_1: Vec<u8> = text.chars().map(|at| u8::try_from(u32::from(at)).unwrap()).collect();
    let twice: String = text.bytes().map(char::from).collect();
    let gzip = {
        let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
        std::io::Write::write_all(&mut encoder, text.as_bytes()).unwrap();
        encoder.finish().unwrap()
    };
    let dates = |format: &dyn Fn(&str, &str, &str) -> String, columns: &dyn Fn(&str) -> bool| {
        file(&changed(columns, |date| date.map(|date| format(&date[..4], &date[5..7], &date[8..]))))
            .into_bytes()
    };
    let every_date = |name: &str| name.starts_with("fecha_") || name == "ultima_actualizacion";
    let slashes = |year: &str, month: &str, day: &str| format!("{day}/{month}/{year}");
    let with_time = |year: &str, month: &str, day: &str| format!("{year}-{month}-{day} 00:00:00");
    let cases: Vec<(&str, Vec<u8>, &[&str])> = vec![
        (CSV, text.replace(',', ";").into_bytes(), &["separated by semicolons"]),
        (CSV, text.replace(',', "\t").into_bytes(), &["separated by tabs"]),
        (CSV, format!("sep=,\r\n{text}").into_bytes(), &["begins with `sep=,`", "sed -i 1d"]),
        (CSV, format!("sep=;\r\n{}", text.replace(',', ";")).into_bytes(), &["begins with `sep=;`"]),
        (CSV, text.replace("\r\n", "\r").into_bytes(), &["a carriage return alone", "tr "]),
        (CSV, to_utf16(&format!("\u{FEFF}{text}"), u16::to_be_bytes), &["encoded in UTF-16BE", "iconv"]),
        (CSV, to_utf16(&text, u16::to_le_bytes), &["UTF-16LE, without a byte order mark"]),
        (CSV, latin_1.clone(), &["Latin-1", "edad_a\u{FFFD}os_meses", "iconv"]),
        (ZIP, zip(CSV, latin_1, deflated()), &["Latin-1"]),
        (CSV, twice.into_bytes(), &["encoded twice", "edad_aÃ±os_meses", "edad_años_meses"]),
        (CSV, gzip.clone(), &["contains gzip data", "gunzip"]),
        (ZIP, gzip.clone(), &["is not a zip archive, it contains gzip data"]),
        (ZIP, zip(CSV, gzip, deflated()), &["contains gzip data"]),
        (CSV, format!("{}{text}", "x,".repeat(500_000)).into_bytes(), &["header", "longer than 64 KiB"]),
        (CSV, dates(&slashes, &every_date), &["`fecha_apertura`", "line 2 has `01/01/2020`", "dd/mm/yyyy"]),
        (
            CSV,
            dates(&slashes, &|name| name == "ultima_actualizacion"),
            &["no date in", "`ultima_actualizacion`", "`05/06/2022`", "dd/mm/yyyy"],
        ),
        (CSV, dates(&with_time, &every_date), &["`2020-01-01 00:00:00`", "a time of day"]),
    ];
    for (name, content, words) in cases {
        fixture.replace(name, content);
        fixture.run(&["--years", "all"]).failed(&[&[name], words].concat());
        assert_eq!(fixture.published().await, before, "{words:?}");
    }
}

/// Reference tables have the same reader.
#[tokio::test]
async fn reference_tables_are_named_too() {
    let fixture = Fixture::loaded().await;
    let before = fixture.published().await;
    let latin_1: Vec<u8> = PROVINCES.chars().map(|at| u8::try_from(u32::from(at)).unwrap()).collect();
    let twice: String = PROVINCES.bytes().map(char::from).collect();
    let big: Vec<u8> =
        "\u{FEFF}".encode_utf16().chain(PROVINCES.encode_utf16()).flat_map(u16::to_be_bytes).collect();
    let cases: [(Vec<u8>, &[&str]); 7] = [
        (latin_1, &["Latin-1", "Ciudad Aut\u{FFFD}noma", "iconv"]),
        (twice.into_bytes(), &["encoded twice", "Ciudad AutÃ³noma", "`Ciudad Autónoma"]),
        (PROVINCES.replace('ó', "\u{FFFD}").into_bytes(), &["lost characters"]),
        (PROVINCES.replace("\r\n", "\r").into_bytes(), &["a carriage return alone"]),
        (PROVINCES.replace(',', ";").into_bytes(), &["separated by semicolons"]),
        (big, &["UTF-16BE"]),
        (
            format!("{}x\n", MINISTRY.header().replacen("sexo", "id", 1).replacen("edad", "nombre", 1))
                .into_bytes(),
            &["every row of", "malformed"],
        ),
    ];
    for (content, words) in cases {
        fixture.put("provincias.csv", content);
        fixture.run(&["--years", "all"]).failed(&[&["provincias.csv"], words].concat());
        assert_eq!(fixture.published().await, before, "{words:?}");
    }
}
