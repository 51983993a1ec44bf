//! Complete samples, read with a plain CSV reader.

use std::collections::{BTreeMap, HashSet};
use std::fs::File;
use std::io::Read;
use std::path::Path;

use super::*;

const HEADER: &str = "\"id_evento_caso\",\"sexo\",\"edad\",\"edad_años_meses\",\"residencia_pais_nombre\",\
    \"residencia_provincia_nombre\",\"residencia_departamento_nombre\",\"carga_provincia_nombre\",\
    \"fecha_inicio_sintomas\",\"fecha_apertura\",\"sepi_apertura\",\"fecha_internacion\",\"cuidado_intensivo\",\
    \"fecha_cui_intensivo\",\"fallecido\",\"fecha_fallecimiento\",\"asistencia_respiratoria_mecanica\",\
    \"carga_provincia_id\",\"origen_financiamiento\",\"clasificacion\",\"clasificacion_resumen\",\
    \"residencia_provincia_id\",\"fecha_diagnostico\",\"residencia_departamento_id\",\"ultima_actualizacion\"\r\n";

/// Sorted.
const FILES: [&str; 5] = [
    "Covid19Casos.zip",
    "Covid19Determinaciones.zip",
    "Covid19VacunasAgrupadas.csv.zip",
    "departamentos.csv",
    "provincias.csv",
];

fn make(rows: u64, seed: u64, dirty: f64, out: &Path) -> SampleSummary {
    write(&Options { rows, seed, dirty, doses: 0, out: out.to_owned() }, &|_| ()).unwrap()
}

fn csv_bytes(out: &Path) -> Vec<u8> {
    let mut archive = zip::ZipArchive::new(File::open(out.join("Covid19Casos.zip")).unwrap()).unwrap();
    assert_eq!(archive.len(), 1);
    let mut bytes = Vec::new();
    archive.by_name("Covid19Casos.csv").unwrap().read_to_end(&mut bytes).unwrap();
    bytes
}

/// Returns the line list of a new sample.
pub(crate) fn sample(rows: u64, seed: u64, dirty: f64) -> (String, SampleSummary) {
    let folder = tempfile::tempdir().unwrap();
    let written = make(rows, seed, dirty, folder.path());
    let bytes = csv_bytes(folder.path());
    assert_eq!(bytes.len() as u64, written.csv_bytes);
    (String::from_utf8_lossy(&bytes).into_owned(), written)
}

struct Table(Vec<csv::StringRecord>);

impl Table {
    fn clean(rows: u64, seed: u64) -> Self {
        let (text, _) = sample(rows, seed, 0.0);
        Self(csv::Reader::from_reader(text.as_bytes()).records().map(Result::unwrap).collect())
    }

    fn column(&self, name: &str) -> impl Iterator<Item = &str> {
        let index = HEADER.split(',').position(|column| column.trim().trim_matches('"') == name).unwrap();
        self.0.iter().map(move |record| &record[index])
    }

    fn share(&self, keep: impl Fn(&csv::StringRecord) -> bool) -> f64 {
        share(self.0.iter().filter(|record| keep(record)).count(), self.0.len())
    }
}

#[expect(clippy::cast_precision_loss, reason = "counts of a test")]
fn share(part: usize, whole: usize) -> f64 {
    part as f64 / whole as f64
}

#[track_caller]
fn near(value: f64, expected: f64, tolerance: f64) {
    assert!((value - expected).abs() <= tolerance, "{value} instead of {expected} ± {tolerance}");
}

#[test]
fn write_with_same_options_gives_same_bytes() {
    let folders = [(); 3].map(|()| tempfile::tempdir().unwrap());
    let written = [(0, 1), (1, 1), (2, 2)]
        .map(|(folder, seed): (usize, u64)| make(20_000, seed, 0.05, folders[folder].path()));
    assert_eq!(written[0], written[1]);
    let bytes = |folder: usize, name: &str| fs::read(folders[folder].path().join(name)).unwrap();
    for name in FILES {
        assert_eq!(bytes(0, name), bytes(1, name), "{name}");
    }
    for name in ["Covid19Casos.zip", "Covid19Determinaciones.zip", "Covid19VacunasAgrupadas.csv.zip"] {
        assert_ne!(bytes(0, name), bytes(2, name), "{name}");
    }
}

