//! Files of many blocks, which several threads clean: the outcome is that of reading them from top to bottom.

use std::collections::BTreeSet;
use std::fmt::Write as _;

use crate::fixture::{CSV, Fixture, ZIP};
use crate::model::{self, Years, reasons};
use crate::outcome::value;
use crate::rows::{self, MINISTRY, deflated, georef, zip};

/// Rows that differ except for their ids, each of which occurs three times: a few rows later and megabytes later.
#[tokio::test]
async fn first_row_with_an_id_is_kept() {
    const ROWS: u32 = 24_000;
    let mut text = MINISTRY.header();
    for number in 0..ROWS {
        let mut row = rows::row(number);
        let id = if number % 3 == 2 { number - 2 } else { number % (ROWS / 2) };
        row[0] = Some((id + 1).to_string());
        text += &MINISTRY.line(&row);
        match number % 50 {
            7 => text += "\"broken,row\r\n",
            21 => text += "\"1\",\"two\r\nlines\"\r\n",
            33 => text += "\r\n",
            _ => {}
        }
    }
    assert!(text.len() > 5 << 20, "{} bytes", text.len());
    let fixture = Fixture::new().await;
    fixture.put(ZIP, zip(CSV, &text, deflated()));

    let loaded = fixture.load("all").await;

    loaded.must_be(&model::load(text.as_bytes(), &georef(), &Years::All), "order");
    assert!(loaded.issues["cases rejected duplicate_case_id"] > 10_000, "{:?}", loaded.issues);
}

/// No line of such a file is a row by itself.
#[tokio::test]
async fn every_row_may_span_several_lines() {
    let mut text = MINISTRY.header();
    for number in 0..8000 {
        let mut row = rows::row(number);
        row[4] = Some("uno\ndos".to_owned() + &"\ntres".repeat(number as usize % 5));
        text += &MINISTRY.line(&row);
    }
    assert!(text.len() > 3 << 19, "{} bytes", text.len());
    let fixture = Fixture::new().await;
    fixture.put(CSV, &text);

    let loaded = fixture.load("all").await;

    loaded.must_be(&model::load(text.as_bytes(), &georef(), &Years::All), "rows of several lines");
    assert_eq!((loaded.loaded, reasons(&loaded).contains("rejected malformed")), (8000, false));
}

/// Ids spread over 63 bits are as exact as the ministry's.
#[tokio::test]
async fn ids_may_lie_anywhere() {
    const COLUMNS: &str = "id_evento_caso,sexo,edad,edad_años_meses,fecha_inicio_sintomas,fecha_apertura,fecha_internacion,\
        cuidado_intensivo,asistencia_respiratoria_mecanica,fecha_fallecimiento,fecha_diagnostico,carga_provincia_id,\
        residencia_provincia_id,residencia_departamento_id,clasificacion_resumen,ultima_actualizacion\n";
    let mut text = COLUMNS.to_owned();
    let (mut ids, mut rows, mut state) = (Vec::new(), 0_i64, 88_172_645_463_325_252_u64);
    while rows < 300_000 {
        // Xorshift, from Marsaglia's paper: never 0, no repetition for 2^64 - 1 steps.
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        let new = i64::try_from(state >> 1).unwrap().max(1);
        // Every fourth row has the id of one before it, from anywhere.
        let id = if rows % 4 == 3 { ids[usize::try_from(new).unwrap() % ids.len()] } else { new };
        ids.push(id);
        writeln!(text, "{id},F,30,Años,,2022-01-02,,NO,NO,,,06,06,441,Confirmado,2022-06-05").unwrap();
        rows += 1;
    }
    let distinct: BTreeSet<i64> = ids.iter().copied().collect();
    let fixture = Fixture::new().await;
    fixture.put(ZIP, zip(CSV, &text, deflated()));

    let run = fixture.run(&["--years", "all"]).succeeded().run;

    let mut connection = fixture.connect().await;
    let counts = format!(
        "SELECT concat_ws(' ', rows_read, rows_loaded, rows_rejected) FROM pipeline_run WHERE run_id = '{run}'"
    );
    let loaded = i64::try_from(distinct.len()).unwrap();
    assert_eq!(value::<String>(&mut connection, &counts).await, format!("{rows} {loaded} {}", rows - loaded));
    let kept: Vec<i64> = sqlx::query_scalar("SELECT case_id FROM covid_case ORDER BY 1")
        .fetch_all(&mut connection)
        .await
        .unwrap();
    assert!(kept.into_iter().eq(distinct), "exactly these ids are there");
}

/// It applies to the rows before it, too; a malformed row has no date.
#[tokio::test]
async fn dataset_date_may_come_from_a_late_row() {
    let mut text = MINISTRY.header().into_bytes();
    for number in 0..4000 {
        let mut row = rows::row(number);
        let (date, spoiled) = match number {
            0 => ("2022-12-31", true),
            3000 => ("2021-03-15", false),
            3001.. => ("2022-06-05", false),
            _ => (["", "NA", "hoy"][number as usize % 3], false),
        };
        row[24] = Some(date.to_owned());
        let line = MINISTRY.line(&row).into_bytes();
        text.extend_from_slice(if spoiled { b"\"\xF1" } else { b"" });
        text.extend_from_slice(if spoiled { &line[1..] } else { &line });
    }
    let fixture = Fixture::new().await;
    fixture.put(CSV, &text);

    let loaded = fixture.load("latest").await;

    loaded.must_be(&model::load(&text, &georef(), &Years::Latest), "a late date");
    assert!(loaded.issues["cases rejected invalid_registration_date"] > 1000, "{:?}", loaded.issues);
    let date = "SELECT dataset_updated_on::text FROM pipeline_run";
    assert_eq!(value::<String>(&mut fixture.connect().await, date).await, "2021-03-15");
}
