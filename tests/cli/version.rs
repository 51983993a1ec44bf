//! `--version`, and `version --check` with a server in place of the repository.

use std::io::{Read as _, Write as _};
use std::net::TcpListener;

use serde_json::Value;

use crate::support::{Finished, call, covidctl};

/// Serves one request; returns the URL of the repository.
fn repository(answer: &'static str) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}/owner/name", listener.local_addr().unwrap());
    std::thread::spawn(move || {
        let (mut stream, _) = listener.accept().unwrap();
        let mut request = [0; 1024];
        let length = stream.read(&mut request).unwrap();
        assert!(request[..length].starts_with(b"GET /owner/name/releases/latest HTTP/1.1\r\n"));
        stream.write_all(answer.as_bytes()).unwrap();
    });
    url
}

fn check(answer: &'static str) -> Finished {
    call(&["version", "--check", "--repository", &repository(answer)])
}

#[test]
fn version_flag_and_command_print_the_same() {
    let [flag, command] = [call(&["--version"]), call(&["version"])];
    assert_eq!((flag.code, &flag.err), (Some(0), &command.err));
    assert_eq!(flag.out, command.out);
    assert!(flag.out.starts_with(&format!("covidctl {}", env!("CARGO_PKG_VERSION"))), "{}", flag.out);
}

#[test]
fn version_without_check_does_not_use_network() {
    // A connection would be refused, and the command would fail.
    let output =
        covidctl().args(["version", "-o", "json"]).env("COVIDCTL_REPOSITORY", "http://127.0.0.1:1").output();
    let program: Value = serde_json::from_slice(&output.unwrap().stdout).unwrap();
    assert_eq!(program["version"], env!("CARGO_PKG_VERSION"));
    assert!(program.get("latest").is_none(), "{program}");
}

#[test]
fn version_check_reports_later_release() {
    let found =
        "HTTP/1.1 302 Found\r\nlocation: /owner/name/releases/tag/v99.1.0\r\ncontent-length: 0\r\n\r\n";
    let finished = check(found);
    assert_eq!((finished.code, finished.err.as_str()), (Some(0), ""));
    assert!(finished.out.contains("\n99.1.0 is available: http://127.0.0.1:"), "{}", finished.out);
    assert!(finished.out.ends_with("/owner/name/releases/tag/v99.1.0\n"), "{}", finished.out);
}

#[test]
fn version_check_reports_latest_release() {
    let found = concat!(
        "HTTP/1.1 302 Found\r\nlocation: https://git.example/o/n/releases/tag/v",
        env!("CARGO_PKG_VERSION"),
        "\r\ncontent-length: 0\r\n\r\n"
    );
    let finished = check(found);
    assert_eq!(finished.code, Some(0));
    assert!(finished.out.ends_with("\nthis is the latest release\n"), "{}", finished.out);
}

#[test]
fn version_check_without_release_fails_with_hint() {
    let none = "HTTP/1.1 302 Found\r\nlocation: /owner/name/releases\r\ncontent-length: 0\r\n\r\n";
    let missing = "HTTP/1.1 404 Not Found\r\ncontent-length: 0\r\n\r\n";
    for (answer, why) in [(none, "has no release yet"), (missing, "answers 404 Not Found")] {
        let finished = check(answer);
        assert_eq!((finished.code, finished.out.as_str()), (Some(1), ""));
        assert!(finished.err.contains(why) && finished.err.contains("hint: "), "{}", finished.err);
    }
}

#[test]
fn version_check_without_repository_is_usage_error() {
    let finished = call(&["version", "--check"]);
    assert_eq!((finished.code, finished.out.as_str()), (Some(2), ""));
    assert!(finished.err.contains("--repository"), "{}", finished.err);
}
