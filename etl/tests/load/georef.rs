//! Provinces and departments: small tables that a load brings up to date and never empties.

use crate::loaded::value;
use crate::place::{CSV, Place};
use crate::rows::{DEPARTMENTS, PROVINCES, file, good};

#[tokio::test]
async fn names_change_with_the_next_load() {
    let place = Place::loaded().await;
    place.put("provincias.csv", PROVINCES.replace("Jujuy", "Jujuy del Norte"));
    place.put("departamentos.csv", DEPARTMENTS.replace("La Plata", "Ciudad de La Plata"));

    let ended = place.run(&["--years", "all"]).succeeded();

    assert!(!ended.stderr.contains("already loaded"), "other names are another dataset: {}", ended.stderr);
    let names = "SELECT (SELECT string_agg(name, ', ' ORDER BY province_id) FROM province) || ' / '
                     || (SELECT name FROM department WHERE department_id = 6441)";
    let names: String = value(&mut place.connect().await, names).await;
    assert_eq!(names, "CABA, Buenos Aires, Jujuy del Norte, Tierra del Fuego / Ciudad de La Plata");
}

/// Cases of an older dataset may still be in them.
#[tokio::test]
async fn what_is_gone_from_the_files_stays_in_the_tables() {
    let place = Place::loaded().await;
    place.put("departamentos.csv", DEPARTMENTS.replace("\"06441\",\"La Plata\",\"06\"\r\n", ""));
    place.run(&["--years", "all"]).succeeded();
    let query = "SELECT count(*) FROM covid_case WHERE residence_department_id = 6441";
    let cases: i64 = value(&mut place.connect().await, query).await;
    assert!(cases > 0);
}

#[tokio::test]
async fn rows_that_cannot_be_used_are_kept_and_counted() {
    let place = Place::new().await;
    place.put(CSV, file(&good(12)));
    place.put(
        "provincias.csv",
        format!("{PROVINCES}\"Provincia\",\"x\",\"Nada\"\r\n\"Provincia\",\"06\",\"Otra\"\r\n"),
    );
    place.put("departamentos.csv", format!("{DEPARTMENTS}\"14007\",\"Calamuchita\",\"14\"\r\n\"06\"\r\n"));
    let run = place.run(&["--years", "all"]).succeeded().run;

    let query = format!(
        "SELECT string_agg(concat_ws(' ', dataset, line, reason, raw), E'\\n' ORDER BY dataset DESC, line)
         FROM rejected_row WHERE run_id = '{run}'"
    );
    let rejected: String = value(&mut place.connect().await, &query).await;
    let expected = [
        r#"provinces 6 invalid_province_id "Provincia","x","Nada""#,
        r#"provinces 7 duplicate_province_id "Provincia","06","Otra""#,
        r#"departments 10 unknown_province "14007","Calamuchita","14""#,
        r#"departments 11 malformed "06""#,
    ];
    assert_eq!(rejected.lines().collect::<Vec<_>>(), expected);
    let query =
        format!("SELECT sum(rows)::bigint FROM run_issue WHERE run_id = '{run}' AND dataset <> 'cases'");
    assert_eq!(value::<i64>(&mut place.connect().await, &query).await, 4);
    let query = format!("SELECT rows_rejected FROM pipeline_run WHERE run_id = '{run}'");
    assert_eq!(
        value::<i64>(&mut place.connect().await, &query).await,
        0,
        "the run's own counts are of the line list"
    );
}
