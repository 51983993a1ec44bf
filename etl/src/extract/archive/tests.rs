//! Archives as the crate `zip` writes them, and as others do: what they have in common with those is patched in.

use std::io::{Cursor, Write as _};

use zip::write::SimpleFileOptions;
use zip::{CompressionMethod, ZipWriter};

use super::*;

const CSV: &str = "Covid19Casos.csv";

/// The path of the member that is read, and its content.
fn read(archive: &[u8]) -> Result<(String, Vec<u8>)> {
    let mut file = Cursor::new(archive);
    let directory =
        Directory::find(&mut file, archive.len() as u64).map_err(|error| broken("x.zip", error))?;
    let member = find(&mut file, &directory.ok_or_else(|| endless("x.zip"))?, CSV, "x.zip")?;
    let mut content = Vec::new();
    open(&mut file, &member, "x.zip")?.read_to_end(&mut content).map_err(|error| broken("x.zip", error))?;
    Ok((member.name.clone(), content))
}

fn refused(archive: &[u8]) -> String {
    format!("{:?}", read(archive).unwrap_err())
}

fn method(method: CompressionMethod) -> SimpleFileOptions {
    SimpleFileOptions::default().compression_method(method)
}

/// An archive of these members, deflated.
fn archive(members: &[(&str, &[u8])]) -> Vec<u8> {
    let mut writer = ZipWriter::new(Cursor::new(Vec::new()));
    for (name, content) in members {
        writer.start_file(*name, method(CompressionMethod::Deflated)).unwrap();
        writer.write_all(content).unwrap();
    }
    writer.finish().unwrap().into_inner()
}

fn content() -> Vec<u8> {
    (0..3000).flat_map(|number| format!("{number},{}\n", number * 7919 % 1009).into_bytes()).collect()
}

/// Places in an archive where these bytes stand.
fn places(archive: &[u8], of: &[u8]) -> Vec<usize> {
    memchr::memmem::find_iter(archive, of).collect()
}

fn put(archive: &mut [u8], at: usize, bytes: &[u8]) {
    archive[at..at + bytes.len()].copy_from_slice(bytes);
}

#[test]
fn member_is_read_whatever_the_form_of_the_archive() {
    let content = content();
    let one = |options: SimpleFileOptions| {
        let mut writer = ZipWriter::new(Cursor::new(Vec::new()));
        writer.start_file(CSV, options).unwrap();
        writer.write_all(&content).unwrap();
        writer.finish().unwrap().into_inner()
    };
    let stored = method(CompressionMethod::Stored);
    let plain = one(method(CompressionMethod::Deflated));
    let zip64 = one(stored.large_file(true));
    let end = *places(&plain, b"PK\x05\x06").last().unwrap();
    let mut comment = plain.clone();
    put(&mut comment, end + 20, &100_u16.to_le_bytes());
    comment.extend(b"PK\x05\x06".repeat(25));
    let streamed = {
        let mut writer = ZipWriter::new_stream(Vec::new());
        writer.start_file(CSV, method(CompressionMethod::Deflated)).unwrap();
        writer.write_all(&content).unwrap();
        writer.finish().unwrap().into_inner()
    };
    assert_eq!(places(&streamed, b"PK\x07\x08").len(), 1, "it has a data descriptor");
    for (form, archive) in [
        ("deflated", plain.clone()),
        ("stored", one(stored)),
        ("Zip64", zip64.clone()),
        ("with a comment that looks like an end", comment),
        ("with a data descriptor", streamed),
        ("with an extra field", one(stored.with_alignment(64))),
        ("behind other bytes", [b"#!/bin/sh\nPK\x05\x06", &plain[..]].concat()),
        ("Zip64 behind other bytes", [b"MZ\0\0", &zip64[..]].concat()),
        ("with bytes behind it", [&plain[..], b"\n\n"].concat()),
    ] {
        let read = read(&archive).unwrap_or_else(|failure| panic!("{form}: {failure}"));
        assert_eq!(read, (CSV.to_owned(), content.clone()), "{form}");
    }
}

