//! `covidctl run download` on the local target, from a server on the loopback.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::TcpListener;
use std::path::PathBuf;

use crate::support::{Target, call};

/// Publishes the files of this folder, and a web page in the place of those that are not there; gives its address.
fn publish(folder: PathBuf) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = format!("http://{}", listener.local_addr().unwrap());
    std::thread::spawn(move || {
        for connection in listener.incoming() {
            let mut connection = BufReader::new(connection.unwrap());
            let mut asked = String::new();
            connection.read_line(&mut asked).unwrap();
            let mut line = String::new();
            while connection.read_line(&mut line).unwrap() > 2 {
                line.clear();
            }
            let name = asked.split(' ').nth(1).unwrap().trim_start_matches('/');
            let body =
                std::fs::read(folder.join(name)).unwrap_or_else(|_| b"<html>mantenimiento</html>".to_vec());
            let head =
                format!("HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: {}\r\n\r\n", body.len());
            // The client may close the connection early.
            _ = connection
                .get_mut()
                .write_all(head.as_bytes())
                .and_then(|()| connection.get_mut().write_all(&body));
        }
    });
    address
}

fn words(address: &str) -> Vec<String> {
    let url = |name: &str, file: &str| ["--env".to_owned(), format!("{name}={address}/{file}")];
    let mut words = vec!["run".to_owned(), "download".to_owned()];
    words.extend(url("CASES_URL", "Covid19Casos.zip"));
    words.extend(url("PROVINCES_URL", "provincias.csv"));
    words.extend(url("DEPARTMENTS_URL", "departamentos.csv"));
    words.extend(url("TESTS_URL", "Covid19Determinaciones.zip"));
    words.extend(url("VACCINATIONS_URL", "Covid19VacunasAgrupadas.csv.zip"));
    words
}

#[test]
fn downloaded_datasets_can_be_loaded() {
    let target = Target::new();
    target.ok(&["up"]);
    let published = tempfile::tempdir().unwrap();
    let made = call(&["etl", "sample", "--rows", "2000", "--out", published.path().to_str().unwrap()]);
    assert_eq!(made.code, Some(0), "{}", made.err);
    let address = publish(published.path().to_owned());
    let words = words(&address);
    let words: Vec<&str> = words.iter().map(String::as_str).collect();

    let output = target.ok(&words);
    assert_eq!(output.err.matches("file replaced").count(), 5, "{}", output.err);
    let run = output.out.trim();
    let log = target.ok(&["logs", "--run", run, "-o", "json"]);
    assert!(log.out.contains("\"source\":\"lambda\""), "{}", log.out);
    target.ok(&["run", "etl", "--years", "all"]);

    // The next day the server has nothing but an excuse.
    std::fs::remove_file(published.path().join("Covid19Casos.zip")).unwrap();
    let mut whole = Vec::new();
    let stored = target.data().join("store/Covid19Casos.zip");
    std::fs::File::open(&stored).unwrap().read_to_end(&mut whole).unwrap();
    let output = target.call(&words);
    assert_eq!(output.code, Some(1), "{}", output.err);
    assert!(output.err.contains("is a web page"), "{}", output.err);
    assert!(std::fs::read(&stored).unwrap() == whole, "the old file stays");
}
