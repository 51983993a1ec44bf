//! The memory of a run, which must not depend on its input. It is read when the run has finished everything but the publication.

use std::fmt::Write as _;
use std::io::Write as _;

use crate::barrier::{Barrier, Stage};
use crate::fixture::{Dataset, Fixture};

/// 96 MiB, in KiB.
const LIMIT: u64 = 96 << 10;

// The texts of the rows alone would be more than the limit.

#[tokio::test]
async fn for_many_rows() {
    let fixture = Fixture::new().await;
    stays_below_the_limit(&fixture, &fixture.dataset(500_000, 1), 500_000, 0).await;
}

/// Ids spread over 63 bits, enough for two files of sorted ids.
#[tokio::test]
async fn for_many_sparse_ids() {
    let fixture = Fixture::new().await;
    stays_below_the_limit(&fixture, &cases(&fixture, 600_000, "02"), 600_000, 0).await;
}

#[tokio::test]
async fn for_many_rejected_rows() {
    let fixture = Fixture::new().await;
    // One row is good: an empty result is never published.
    stays_below_the_limit(&fixture, &cases(&fixture, 1_000_000, "99"), 1, 999_999).await;
}

/// Accepted rows, and more rejected ones, in an optional file.
#[tokio::test]
async fn for_a_large_optional_file() {
    let fixture = Fixture::new().await;
    let dataset = fixture.dataset(1_000, 5);
    std::fs::remove_file(dataset.0.join("Covid19Determinaciones.zip")).unwrap();
    let mut file = std::fs::File::create(dataset.0.join("Covid19Determinaciones.csv")).unwrap();
    let header =
        "fecha,codigo_indec_provincia,codigo_indec_departamento,total,positivos,ultima_actualizacion\n";
    file.write_all(header.as_bytes()).unwrap();
    let rows = "2021-05-01,06,441,100,20,2022-06-05\n".repeat(1_000) + &"x\n".repeat(3_000);
    for _ in 0..500 {
        file.write_all(rows.as_bytes()).unwrap();
    }
    drop(file);
    stays_below_the_limit(&fixture, &dataset, 500_000, 1_500_000).await;
}

/// An archive whose directory alone is larger than the limit, and a reference table with geometries.
#[tokio::test]
async fn for_a_large_directory_and_a_large_reference_table() {
    let fixture = Fixture::new().await;
    let dataset = fixture.dataset(1_000, 6);
    let archive = dataset.0.join("Covid19Casos.zip");
    std::fs::write(&archive, with_other_entries(&std::fs::read(&archive).unwrap(), 2_000_000)).unwrap();
    let departments = dataset.0.join("departamentos.csv");
    let geometry = format!(",\"{}\"\n", "1 2,".repeat(15_000));
    let table = std::fs::read_to_string(&departments).unwrap();
    let mut file = std::fs::File::create(&departments).unwrap();
    for (number, row) in table.lines().enumerate() {
        let more = if number == 0 { ",\"wkt\"\n" } else { &geometry };
        file.write_all(row.as_bytes()).and_then(|()| file.write_all(more.as_bytes())).unwrap();
    }
    drop(file);
    stays_below_the_limit(&fixture, &dataset, 1_000, 0).await;
}

/// Returns the archive with this many entries of other members before its own in the directory, and a Zip64 end.
fn with_other_entries(archive: &[u8], entries: u64) -> Vec<u8> {
    let position = |signature: &[u8]| archive.windows(4).rposition(|bytes| bytes == signature).unwrap();
    let (start, end) = (position(b"PK\x01\x02"), position(b"PK\x05\x06"));
    let mut other = archive[start..end].to_vec();
    other[46] ^= 1;
    let mut large = archive[..start].to_vec();
    (0..entries).for_each(|_| large.extend(&other));
    large.extend(&archive[start..end]);
    let (size, record) = ((large.len() - start) as u64, large.len() as u64);
    large.extend(b"PK\x06\x06\x2C\0\0\0\0\0\0\0\x2D\0\x2D\0\0\0\0\0\0\0\0\0");
    for value in [entries + 1, entries + 1, size, start as u64] {
        large.extend(value.to_le_bytes());
    }
    large.extend(b"PK\x06\x07\0\0\0\0");
    large.extend(record.to_le_bytes());
    large.extend(b"\x01\0\0\0PK\x05\x06\0\0\0\0");
    large.extend([0xFF; 12]);
    large.extend([0, 0]);
    large
}

#[expect(clippy::print_stdout, reason = "the figure, visible with --nocapture")]
async fn stays_below_the_limit(fixture: &Fixture, dataset: &Dataset, loaded: u64, rejected: u64) {
    fixture.load(&fixture.dataset(1, 3), &[]).await;
    let mut barrier = Barrier::close(fixture, Stage::Publishing).await;
    let run = fixture.start(dataset, &[]);
    barrier.reached_by(&run).await;
    let peak = run.peak_memory();
    drop(barrier);
    let ended = run.end().await;
    assert_eq!(ended.code, Some(0), "{}", ended.said);
    for (name, rows) in [("loaded", loaded), ("rejected", rejected)] {
        assert!(ended.said.contains(&format!("{name}={rows} ")), "{}", ended.said);
    }
    println!("{loaded} rows loaded, {rejected} rejected: {peak} KiB");
    assert!(peak < LIMIT, "{peak} KiB");
}

/// Rows with only the required fields, all but the first registered in this province.
fn cases(fixture: &Fixture, rows: u64, province: &str) -> Dataset {
    let dataset = fixture.dataset(1, 4);
    std::fs::remove_file(dataset.0.join("Covid19Casos.zip")).unwrap();
    let mut text = "id_evento_caso,sexo,edad,edad_años_meses,fecha_inicio_sintomas,fecha_apertura,fecha_internacion,\
        cuidado_intensivo,asistencia_respiratoria_mecanica,fecha_fallecimiento,fecha_diagnostico,carga_provincia_id,\
        residencia_provincia_id,residencia_departamento_id,clasificacion_resumen,ultima_actualizacion\n"
        .to_owned();
    let mut file = std::fs::File::create(dataset.0.join("Covid19Casos.csv")).unwrap();
    let mut id = 0_u64;
    for row in 0..rows {
        let province = if row == 0 { "02" } else { province };
        // Full period, and the upper bits are as good as random.
        id = id.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        let case_id = (id >> 1).max(1);
        writeln!(text, "{case_id},F,30,Años,,2021-05-01,,NO,NO,,,{province},02,000,Confirmado,2022-06-01")
            .unwrap();
        if text.len() > 1 << 20 {
            file.write_all(text.as_bytes()).unwrap();
            text.clear();
        }
    }
    file.write_all(text.as_bytes()).unwrap();
    dataset
}
