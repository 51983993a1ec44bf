//! The licences of the libraries in the program: each text once, with the libraries that it belongs to.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use super::libraries::Library;
use common::failure::{Context as _, Failure, Result};

/// Beginnings of the names of files with licences, in lower case.
const NAMES: [&str; 6] = ["licen", "copying", "copyright", "notice", "unlicense", "patents"];

const RULE: &str = "--------------------------------------------------------------------------------";

/// Returns the document.
pub(super) fn document(libraries: &[Library]) -> Result<String> {
    let mut by_text: BTreeMap<String, Vec<&Library>> = BTreeMap::new();
    let mut list = String::new();
    for library in libraries.iter().filter(|library| !library.is_own()) {
        let files = files(&library.folder)?;
        let license = library.license.as_deref().unwrap_or("see its text");
        if files.is_empty() && library.license.is_none() {
            return Err(Failure::new(format!("`{}` has no licence", library.name)));
        }
        let place = match &library.repository {
            Some(repository) if files.is_empty() => format!(", without a text: {repository}"),
            _ => String::new(),
        };
        // Writing to a string cannot fail.
        _ = writeln!(list, "{} {}: {license}{place}", library.name, library.version);
        for file in files {
            let text = std::fs::read(&file).context(|| format!("cannot read `{}`", file.display()))?;
            let text = String::from_utf8_lossy(&text).replace("\r\n", "\n").trim().to_owned();
            by_text.entry(text).or_default().push(library);
        }
    }
    let mut document =
        format!("The program covidctl contains these libraries. Their licences follow.\n\n{list}");
    let mut texts: Vec<_> = by_text.into_iter().collect();
    texts.sort_by_key(|(_, libraries)| std::cmp::Reverse(libraries.len()));
    for (text, libraries) in texts {
        let mut names: Vec<String> =
            libraries.iter().map(|library| format!("{} {}", library.name, library.version)).collect();
        names.dedup();
        _ = write!(document, "\n{RULE}\n{}\n{RULE}\n\n{text}\n", names.join(", "));
    }
    Ok(document)
}

/// Returns the files with licences in the folder of a package.
fn files(folder: &Path) -> Result<Vec<PathBuf>> {
    let entries = std::fs::read_dir(folder).context(|| format!("cannot read `{}`", folder.display()))?;
    let mut files: Vec<PathBuf> = entries
        .flatten()
        .filter(|entry| {
            let name = entry.file_name().to_string_lossy().to_lowercase();
            NAMES.iter().any(|start| name.starts_with(start)) && entry.path().is_file()
        })
        .map(|entry| entry.path())
        .collect();
    files.sort();
    Ok(files)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn library(name: &str, license: Option<&str>, folder: &Path) -> Library {
        std::fs::create_dir_all(folder.join(name)).unwrap();
        Library {
            name: name.to_owned(),
            version: "1.0.0".to_owned(),
            license: license.map(str::to_owned),
            repository: Some(format!("https://git.example/{name}")),
            description: None,
            folder: folder.join(name),
            checksum: Some("00".to_owned()),
            uses: Vec::new(),
        }
    }

    #[test]
    fn same_text_is_printed_once() {
        let folder = tempfile::tempdir().unwrap();
        let libraries = ["a", "b", "c"].map(|name| library(name, Some("MIT"), folder.path()));
        std::fs::write(folder.path().join("a/LICENSE-MIT"), "Permission is granted\r\n").unwrap();
        std::fs::write(folder.path().join("b/license.txt"), "Permission is granted\n").unwrap();
        let text = document(&libraries).unwrap();
        assert_eq!(text.matches("Permission is granted").count(), 1, "{text}");
        assert!(text.contains(&format!("{RULE}\na 1.0.0, b 1.0.0\n{RULE}")), "{text}");
        assert!(text.contains("c 1.0.0: MIT, without a text: https://git.example/c"), "{text}");
    }

    #[test]
    fn library_without_licence_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let failure = document(&[library("a", None, folder.path())]).unwrap_err();
        assert_eq!(failure.to_string(), "`a` has no licence");
    }
}
