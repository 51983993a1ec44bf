//! The list of components (software bill of materials), as `CycloneDX` 1.5.

use serde_json::{Value, json};

use super::VERSION;
use super::libraries::Library;
use common::failure::{Context as _, Result};

/// Returns the document. The same libraries give the same bytes: it has neither a serial number nor a time.
pub(super) fn document(libraries: &[Library]) -> Result<String> {
    let (program, libraries): (Vec<&Library>, Vec<&Library>) =
        libraries.iter().partition(|library| library.is_own() && library.name == "covidctl");
    let document = json!({
        "bomFormat": "CycloneDX",
        "specVersion": "1.5",
        "version": 1,
        "metadata": {
            "tools": { "components": [{ "type": "application", "name": "cargo xtask package", "version": VERSION }] },
            "component": program.first().map(|program| component(program, "application")),
        },
        "components": libraries.iter().map(|library| component(library, "library")).collect::<Vec<_>>(),
        "dependencies": program
            .iter()
            .chain(&libraries)
            .map(|library| json!({ "ref": library.url(), "dependsOn": library.uses }))
            .collect::<Vec<_>>(),
    });
    let text = serde_json::to_string_pretty(&document).context(|| "cannot write JSON".to_owned())?;
    Ok(format!("{text}\n"))
}

fn component(library: &Library, kind: &str) -> Value {
    let mut component = json!({
        "type": kind,
        "bom-ref": library.url(),
        "name": library.name,
        "version": library.version,
        "purl": library.url(),
    });
    if let Some(description) = &library.description {
        component["description"] = json!(description.trim());
    }
    if let Some(license) = &library.license {
        // Older packages separate alternatives by a slash.
        component["licenses"] = json!([{ "expression": license.replace('/', " OR ") }]);
    }
    if let Some(checksum) = &library.checksum {
        component["hashes"] = json!([{ "alg": "SHA-256", "content": checksum }]);
    }
    if let Some(repository) = &library.repository {
        component["externalReferences"] = json!([{ "type": "vcs", "url": repository }]);
    }
    component
}

#[cfg(test)]
mod tests {
    use super::*;

    fn library(name: &str, checksum: Option<&str>, uses: &[&str]) -> Library {
        Library {
            name: name.to_owned(),
            version: "1.0.0".to_owned(),
            license: Some("MIT/Apache-2.0".to_owned()),
            repository: None,
            description: None,
            folder: "/".into(),
            checksum: checksum.map(str::to_owned),
            uses: uses.iter().map(|&url| url.to_owned()).collect(),
        }
    }

    #[test]
    fn program_and_libraries_are_components_with_dependencies() {
        let libraries = [library("a", Some("00ff"), &[]), library("covidctl", None, &["pkg:cargo/a@1.0.0"])];
        let document: Value = serde_json::from_str(&document(&libraries).unwrap()).unwrap();
        assert_eq!(document["metadata"]["component"]["name"], "covidctl");
        let components = document["components"].as_array().unwrap();
        assert_eq!(components.len(), 1);
        assert_eq!(components[0]["purl"], "pkg:cargo/a@1.0.0");
        assert_eq!(components[0]["hashes"][0]["content"], "00ff");
        assert_eq!(components[0]["licenses"][0]["expression"], "MIT OR Apache-2.0");
        assert_eq!(document["dependencies"][0]["dependsOn"], json!(["pkg:cargo/a@1.0.0"]));
    }
}
