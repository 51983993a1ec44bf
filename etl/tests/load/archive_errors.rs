//! Truncated and damaged archives, and files that are not archives.

use std::io::{Cursor, Write as _};

use zip::write::SimpleFileOptions;
use zip::{CompressionMethod, ZipWriter};

use crate::fixture::{CSV, Fixture, ZIP};
use crate::rows::{deflated, file, good, zip};

/// Loads each archive as the line list: the run must fail with these words and change nothing.
async fn must_fail(archives: Vec<(String, Vec<u8>)>, words: &[&str]) {
    let fixture = Fixture::loaded().await;
    let before = fixture.published().await;
    for (what, archive) in archives {
        fixture.replace(ZIP, archive);
        let ended = fixture.run(&["--years", "all"]);
        assert_eq!(ended.code, Some(1), "{what}: {}", ended.stderr);
        ended.failed(&[&[ZIP], words].concat());
        assert_eq!(fixture.published().await, before, "{what}");
    }
    fixture.replace(ZIP, zip(CSV, file(&good(7)), deflated()));
    assert_eq!(fixture.load("all").await.loaded, 7, "and the next good one is loaded");
}

/// Large enough that blocks are loaded before its end is read.
fn large() -> Vec<u8> {
    zip(CSV, file(&good(9000)), deflated())
}

#[tokio::test]
async fn no_archive() {
    let noise: Vec<u8> = (1..=60_000_u32).map(|at| (at.wrapping_mul(2_654_435_761) >> 24) as u8).collect();
    let plain = file(&good(20)).into_bytes();
    must_fail(vec![("noise".into(), noise), ("a CSV".into(), plain)], &["is not a zip archive"]).await;
}

#[tokio::test]
async fn cut_off() {
    let whole = large();
    let cuts = [5, 40, 1000, whole.len() / 2, whole.len() - 100, whole.len() - 22, whole.len() - 1];
    let archives = cuts.map(|at| (format!("cut at {at} of {}", whole.len()), whole[..at].to_vec()));
    must_fail(archives.into(), &["is not a whole zip archive", "cut off"]).await;
}

/// A wrong checksum is detected only after all rows are read and sent.
#[tokio::test]
async fn spoiled_inside() {
    let whole = large();
    let flip = |at: usize, bit: u8| {
        let mut archive = whole.clone();
        archive[at] ^= bit;
        (format!("bit {bit} of byte {at} of {}", whole.len()), archive)
    };
    let stored = SimpleFileOptions::default().compression_method(CompressionMethod::Stored);
    let text = file(&good(9000));
    let mut plain = zip(CSV, &text, stored);
    let at = plain.windows(9).rposition(|window| window == b"\"1008999\"").unwrap();
    plain[at + 7] = b'8';
    let archives = vec![
        flip(whole.len() / 3, 1),
        flip(whole.len() / 2, 64),
        flip(whole.len() - 400, 8),
        ("one digit of a stored member".to_owned(), plain),
    ];
    must_fail(archives, &["download it again"]).await;
}

#[tokio::test]
async fn another_member() {
    let several = {
        let mut archive = ZipWriter::new(Cursor::new(Vec::new()));
        archive.add_directory("Covid19Casos.csv.d/", deflated()).unwrap();
        for name in ["leeme.txt", "Covid19Casos.csv.bak", "Covid19Determinaciones.csv"] {
            archive.start_file(name, deflated()).unwrap();
            archive.write_all(b"x").unwrap();
        }
        archive.finish().unwrap().into_inner()
    };
    must_fail(
        vec![("several".into(), several), ("one".into(), zip("casos.csv", file(&good(3)), deflated()))],
        &["holds no `Covid19Casos.csv`", "it holds: "],
    )
    .await;
    let empty = ZipWriter::new(Cursor::new(Vec::new())).finish().unwrap().into_inner();
    must_fail(vec![("empty".into(), empty)], &["holds no `Covid19Casos.csv`", "it is empty"]).await;
}

#[tokio::test]
async fn several_members_of_the_same_name() {
    let archive = several(&[("2021/Covid19Casos.csv", "old"), ("2022/Covid19Casos.csv", "new")]);
    let words = ["several members", "`2021/Covid19Casos.csv`, `2022/Covid19Casos.csv`"];
    must_fail(vec![("two folders".into(), archive)], &words).await;
}

#[tokio::test]
async fn top_level_member_is_read_and_logged() {
    let fixture = Fixture::new().await;
    let text = file(&good(7));
    fixture.put(
        ZIP,
        several(&[("__MACOSX/Covid19Casos.csv", "x"), ("old/Covid19Casos.csv", "x"), (CSV, &text)]),
    );
    let log = fixture.run(&["--years", "all"]).succeeded().stderr;
    let named: Vec<_> = log.lines().filter(|line| line.contains("member=\"Covid19Casos.csv\"")).collect();
    assert_eq!(named.len(), 1, "once: {log}");
    fixture
        .put(ZIP, several(&[("__MACOSX/Covid19Casos.csv", "x"), ("new/Covid19Casos.csv", &file(&good(9)))]));
    assert_eq!(fixture.load("all").await.loaded, 9);
}

fn several(members: &[(&str, &str)]) -> Vec<u8> {
    let mut archive = ZipWriter::new(Cursor::new(Vec::new()));
    for (name, content) in members {
        archive.start_file(*name, deflated()).unwrap();
        archive.write_all(content.as_bytes()).unwrap();
    }
    archive.finish().unwrap().into_inner()
}