/// Measurements of different versions are compared on the same input.
#[test]
fn write_with_same_seed_gives_same_bytes_in_every_version() {
    let folder = tempfile::tempdir().unwrap();
    make(20_000, 2, 0.05, folder.path());
    // The checksum of a zip's member, the length of another file.
    let found = FILES.map(|name| {
        let file = File::open(folder.path().join(name)).unwrap();
        let length = file.metadata().unwrap().len();
        zip::ZipArchive::new(file).map_or(length, |mut zip| zip.by_index(0).unwrap().crc32().into())
    });
    assert_eq!(found, [0x0f9e_77e7, 0x5579_248c, 0x88eb_ab03, 71_368, 2_595]);
}

#[test]
fn write_leaves_no_temporary_files() {
    let folder = tempfile::tempdir().unwrap();
    let written = make(5_000, 1, 0.0, folder.path());
    let mut names: Vec<_> = fs::read_dir(&folder)
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    names.sort();
    assert_eq!(names, FILES);
    assert_eq!(fs::metadata(folder.path().join("Covid19Casos.zip")).unwrap().len(), written.zip_bytes);
}

#[test]
fn progress_reports_rows_up_to_total() {
    let folder = tempfile::tempdir().unwrap();
    let heard = std::cell::RefCell::new(Vec::new());
    let options = Options { rows: 10_000, seed: 1, dirty: 0.0, doses: 0, out: folder.path().to_owned() };
    write(&options, &|rows| heard.borrow_mut().push(rows)).unwrap();
    assert_eq!(*heard.borrow(), [4096, 8192, 10_000]);
}

#[test]
fn write_accepts_any_number_of_rows() {
    for rows in [0, 1, 45, 46, 47, 4096, 4097] {
        for dirty in [0.0, 1.0] {
            let (text, written) = sample(rows, 9, dirty);
            assert_eq!(written.rows, rows);
            let lines = text.lines().filter(|line| !line.is_empty()).count() as u64;
            assert_eq!(lines, rows + 1, "{rows} rows, dirty {dirty}");
        }
    }
}

#[test]
fn write_rejects_invalid_options() {
    for (rows, dirty) in [(1, -0.1), (1, 1.1), (1, f64::NAN), (u64::MAX, 0.0)] {
        let options = Options { rows, seed: 1, dirty, doses: 0, out: "/nowhere".into() };
        let failure = write(&options, &|_| ()).unwrap_err();
        assert_eq!(failure.exit(), common::failure::Exit::Usage);
        assert!(failure.hint_text().is_some());
    }
}

#[test]
fn clean_sample_has_ministry_format() {
    let (text, _) = sample(20_000, 3, 0.0);
    assert!(text.starts_with(HEADER));
    assert_eq!(text.matches('\n').count(), 20_001);
    for line in text.split_terminator("\r\n") {
        let fields: Vec<&str> = line.split(',').collect();
        assert_eq!(fields.len(), 25, "{line}");
        for field in fields {
            let inner = field.strip_prefix('"').and_then(|field| field.strip_suffix('"'));
            assert!(
                field.is_empty() || inner.is_some_and(|inner| !inner.is_empty() && !inner.contains('"')),
                "{line}"
            );
        }
    }
}

#[test]
fn ids_are_distinct_and_sorted_as_text() {
    let table = Table::clean(200_000, 4);
    let ids: Vec<&str> = table.column("id_evento_caso").collect();
    assert_eq!(ids.len(), 200_000);
    assert!(ids.is_sorted_by(|a, b| a < b));
    assert_eq!(ids.iter().collect::<HashSet<_>>().len(), 200_000);
    assert!(ids.iter().all(|id| id.parse::<u32>().is_ok()));
    // Dates jump between years throughout the file.
    let years: Vec<&str> = table.column("fecha_apertura").map(|date| &date[..4]).collect();
    assert!(years.chunks(20_000).filter(|chunk| chunk.iter().collect::<HashSet<_>>().len() > 1).count() >= 5);
}

