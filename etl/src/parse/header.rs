//! The header row: the positions of the columns by name, in any case and order.

use super::field::trim_text;
use super::record::Records;
use super::unlike::refuse_other_than_csv;
use common::failure::{Failure, Result};

#[derive(Debug, Clone)]
pub struct Header {
    names: Vec<String>,
}

impl Header {
    /// Parses the first line of a file; fails if it is not the header of a CSV. `name` is the file, for messages.
    pub fn parse(line: &[u8], name: &str) -> Result<Self> {
        refuse_other_than_csv(line, name)?;
        let most = memchr::memchr_iter(b',', line).count() + 1;
        let mut records = Records::new(line, 1, most);
        let record = records.next().ok_or_else(|| empty(name))?;
        let field = |index| folded(&String::from_utf8_lossy(records.fields().get(record.raw, index).0));
        Ok(Self { names: (0..records.fields().count()).map(field).collect() })
    }

    /// Returns the number of columns.
    pub fn columns(&self) -> usize {
        self.names.len()
    }

    /// Returns the position of a column by the first of its names that is there.
    pub fn position(&self, names: &[&str]) -> Option<usize> {
        names.iter().find_map(|name| self.names.iter().position(|found| *found == folded(name)))
    }

    /// Returns the position of each column; fails if any is missing. `name` is the file, for messages.
    pub fn positions<const N: usize>(&self, wanted: [&str; N], name: &str) -> Result<[usize; N]> {
        let missing: Vec<_> = wanted
            .iter()
            .filter(|column| self.position(&[column]).is_none())
            .map(|column| format!("`{column}`"))
            .collect();
        if missing.is_empty() {
            return Ok(wanted.map(|column| self.position(&[column]).unwrap_or_default()));
        }
        let noun = if missing.len() == 1 { "column" } else { "columns" };
        Err(Failure::new(format!("`{name}` lacks the {noun} {}", missing.join(", ")))
            .hint(format!("its header has: {}", self.names.join(", "))))
    }
}

/// Normalizes a name: lower case, without surrounding white space, ñ as one character (a file may have n and a combining tilde), and with
/// `_` between words, where the files of May 2020 have a space.
fn folded(name: &str) -> String {
    trim_text(name).trim_matches('"').to_lowercase().replace("n\u{303}", "ñ").replace(' ', "_")
}

/// Returns the failure for an empty file.
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
