//! `etl backtest` through the real binary, on archived releases.

#![expect(clippy::unwrap_used, reason = "a failed test panics")]

use std::fmt::Write as _;
use std::path::Path;
use std::process::{Command, Output};

use chrono::{Days, NaiveDate};

const FIRST: NaiveDate = NaiveDate::from_ymd_opt(2021, 3, 1).expect("a valid date");

/// Writes a release with the registrations up to a day: 10 to 29 cases with symptoms on each day, registered after 0 to 6 days.
fn write_release(path: &Path, as_of: u64) {
    let day = |number: u64| FIRST.checked_add_days(Days::new(number)).unwrap();
    let mut text = "id_evento_caso,sexo,edad,edad_años_meses,fecha_inicio_sintomas,fecha_apertura,fecha_internacion,cuidado_intensivo,\
                    asistencia_respiratoria_mecanica,fecha_fallecimiento,fecha_diagnostico,carga_provincia_id,residencia_provincia_id,\
                    residencia_departamento_id,clasificacion_resumen,ultima_actualizacion\n"
        .to_owned();
    for symptoms in 0..=as_of {
        for nth in 0..10 + symptoms * 7 % 20 {
            let registered = symptoms + (nth * nth + symptoms) % 7;
            if registered <= as_of {
                let id = 1 + symptoms * 100 + nth;
                let (symptoms, registered, updated) = (day(symptoms), day(registered), day(as_of + 1));
                writeln!(
                    text,
                    "{id},F,30,Años,{symptoms},{registered},,NO,NO,,,06,06,0,Confirmado,{updated}"
                )
                .unwrap();
            }
        }
    }
    std::fs::create_dir_all(path.parent().unwrap()).unwrap();
    std::fs::write(path, text).unwrap();
}

fn backtest(folder: &Path) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_etl"));
    command.args(["backtest", "--releases"]).arg(folder).env("LOG_FORMAT", "text").env_remove("RUST_LOG");
    command.output().unwrap()
}

#[test]
fn backtest_compares_releases_with_the_newest_one() {
    let folder = tempfile::tempdir().unwrap();
    // Names and folders say nothing about the order.
    for (name, as_of) in [
        ("b.csv", 100),
        ("a/Covid19Casos.csv", 140),
        ("2021/06/Covid19Casos_old.csv", 90),
        ("50% of it/x.csv", 110),
    ] {
        write_release(&folder.path().join(name), as_of);
    }
    std::fs::write(folder.path().join("provincias.csv"), "not a line list").unwrap();
    let output = backtest(folder.path());
    let stdout = String::from_utf8(output.stdout).unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let mut lines = stdout.lines();
    assert_eq!(
        lines.next(),
        Some("estimate,region,days_ago,releases,compared,coverage_percent,mean_absolute_percentage_error")
    );
    let rows: Vec<Vec<&str>> = lines.map(|line| line.split(',').collect()).collect();
    let all = |estimate: &str, region: &str| {
        let row = rows
            .iter()
            .find(|row| row[..3] == [estimate, region, "0-60"])
            .unwrap_or_else(|| panic!("{stdout}"));
        let count = |at: usize| row[at].parse::<u32>().unwrap();
        let percent = |at: usize| row[at].parse::<f64>().unwrap();
        (count(3), count(4), percent(5), percent(6))
    };
    for region in ["country", "provinces"] {
        let (releases, compared, coverage, error) = all("nowcast", region);
        assert!(releases == 3 && compared >= 18, "{stdout}");
        assert!(coverage >= 80.0 && error < 25.0, "{stdout}");
    }
    let (releases, _, coverage, error) = all("reproduction_number", "country");
    assert!(releases == 3 && coverage > 90.0 && error < 10.0, "{stdout}");
}

#[test]
fn backtest_of_one_release_is_an_error_with_a_hint() {
    let folder = tempfile::tempdir().unwrap();
    write_release(&folder.path().join("Covid19Casos.csv"), 60);
    let output = backtest(folder.path());
    let stderr = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(1), "{stderr}");
    assert!(stderr.contains("1 of at least two releases are in") && stderr.contains("hint: "), "{stderr}");
    let output = backtest(&folder.path().join("nowhere"));
    assert_eq!(output.status.code(), Some(1), "{}", String::from_utf8_lossy(&output.stderr));
}
