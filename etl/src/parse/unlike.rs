//! Recognizes files other than a CSV with commas in UTF-8 by their first line, so that errors name what the file is and what to do.

use super::mojibake::{self, CodePage, Damage};
use common::failure::{Failure, Result};

/// Separators other than commas.
const SEPARATORS: [(u8, &str); 3] = [(b';', "semicolons"), (b'\t', "tabs"), (b'|', "vertical bars")];

/// Fails if the first line of a file is not the header of a CSV. `name` is the file, for messages.
pub(super) fn refuse_other_than_csv(line: &[u8], name: &str) -> Result<()> {
    if looks_like_html(line) {
        return Err(Failure::new(format!("`{name}` is a web page, not a CSV"))
            .hint("the ministry's site returns a web page when it is down or a file is missing: download the file again later"));
    }
    if let Some(line) = excel_line(line) {
        let what = format!("`{name}` begins with `{line}`, a line that only Excel understands");
        return Err(Failure::new(what).hint("remove it, and separate the columns by commas: sed -i 1d FILE"));
    }
    if line.contains(&b'\r') {
        let what = format!("`{name}` ends its lines with a carriage return alone, as old Macs did");
        return Err(Failure::new(what).hint("convert its line ends: tr '\\r' '\\n' < FILE > NEW"));
    }
    refuse_other_encoding(line, name)?;
    let count = |byte| memchr::memchr_iter(byte, line).count();
    let commas = count(b',');
    if let Some((_, separators)) = SEPARATORS.iter().find(|(separator, _)| count(*separator) > commas) {
        let what =
            format!("`{name}` has no CSV header: its columns are separated by {separators}, not by commas");
        return Err(Failure::new(what)
            .hint("save it with commas between the columns, or download the original again"));
    }
    if commas == 0 {
        let start: String = String::from_utf8_lossy(line).chars().take(60).collect();
        return Err(Failure::new(format!("`{name}` has no CSV header; it begins with {start:?}"))
            .hint("the first line must hold the column names, separated by commas"));
    }
    Ok(())
}

fn refuse_other_encoding(line: &[u8], name: &str) -> Result<()> {
    let Ok(text) = std::str::from_utf8(line) else {
        return Err(match mojibake::code_page(line) {
            Some(page) => encoded_in(page, name, line),
            None => Failure::new(format!("the header of `{name}` is not encoded in UTF-8"))
                .hint("download it again, or convert it to UTF-8 with `iconv`"),
        });
    };
    match text.split(',').find_map(|word| Some((word, mojibake::damage(word)?))) {
        Some((word, damage)) => Err(damaged(name, word.trim_matches('"'), damage)),
        None => Ok(()),
    }
}

/// Returns the failure for a file in this encoding; `line` is part of it.
pub(crate) fn encoded_in(page: &CodePage, name: &str, line: &[u8]) -> Failure {
    let mut words = line.split(|byte| b",;\t|\"".contains(byte));
    let word = String::from_utf8_lossy(words.find(|word| !word.is_ascii()).unwrap_or(line));
    Failure::new(format!("`{name}` is encoded in {}, not in UTF-8: it has `{word}`", page.name))
        .hint(format!("convert it to UTF-8: iconv -f {} -t UTF-8 FILE > NEW", page.iconv))
}

/// Returns the failure for a file in which `text` is damaged.
pub(crate) fn damaged(name: &str, text: &str, damage: Damage) -> Failure {
    match damage {
        Damage::EncodedTwice(original) => {
            let original =
                original.map(|text| format!(" for `{}`", text.trim_matches('"'))).unwrap_or_default();
            Failure::new(format!("the text of `{name}` was encoded twice: it has `{text}`{original}"))
                .hint("download it again, or undo it: iconv -f UTF-8 -t WINDOWS-1252 FILE > NEW")
        }
        Damage::Lost => Failure::new(format!("the text of `{name}` has lost characters: it has `{text}`"))
            .hint("download it again: a program has replaced what it could not decode"),
    }
}

/// Returns a `sep=` line, by which Excel recognizes the separator.
fn excel_line(line: &[u8]) -> Option<&str> {
    let text = std::str::from_utf8(line).ok()?.trim().trim_matches('"');
    let separator = text.get(..4).filter(|start| start.eq_ignore_ascii_case("sep=")).map(|_| &text[4..])?;
    (separator.chars().count() <= 1).then_some(text)
}

/// Returns whether the bytes begin like a web page.
pub(crate) fn looks_like_html(start: &[u8]) -> bool {
    let start = start.trim_ascii_start();
    [&b"<!doctype"[..], b"<html", b"<head", b"<?xml", b"<body"]
        .iter()
        .any(|tag| start.get(..tag.len()).is_some_and(|begin| begin.eq_ignore_ascii_case(tag)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refused(line: &[u8]) -> String {
        refuse_other_than_csv(line, "x.csv").unwrap_err().to_string()
    }

    #[test]
    fn refuse_names_what_the_file_is() {
        for (line, words) in [
            (&b"\n <!DOCTYPE html><html>"[..], "`x.csv` is a web page"),
            (b"sep=,", "begins with `sep=,`"),
            (b"\"sep=;\"", "begins with `sep=;`"),
            (b"SEP=\t", "begins with `SEP="),
            (b"id;sexo;edad", "separated by semicolons"),
            (b"id\tsexo\tedad", "separated by tabs"),
            (b"id|sexo", "separated by vertical bars"),
            (b"id,sexo\r1,F\r2,M", "a carriage return alone"),
            (b"id;sexo\r1;F", "a carriage return alone"),
            (
                b"id,\"edad_a\xF1os_meses\"",
                "Latin-1 (ISO 8859-1 or Windows-1252), not in UTF-8: it has `edad_a\u{FFFD}os_meses`",
            ),
            (b"id,edad_a\xA4os_meses", "encoded in code page 850"),
            (b"id,edad_a\xFFos_meses", "the header of `x.csv` is not encoded in UTF-8"),
            (
                "id,\"edad_aÃ±os_meses\"".as_bytes(),
                "encoded twice: it has `edad_aÃ±os_meses` for `edad_años_meses`",
            ),
            ("id,edad_a\u{FFFD}os".as_bytes(), "lost characters"),
            (b"garbage", "has no CSV header; it begins with \"garbage\""),
        ] {
            assert!(refused(line).contains(words), "{}", refused(line));
        }
    }

    #[test]
    fn refuse_lets_a_header_pass() {
        for line in ["id,edad_años_meses", "\"id\",\"a;b\",c", "a,b", "sep=x,b"] {
            refuse_other_than_csv(line.as_bytes(), "x.csv").unwrap();
        }
    }
}
