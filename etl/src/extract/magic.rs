//! Detects formats other than text by their first bytes, for error messages.

use common::failure::{Failure, Result};

/// Magic bytes, format, and the command that unpacks it.
const CONTENTS: [(&[u8], &str, Option<&str>); 12] = [
    (b"\x1F\x8B", "gzip", Some("gunzip")),
    (b"BZh", "bzip2", Some("bunzip2")),
    (b"\xFD7zXZ\0", "XZ", Some("unxz")),
    (b"\x28\xB5\x2F\xFD", "zstd", Some("unzstd")),
    (b"7z\xBC\xAF\x27\x1C", "7-Zip", Some("7z x")),
    (b"Rar!\x1A\x07", "RAR", Some("unrar x")),
    (b"PK\x03\x04", "zip", Some("unzip")),
    (b"\xD0\xCF\x11\xE0\xA1\xB1\x1A\xE1", "Excel", None),
    (b"PAR1", "Parquet", None),
    (b"%PDF-", "PDF", None),
    (b"SQLite format 3\0", "SQLite", None),
    (b"PGDMP", "pg_dump", None),
];

/// Returns the format of a file other than text, and the command that unpacks it.
pub(super) fn format(start: &[u8]) -> Option<(&'static str, Option<&'static str>)> {
    let found = CONTENTS.iter().find(|(magic, ..)| start.starts_with(magic));
    found.map(|(_, format, unpack)| (*format, *unpack))
}

/// Fails for formats and encodings that are not supported. `name` is the file, for messages.
pub(super) fn refuse_other_than_text(start: &[u8], name: &str) -> Result<()> {
    if let Some((format, unpack)) = format(start) {
        let hint = match unpack {
            Some(command) => format!("put the CSV itself there: unpack it first, with `{command}`"),
            None => "put the CSV itself there: export it again as CSV".to_owned(),
        };
        return Err(Failure::new(format!("`{name}` contains {format} data, not text")).hint(hint));
    }
    match other_encoding(start) {
        Some((encoding, iconv)) => Err(Failure::new(format!("`{name}` is encoded in {encoding}"))
            .hint(format!("convert it to UTF-8: iconv -f {iconv} -t UTF-8 FILE > NEW"))),
        None => Ok(()),
    }
}

/// Returns the unsupported encoding of a text, and its name for iconv.
fn other_encoding(start: &[u8]) -> Option<(&'static str, &'static str)> {
    let pairs = start.as_chunks::<2>().0;
    // In UTF-16 every other byte of a header is zero.
    let mostly_zero = |place: usize| {
        pairs.len() >= 4
            && pairs.iter().filter(|pair| pair[place] == 0 && pair[1 - place] != 0).count() * 4
                > pairs.len() * 3
    };
    match start {
        [0xFF, 0xFE, 0, 0, ..] => Some(("UTF-32LE", "UTF-32")),
        [0, 0, 0xFE, 0xFF, ..] => Some(("UTF-32BE", "UTF-32")),
        [0xFF, 0xFE, ..] => None,
        [0xFE, 0xFF, ..] => Some(("UTF-16BE", "UTF-16")),
        _ if mostly_zero(0) => Some(("UTF-16BE, without a byte order mark", "UTF-16BE")),
        _ if mostly_zero(1) => Some(("UTF-16LE, without a byte order mark", "UTF-16LE")),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refused(start: &[u8]) -> String {
        refuse_other_than_text(start, "x.csv").unwrap_err().to_string()
    }

    #[test]
    fn refusal_names_format() {
        assert_eq!(refused(b"\x1F\x8B\x08\0rest"), "`x.csv` contains gzip data, not text");
        assert_eq!(refused(b"BZh91AY"), "`x.csv` contains bzip2 data, not text");
        for (magic, format, _) in CONTENTS {
            assert!(refused(magic).contains(format), "{format}");
        }
    }

    #[test]
    fn refusal_names_encoding() {
        let units: Vec<u16> = "id_evento_caso,sexo".encode_utf16().collect();
        let big: Vec<u8> = units.iter().flat_map(|unit| unit.to_be_bytes()).collect();
        let little: Vec<u8> = units.iter().flat_map(|unit| unit.to_le_bytes()).collect();
        assert_eq!(refused(&[b"\xFE\xFF", &big[..]].concat()), "`x.csv` is encoded in UTF-16BE");
        assert!(refused(&big).contains("UTF-16BE, without"));
        assert!(refused(&little).contains("UTF-16LE, without"));
        assert!(refused(b"\xFF\xFE\0\0i\0\0\0").contains("UTF-32LE"));
    }

    #[test]
    fn text_is_accepted() {
        for text in
            ["", "a", "a,b\n", "id_evento_caso,sexo,edad_años_meses", "a\0b,c\n1,2", "PK,x", "\u{FEFF}id,x"]
        {
            refuse_other_than_text(text.as_bytes(), "x.csv").unwrap();
        }
        let little: Vec<u8> = "\u{FEFF}id,sexo".encode_utf16().flat_map(u16::to_le_bytes).collect();
        refuse_other_than_text(&little, "x.csv").unwrap();
    }
}