/// An archive whose sizes stand in Zip64 records, with its end written by hand: `records` of them.
fn with_zip64_end(records: usize, prefix: &[u8]) -> Vec<u8> {
    let mut archive = archive(&[(CSV, &content())]);
    let end = archive.split_off(*places(&archive, b"PK\x05\x06").last().unwrap());
    let directory = places(&archive, b"PK\x01\x02")[0] as u64;
    let size = archive.len() as u64 - directory;
    let mut record_at = 0;
    for _ in 0..records {
        record_at = archive.len() as u64;
        archive.extend(b"PK\x06\x06");
        archive.extend(44_u64.to_le_bytes());
        archive.extend([45, 0, 45, 0, 0, 0, 0, 0, 0, 0, 0, 0]);
        for value in [1, 1, size, directory] {
            archive.extend(value.to_le_bytes());
        }
    }
    archive.extend(b"PK\x06\x07\0\0\0\0");
    archive.extend(record_at.to_le_bytes());
    archive.extend(1_u32.to_le_bytes());
    archive.extend(&end[..8]);
    archive.extend([0xFF; 12]);
    archive.extend(&end[20..]);
    [prefix, &archive].concat()
}

#[test]
fn directory_is_found_through_zip64_records() {
    for archive in [with_zip64_end(1, b""), with_zip64_end(2, b""), with_zip64_end(1, b"before")] {
        assert_eq!(read(&archive).unwrap().1, content());
    }
    let mut lost = with_zip64_end(1, b"");
    let record = places(&lost, b"PK\x06\x06")[0];
    put(&mut lost, record, b"XXXX");
    assert!(refused(&lost).contains("is not a whole zip archive"), "{}", refused(&lost));
}

#[test]
fn member_at_the_top_goes_before_those_in_folders() {
    let top = archive(&[
        ("old/Covid19Casos.csv", b"old"),
        ("covid19casos.CSV", b"top"),
        ("new/Covid19Casos.csv", b"new"),
    ]);
    assert_eq!(read(&top).unwrap(), ("covid19casos.CSV".to_owned(), b"top".to_vec()));
    let macos = archive(&[
        ("__MACOSX/Covid19Casos.csv", b"x"),
        ("a/__MACOSX/._Covid19Casos.csv", b"x"),
        ("a/Covid19Casos.csv", b"a"),
    ]);
    assert_eq!(read(&macos).unwrap().1, b"a");
    let dotted = archive(&[("b/Covid19Casos.csv", b"b"), ("./Covid19Casos.csv", b"top")]);
    assert_eq!(read(&dotted).unwrap().1, b"top");
    let mut old_name = archive(&[("anyo/Covid19Casos.csv", b"a")]);
    for at in places(&old_name, b"anyo") {
        // ñ in code page 437.
        put(&mut old_name, at, b"a\xA4o");
    }
    assert_eq!(read(&old_name).unwrap().1, b"a");
}

#[test]
fn several_members_are_refused_by_name() {
    let folders =
        refused(&archive(&[("a/Covid19Casos.csv", b"a"), ("b\\Covid19Casos.csv", b"b"), ("c.txt", b"c")]));
    assert!(folders.contains("`x.zip` holds several members named `Covid19Casos.csv`: `a/Covid19Casos.csv`, `b\\Covid19Casos.csv`"), "{folders}");
    let top = refused(&archive(&[
        ("Covid19Casos.csv", b"a"),
        ("COVID19CASOS.CSV", b"b"),
        ("d/Covid19Casos.csv", b"d"),
    ]));
    assert!(top.contains("`Covid19Casos.csv`, `COVID19CASOS.CSV`") && !top.contains("d/"), "{top}");
}

