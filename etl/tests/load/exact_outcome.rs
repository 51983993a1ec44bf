//! Samples, clean and dirty, and real rows, compared with the model row by row.

use std::collections::BTreeMap;
use std::io::Read as _;
use std::path::Path;

use etl::sample::{self, Consequence};

use crate::fixture::{CSV, Etl, Fixture, ZIP};
use crate::model::{self, Georef, Years, reasons};
use crate::outcome::value;

/// Names a folder with real rows, which are not part of the project.
const REAL_DATA: &str = "COVID_REAL_DATA";

const ROWS: u64 = 12_000;

fn make_sample(dirty: f64, out: &Path) -> sample::SampleSummary {
    sample::write(&sample::Options { rows: ROWS, seed: 11, dirty, doses: 0, out: out.to_owned() }, &|_| {})
        .unwrap()
}

/// Returns the unpacked line list of a folder, and the model's provinces and departments.
fn read(folder: &Path) -> (Vec<u8>, Georef) {
    let file = std::fs::File::open(folder.join(ZIP)).unwrap();
    let (mut archive, mut text) = (zip::ZipArchive::new(file).unwrap(), Vec::new());
    archive.by_index(0).unwrap().read_to_end(&mut text).unwrap();
    (text, read_georef(folder))
}

fn read_georef(folder: &Path) -> Georef {
    let file = |name| std::fs::read(folder.join(name)).unwrap();
    Georef::read(&file("provincias.csv"), &file("departamentos.csv"))
}

async fn compare_for_all_years(fixture: &Fixture) -> [crate::outcome::Loaded; 3] {
    let (text, georef) = read(fixture.folder.path());
    let mut outcomes = Vec::new();
    for (flag, years) in
        [("all", Years::All), ("latest", Years::Latest), ("2020,2021", Years::Listed(&[2020, 2021]))]
    {
        let loaded = fixture.load(flag).await;
        loaded.must_be(&model::load(&text, &georef, &years), flag);
        outcomes.push(loaded);
    }
    outcomes.try_into().unwrap_or_else(|_| panic!("three were loaded"))
}

#[tokio::test]
async fn clean_sample_is_loaded_exactly() {
    let fixture = Fixture::new().await;
    make_sample(0.0, fixture.folder.path());
    let [all, latest, listed] = compare_for_all_years(&fixture).await;
    assert_eq!((all.read, all.filtered, all.rejected), (i64::try_from(ROWS).unwrap(), 0, 0));
    assert!(latest.filtered > 0 && listed.filtered > 0);
    assert_eq!(latest.loaded + listed.loaded, all.loaded, "every row is in one of the years");
}

#[tokio::test]
async fn dirty_sample_is_loaded_and_counted_exactly() {
    let fixture = Fixture::new().await;
    let written = make_sample(0.2, fixture.folder.path());
    let [all, ..] = compare_for_all_years(&fixture).await;
    assert_eq!(reasons(&all).len(), 13, "all five rejections and all eight repairs occur");

    let mut planted = BTreeMap::new();
    for (consequence, rows) in written.planted.tally() {
        let issue = match consequence {
            Consequence::Rejected(reason) => format!("cases rejected {reason}"),
            Consequence::Repaired(reason) => format!("cases repaired {reason}"),
            Consequence::Kept => continue,
        };
        *planted.entry(issue).or_insert(0) += i64::try_from(rows).unwrap();
    }
    assert_eq!(all.issues, planted);
    assert_eq!(all.rejected, i64::try_from(written.planted.rejected()).unwrap());
}

#[tokio::test]
async fn sample_command_writes_the_same_files() {
    let [ours, theirs] = [tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap()];
    make_sample(0.2, ours.path());
    let rows = ROWS.to_string();
    let arguments =
        ["--rows", &rows, "--seed", "11", "--dirty", "0.2", "--out", theirs.path().to_str().unwrap()];
    Etl::new("sample").arguments(&arguments).end().succeeded();
    let optional = ["Covid19Determinaciones.zip", "Covid19VacunasAgrupadas.csv.zip"];
    for name in ["provincias.csv", "departamentos.csv", ZIP].into_iter().chain(optional) {
        let read = |folder: &tempfile::TempDir| std::fs::read(folder.path().join(name)).unwrap();
        assert!(read(&ours) == read(&theirs), "{name}");
    }
}

#[tokio::test]
#[expect(clippy::disallowed_methods, reason = "tests have no command line: the folder is named this way")]
async fn real_rows_are_loaded_to_the_row() {
    let Ok(folder) = std::env::var(REAL_DATA) else {
        println!("skipped: {REAL_DATA} names no folder with real rows");
        return;
    };
    let folder = Path::new(&folder);
    let georef = read_georef(folder);
    for (name, rows) in [("Covid19Casos_20211017_20k.csv", 19_999), ("Covid19Casos_20200625_20k.csv", 20_000)]
    {
        let fixture = Fixture::new().await;
        for name in ["provincias.csv", "departamentos.csv"] {
            fixture.put(name, std::fs::read(folder.join(name)).unwrap());
        }
        let text = std::fs::read(folder.join(name)).unwrap();
        fixture.put(CSV, &text);

        let loaded = fixture.load("all").await;

        let text = text.strip_prefix("\u{FEFF}".as_bytes()).unwrap_or(&text);
        loaded.must_be(&model::load(text, &georef, &Years::All), name);
        assert_eq!(loaded.read, rows, "{name}");
        assert!(!reasons(&loaded).contains("rejected malformed"), "{name}: {:?}", loaded.issues);
        must_have_places(&fixture, &georef).await;
    }
}

/// `province` and `department` equal what the model read.
async fn must_have_places(fixture: &Fixture, georef: &Georef) {
    let mut connection = fixture.connect().await;
    let provinces: Vec<(i16, String)> = sqlx::query_as("SELECT province_id, name FROM province ORDER BY 1")
        .fetch_all(&mut connection)
        .await
        .unwrap();
    assert_eq!(provinces, georef.provinces.clone().into_iter().collect::<Vec<_>>());
    let departments: Vec<(i32, String, i16)> =
        sqlx::query_as("SELECT department_id, name, province_id FROM department ORDER BY 1")
            .fetch_all(&mut connection)
            .await
            .unwrap();
    let expected: Vec<_> =
        georef.departments.iter().map(|(id, (name, province))| (*id, name.clone(), *province)).collect();
    assert_eq!(departments, expected);
    let unknown: i64 =
        value(&mut connection, "SELECT count(*) FROM covid_case WHERE residence_department_id IS NOT NULL")
            .await;
    assert!(unknown > 0, "departments are found");
}
