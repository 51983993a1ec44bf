//! The memory of a download does not depend on the size of the file.

use std::sync::Arc;

use crate::fixture::{Fixture, ZIP, archive, serving};
use crate::program::Program;
use crate::server::{Gate, Reply};

/// 64 MiB, in KiB.
const LIMIT: u64 = 64 << 10;

/// Sends a gigabyte, generated a megabyte at a time.
#[tokio::test(flavor = "multi_thread")]
async fn download_of_a_gigabyte_needs_constant_memory() {
    let (filling, times) = (vec![b'x'; 1 << 20], 1 << 10);
    // The directory at the end of an archive stores its own offset.
    let end = archive("Covid19Casos.csv", 0, 1);
    let directory =
        usize::try_from(u32::from_le_bytes(end[end.len() - 6..end.len() - 2].try_into().unwrap())).unwrap();
    let mut ending = end[directory..].to_vec();
    let at = ending.len() - 6;
    ending[at..at + 4].copy_from_slice(&(u32::try_from(directory).unwrap() + (1 << 30)).to_le_bytes());
    let size = (directory + ending.len()) as u64 + (1 << 30);
    let beginning = end[..directory].to_vec();
    let gate = Arc::new(Gate::default());
    let at = Arc::clone(&gate);
    let server = serving(move |_| {
        Reply::new("200 OK")
            .announcing(size)
            .sending(&beginning)
            .repeating(&filling, times)
            .sending(&ending)
            .through(&at)
    })
    .await;
    let fixture = Fixture::new().await;
    let program = Program::start(&fixture, &server, &[]);
    gate.reached.notified().await;
    let peak = program.peak_memory();
    gate.open.notify_one();
    let ended = program.end().await;
    assert_eq!(ended.code, Some(0), "{}", ended.said);
    assert_eq!(std::fs::metadata(fixture.folder.path().join(ZIP)).unwrap().len(), size);
    println!("a gigabyte: {peak} KiB");
    assert!(peak < LIMIT, "{peak} KiB");
}