#[test]
fn missing_member_lists_the_contents() {
    let empty = refused(&ZipWriter::new(Cursor::new(Vec::new())).finish().unwrap().into_inner());
    assert!(empty.contains("holds no `Covid19Casos.csv`\nhint: it is empty"), "{empty}");
    let names: Vec<String> = (0..300).map(|number| format!("{number}\u{1b}.txt")).collect();
    let members: Vec<(&str, &[u8])> = names.iter().map(|name| (name.as_str(), &b""[..])).collect();
    let many = refused(&archive(&members));
    assert!(
        many.contains("it holds: `0\u{FFFD}.txt`, ") && many.ends_with("`9\u{FFFD}.txt` and 290 more"),
        "{many}"
    );
}

#[test]
fn unreadable_member_is_refused_with_the_reason() {
    let plain = archive(&[(CSV, b"a,b\n1,2\n")]);
    let entry = places(&plain, b"PK\x01\x02")[0];
    for (number, name) in [
        (9_u16, "deflate64"),
        (12, "bzip2"),
        (14, "LZMA"),
        (93, "zstd"),
        (95, "XZ"),
        (98, "PPMd"),
        (77, "method 77"),
    ] {
        let mut other = plain.clone();
        put(&mut other, entry + 10, &number.to_le_bytes());
        let words = refused(&other);
        assert!(
            words.contains(&format!("the member `{CSV}` of `x.zip` is compressed with {name}")),
            "{words}"
        );
    }
    for (at, bytes) in [(8, 1_u16), (8, 1 << 6), (10, 99)] {
        let mut locked = plain.clone();
        put(&mut locked, entry + at, &bytes.to_le_bytes());
        assert!(refused(&locked).contains("is protected with a password"), "{}", refused(&locked));
    }
}

#[test]
fn truncated_archive_is_refused_at_every_length() {
    for whole in [archive(&[(CSV, &content())]), with_zip64_end(1, b"")] {
        for length in 0..whole.len() {
            let words = refused(&whole[..length]);
            assert!(
                words.contains("is not a whole zip archive") && words.contains("cut off"),
                "{length}: {words}"
            );
        }
        // Without what was at its start.
        for start in [1, 30, 500] {
            assert!(refused(&whole[start..]).contains("is not a whole zip archive"), "{start}");
        }
    }
}

#[test]
fn damaged_archive_never_yields_other_content() {
    let mut writer = ZipWriter::new(Cursor::new(Vec::new()));
    for (name, method) in
        [("a.txt", method(CompressionMethod::Deflated)), (CSV, method(CompressionMethod::Stored))]
    {
        writer.start_file(name, method).unwrap();
        writer.write_all(&content()[..700]).unwrap();
    }
    for whole in [writer.finish().unwrap().into_inner(), archive(&[(CSV, &content()[..3000])])] {
        let right = read(&whole).unwrap().1;
        for at in 0..whole.len() {
            for bit in [1, 16, 128] {
                let mut damaged = whole.clone();
                damaged[at] ^= bit;
                if let Ok((_, content)) = read(&damaged) {
                    assert!(content == right, "bit {bit} of byte {at}");
                }
            }
        }
    }
}

#[test]
fn large_central_directory_is_read_completely() {
    let plain = archive(&[(CSV, b"a,b\n")]);
    let start = places(&plain, b"PK\x01\x02")[0];
    let end = *places(&plain, b"PK\x05\x06").last().unwrap();
    let mut other = plain[start..end].to_vec();
    put(&mut other, 46, b"Covid19Casos.csw");
    let mut large = plain[..start].to_vec();
    (0..200_000).for_each(|_| large.extend(&other));
    large.extend(&plain[start..end]);
    let size = u32::try_from(large.len() - start).unwrap();
    large.extend(&plain[end..end + 12]);
    large.extend(size.to_le_bytes());
    large.extend(&plain[end + 16..]);
    assert_eq!(read(&large).unwrap().1, b"a,b\n");
}
