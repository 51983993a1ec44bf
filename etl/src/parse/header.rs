//! The header row: which column stands where, by name, whatever the case and order.
//!
//! Columns that nothing asks for are ignored. A missing one is a failure that names it; what is no CSV is named in `unlike`.

use super::blank;
use super::record::Records;
use super::unlike::refuse_other_than_csv;
use common::failure::{Failure, Result};

/// The header of one file.
#[derive(Debug, Clone)]
pub struct Header {
    names: Vec<String>,
}

impl Header {
    /// Reads the header from a file's first line. `name` is the file, for messages.
    pub fn parse(line: &[u8], name: &str) -> Result<Self> {
        refuse_other_than_csv(line, name)?;
        let most = memchr::memchr_iter(b',', line).count() + 1;
        let mut records = Records::new(line, 1, most);
        let Some(record) = records.next() else {
            return Err(empty(name));
        };
        let fields = records.fields();
        let names: Vec<_> = (0..fields.count())
            .map(|index| folded(&String::from_utf8_lossy(fields.get(record.raw, index).0)))
            .collect();
        Ok(Self { names })
    }

    /// How many columns there are.
    pub fn columns(&self) -> usize {
        self.names.len()
    }

    /// Where the first of some names for one column stands, if any of them does.
    pub fn position(&self, names: &[&str]) -> Option<usize> {
        names.iter().find_map(|name| self.names.iter().position(|found| *found == folded(name)))
    }

    /// Where each of `wanted` stands. `name` is the file, for messages.
    pub fn positions<const N: usize>(&self, wanted: [&str; N], name: &str) -> Result<[usize; N]> {
        let missing: Vec<_> = wanted
            .iter()
            .filter(|column| self.position(&[column]).is_none())
            .map(|column| format!("`{column}`"))
            .collect();
        if !missing.is_empty() {
            let (noun, list) =
                (if missing.len() == 1 { "the column" } else { "the columns" }, missing.join(", "));
            return Err(Failure::new(format!("`{name}` lacks {noun} {list}"))
                .hint(format!("its header has: {}", self.names.join(", "))));
        }
        Ok(wanted.map(|column| self.position(&[column]).unwrap_or_default()))
    }
}

/// Lower case, without surrounding white space, ñ in one character (a file may write it as n and a combining tilde), and with a `_`
/// between words, for which the files of May 2020 have a blank.
fn folded(name: &str) -> String {
    blank::trim_text(name).trim_matches('"').to_lowercase().replace("n\u{303}", "ñ").replace(' ', "_")
}

/// The failure for a file with nothing in it.
pub fn empty(name: &str) -> Failure {
    Failure::new(format!("`{name}` is empty")).hint("download it again")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_are_found_whatever_case_and_order() {
        let header = Header::parse("\"ID\",\"Edad_An\u{303}os_meses\",otra".as_bytes(), "x.csv").unwrap();
        assert_eq!(header.columns(), 3);
        assert_eq!(header.positions(["edad_años_meses", "id"], "x.csv").unwrap(), [1, 0]);
    }

    #[test]
    fn former_column_names_are_accepted() {
        let header =
            Header::parse(b"fecha,codigo Indec departamento,origen_de_financiamiento", "x.csv").unwrap();
        assert_eq!(header.position(&["codigo_indec_departamento"]), Some(1));
        assert_eq!(header.position(&["origen_financiamiento", "origen_de_financiamiento"]), Some(2));
        assert_eq!(header.position(&["tipo"]), None);
    }

    #[test]
    fn missing_column_is_named() {
        let header = Header::parse(b"id,nombre", "x.csv").unwrap();
        let failure = header.positions(["id", "sexo"], "x.csv").unwrap_err();
        assert_eq!(failure.to_string(), "`x.csv` lacks the column `sexo`");
    }
}