#[test]
fn rows_are_consistent() {
    let table = Table::clean(50_000, 5);
    let geography: HashSet<(String, String)> = {
        let folder = tempfile::tempdir().unwrap();
        make(0, 1, 0.0, folder.path());
        let mut reader = csv::Reader::from_path(folder.path().join("departamentos.csv")).unwrap();
        reader
            .records()
            .map(|record| record.unwrap())
            .map(|row| (row[7].to_owned(), row[4].to_owned()))
            .collect()
    };
    for record in &table.0 {
        let [sex, age, unit, week] = [1, 2, 3, 10].map(|column| &record[column]);
        assert!(["F", "M", "NR"].contains(&sex));
        assert!(["Años", "Meses"].contains(&unit));
        assert!(
            age.is_empty()
                || age.parse::<u8>().is_ok_and(|age| age <= if unit == "Meses" { 11 } else { 120 })
        );
        assert_eq!(week, calendar::epidemiological_week(record[9].parse().unwrap()).to_string());
        assert_eq!(&record[14] == "SI", !record[15].is_empty(), "dead and when");
        for column in [8, 9, 11, 13, 15, 22] {
            assert!(record[column].is_empty() || ("2018-11-21"..="2022-06-05").contains(&&record[column]));
        }
        assert!(("2020-03-01"..="2022-06-04").contains(&&record[9]));
        assert_eq!(&record[24], "2022-06-05");
        let (long, short) = (record[19].to_lowercase(), &record[20]);
        assert!(match short {
            "Confirmado" => long.starts_with("caso confirmado"),
            "Sospechoso" =>
                long.starts_with("caso sospechoso")
                    || long.starts_with("caso con")
                    || long == "sin clasificar",
            "Descartado" => ["caso descartado", "otro diagnostico", "caso invalidado epidemiologicamente"]
                .contains(&&*long),
            _ => false,
        });
        assert_eq!(
            short == "Confirmado" && &record[14] == "SI",
            long.contains("confirmado") && long.contains("fallecido")
        );
        let (province, department) = (&record[21], &record[23]);
        let georef = match (province, department) {
            (_, "0") => continue,
            ("02", comuna) => format!("02{:03}", comuna.parse::<u32>().unwrap() * 7),
            ("94", "007") => "94008".to_owned(),
            ("94", "014") => "94015".to_owned(),
            _ => format!("{province}{department}"),
        };
        assert!(geography.contains(&(province.to_owned(), georef)), "{record:?}");
    }
}

#[test]
fn shares_match_tables() {
    let table = Table::clean(200_000, 6);
    near(table.share(|row| row[9].starts_with("2022")), 0.329, 0.01);
    near(table.share(|row| &row[20] == "Confirmado"), 0.305, 0.01);
    near(table.share(|row| &row[20] == "Sospechoso"), 0.043, 0.01);
    near(table.share(|row| row[2].is_empty()), 0.000_285, 0.000_15);
    near(table.share(|row| row[22].is_empty()), 0.06, 0.015);
    near(table.share(|row| &row[21] == "06"), 0.40, 0.02);
    near(table.share(|row| &row[21] == "02"), 0.134, 0.01);
    near(table.share(|row| &row[21] == "99"), 0.014, 0.002);
    near(table.share(|row| row[21] != row[17]), 0.16, 0.02);
    // 61 % of CABA, all cases without a province, and few others.
    near(table.share(|row| &row[23] == "0"), 0.134 * 0.611 + 0.014 + 0.002, 0.01);

    let confirmed: Vec<_> = table.0.iter().filter(|row| &row[20] == "Confirmado").collect();
    let of_confirmed = |keep: &dyn Fn(&csv::StringRecord) -> bool| {
        share(confirmed.iter().filter(|row| keep(row)).count(), confirmed.len())
    };
    near(of_confirmed(&|row| &row[1] == "F"), 0.516, 0.008);
    near(of_confirmed(&|row| &row[1] == "NR"), 0.0048, 0.001);
    near(of_confirmed(&|row| &row[14] == "SI"), 0.0139, 0.002);
    let in_2022 = |province| of_confirmed(&|row| row[9].starts_with("2022") && &row[21] == province);
    near(in_2022("14") / of_confirmed(&|row| row[9].starts_with("2022")), 0.111, 0.01);
}

#[test]
fn waves_peak_in_published_months() {
    let table = Table::clean(200_000, 7);
    let mut months = BTreeMap::<&str, usize>::new();
    for (date, outcome) in table.column("fecha_apertura").zip(table.column("clasificacion_resumen")) {
        *months.entry(&date[..7]).or_default() += usize::from(outcome == "Confirmado");
    }
    let peak_of = |year: &str| {
        months
            .iter()
            .filter(|(month, _)| month.starts_with(year))
            .max_by_key(|(_, rows)| **rows)
            .map(|(month, _)| *month)
    };
    assert_eq!(
        ["2020", "2021", "2022"].map(|year| peak_of(year).unwrap()),
        ["2020-10", "2021-05", "2022-01"]
    );
    let total: usize = months.values().sum();
    near(share(months["2022-01"], total), 2_673_721.0 / 9_126_000.0, 0.01);
    near(share(months["2022-05"], total), 150_922.0 / 9_126_000.0, 0.003);
}
