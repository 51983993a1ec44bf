//! Provinces and departments: small tables that belong to their release.

use crate::fixture::{CSV, Fixture};
use crate::outcome::value;
use crate::rows::{DEPARTMENTS, PROVINCES, file, good};

#[tokio::test]
async fn names_change_with_the_next_load() {
    let fixture = Fixture::loaded().await;
    fixture.put("provincias.csv", PROVINCES.replace("Jujuy", "Jujuy del Norte"));
    fixture.put("departamentos.csv", DEPARTMENTS.replace("La Plata", "Ciudad de La Plata"));

    let ended = fixture.run(&["--years", "all"]).succeeded();

    assert!(!ended.stderr.contains("already loaded"), "other names are another dataset: {}", ended.stderr);
    let names = "SELECT (SELECT string_agg(name, ', ' ORDER BY province_id) FROM province) || ' / '
                     || (SELECT name FROM department WHERE department_id = 6441)";
    let names: String = value(&mut fixture.connect().await, names).await;
    assert_eq!(names, "CABA, Buenos Aires, Jujuy del Norte, Tierra del Fuego / Ciudad de La Plata");
}

/// Its cases lose their department, a repair. The publish gate refuses this unless anomalies are accepted.
#[tokio::test]
async fn department_that_is_gone_from_the_file_is_gone_from_the_release() {
    let fixture = Fixture::loaded().await;
    let query = "SELECT count(*) || ' ' || count(residence_department_id) || ' ' || (SELECT count(*) FROM department) FROM covid_case";
    assert_eq!(value::<String>(&mut fixture.connect().await, query).await, "60 42 8");
    fixture.put("departamentos.csv", DEPARTMENTS.replace("\"06441\",\"La Plata\",\"06\"\r\n", ""));
    let run = fixture.run(&["--years", "all"]).succeeded().run;
    let (rest, repaired) = ("60 30 7", "12");
    assert_eq!(value::<String>(&mut fixture.connect().await, query).await, rest);
    let issue = format!(
        "SELECT rows::text FROM run_issue WHERE run_id = '{run}' AND reason = 'unknown_residence_department'"
    );
    assert_eq!(value::<String>(&mut fixture.connect().await, &issue).await, repaired);
}

#[tokio::test]
async fn rows_that_cannot_be_used_are_kept_and_counted() {
    let fixture = Fixture::new().await;
    fixture.put(CSV, file(&good(12)));
    fixture.put(
        "provincias.csv",
        format!("{PROVINCES}\"Provincia\",\"x\",\"Nada\"\r\n\"Provincia\",\"06\",\"Otra\"\r\n"),
    );
    fixture.put("departamentos.csv", format!("{DEPARTMENTS}\"14007\",\"Calamuchita\",\"14\"\r\n\"06\"\r\n"));
    let run = fixture.run(&["--years", "all"]).succeeded().run;

    let query = format!(
        "SELECT string_agg(concat_ws(' ', dataset, line, reason, raw), E'\\n' ORDER BY dataset DESC, line)
         FROM rejected_row WHERE run_id = '{run}'"
    );
    let rejected: String = value(&mut fixture.connect().await, &query).await;
    let expected = [
        r#"provinces 6 invalid_province_id "Provincia","x","Nada""#,
        r#"provinces 7 duplicate_province_id "Provincia","06","Otra""#,
        r#"departments 10 unknown_province "14007","Calamuchita","14""#,
        r#"departments 11 malformed "06""#,
    ];
    assert_eq!(rejected.lines().collect::<Vec<_>>(), expected);
    let query =
        format!("SELECT sum(rows)::bigint FROM run_issue WHERE run_id = '{run}' AND dataset <> 'cases'");
    assert_eq!(value::<i64>(&mut fixture.connect().await, &query).await, 4);
    let query = format!("SELECT rows_rejected FROM pipeline_run WHERE run_id = '{run}'");
    assert_eq!(
        value::<i64>(&mut fixture.connect().await, &query).await,
        0,
        "the run's own counts are of the line list"
    );
}

#[tokio::test]
async fn every_form_of_a_reference_table_gives_the_same_names() {
    let fixture = Fixture::new().await;
    fixture.put(CSV, file(&good(12)));
    let utf16 = |text: &str| {
        "\u{FEFF}".encode_utf16().chain(text.encode_utf16()).flat_map(u16::to_le_bytes).collect()
    };
    let forms: [fn(&str) -> String; 5] = [
        str::to_owned,
        |text| format!("\u{FEFF}{text}"),
        |text| text.replace("\r\n", "\n"),
        |text| format!("\r\n\n{}", text.replace('"', "").replace(", Ant", " Ant")),
        |text| text.replace(",\"", ",\"\u{A0}").replace("06441", "6441.0").replace("\r\n", "\r\n\r\n"),
    ];
    let mut contents: Vec<[Vec<u8>; 2]> =
        forms.iter().map(|form| [PROVINCES, DEPARTMENTS].map(|text| form(text).into_bytes())).collect();
    contents.push([PROVINCES, DEPARTMENTS].map(utf16));
    for [provinces, departments] in contents {
        fixture.put("provincias.csv", provinces);
        fixture.put("departamentos.csv", departments);
        let ended = fixture.run(&["--years", "all", "--force"]).succeeded();
        let query =
            "SELECT concat_ws(' / ', (SELECT string_agg(name, ', ' ORDER BY province_id) FROM province),
                         (SELECT string_agg(name, ', ' ORDER BY department_id) FROM department))";
        let names: String = value(&mut fixture.connect().await, query).await;
        let expected = "CABA, Buenos Aires, Jujuy, Tierra del Fuego / Comuna 1, Comuna 7, Comuna 15, Campana, La Plata, \
            Doctor Manuel Belgrano, Río Grande, Ushuaia";
        assert_eq!(names, expected, "{}", ended.stderr);
    }
}

/// A table with geometries has a few megabytes in a line.
#[tokio::test]
async fn large_reference_table_is_read_completely() {
    let fixture = Fixture::new().await;
    fixture.put(CSV, file(&good(12)));
    let polygon = format!(",\"POLYGON(({}))\"\r\n", "1 2,".repeat(900_000));
    let table = DEPARTMENTS.replacen("\r\n", ",\"wkt\"\n", 1).replace("\r\n", &polygon);
    assert!(table.len() > 25 << 20);
    fixture.put("departamentos.csv", table);
    let loaded = fixture.load("all").await;
    assert_eq!(loaded.rejected, 0);
    let departments: i64 = value(&mut fixture.connect().await, "SELECT count(*) FROM department").await;
    assert_eq!(departments, 8);
}

#[tokio::test]
async fn nul_in_a_name_rejects_one_row() {
    let fixture = Fixture::new().await;
    fixture.put(CSV, file(&good(12)));
    fixture.put("departamentos.csv", DEPARTMENTS.replace("La Plata", "La\0Plata"));
    let loaded = fixture.load("all").await;
    assert_eq!(loaded.issues.get("departments rejected malformed"), Some(&1));
}
