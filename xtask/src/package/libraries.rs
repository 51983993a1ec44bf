//! The libraries that are linked into the program, as cargo resolves them for one platform.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;

use serde::Deserialize;

use crate::process;
use common::failure::{Context as _, Failure, Result};

#[derive(Deserialize)]
struct Metadata {
    packages: Vec<Package>,
    resolve: Resolve,
}

#[derive(Deserialize)]
struct Package {
    id: String,
    name: String,
    version: String,
    license: Option<String>,
    repository: Option<String>,
    description: Option<String>,
    manifest_path: PathBuf,
    /// Absent for members of the workspace.
    source: Option<String>,
    targets: Vec<Target>,
}

#[derive(Deserialize)]
struct Target {
    kind: Vec<String>,
}

#[derive(Deserialize)]
struct Resolve {
    nodes: Vec<Node>,
}

#[derive(Deserialize)]
struct Node {
    id: String,
    deps: Vec<Dependency>,
}

#[derive(Deserialize)]
struct Dependency {
    pkg: String,
    dep_kinds: Vec<DependencyKind>,
}

#[derive(Deserialize)]
struct DependencyKind {
    /// `build` or `dev`; none for what is linked.
    kind: Option<String>,
}

/// A library of the program, or the program itself.
pub(super) struct Library {
    pub(super) name: String,
    pub(super) version: String,
    pub(super) license: Option<String>,
    pub(super) repository: Option<String>,
    pub(super) description: Option<String>,
    /// The folder of its source.
    pub(super) folder: PathBuf,
    /// SHA-256 of its package; none for a member of the workspace.
    pub(super) checksum: Option<String>,
    /// Package URLs of the libraries that it uses.
    pub(super) uses: Vec<String>,
}

impl Library {
    /// Returns its package URL.
    pub(super) fn url(&self) -> String {
        url(&self.name, &self.version)
    }

    /// Returns whether it belongs to this project.
    pub(super) fn is_own(&self) -> bool {
        self.checksum.is_none()
    }
}

fn url(name: &str, version: &str) -> String {
    format!("pkg:cargo/{name}@{version}")
}

/// Returns the program and its libraries in order of name. Macros and what is needed only to build are left out: no code of theirs is linked.
pub(super) fn linked(triple: &str) -> Result<Vec<Library>> {
    let mut cargo = process::cargo("metadata --format-version 1 --locked --filter-platform");
    let text = process::output_of(cargo.arg(triple))?;
    let lock = process::workspace().join("Cargo.lock");
    let lock = std::fs::read_to_string(&lock).context(|| format!("cannot read `{}`", lock.display()))?;
    from_metadata(&text, &checksums(&lock))
}

fn from_metadata(text: &str, checksums: &BTreeMap<String, String>) -> Result<Vec<Library>> {
    let metadata: Metadata =
        serde_json::from_str(text).context(|| "cannot read the output of `cargo metadata`".to_owned())?;
    let packages: BTreeMap<&str, &Package> =
        metadata.packages.iter().map(|package| (package.id.as_str(), package)).collect();
    let nodes: BTreeMap<&str, &Node> =
        metadata.resolve.nodes.iter().map(|node| (node.id.as_str(), node)).collect();
    let is_linked = |id: &str| {
        let targets = packages.get(id).into_iter().flat_map(|package| &package.targets);
        !targets.flat_map(|target| &target.kind).any(|kind| kind == "proc-macro")
    };
    let root =
        metadata.packages.iter().find(|package| package.name == "covidctl" && package.source.is_none());
    let root = root.ok_or_else(|| Failure::new("the workspace has no package covidctl"))?;
    let mut found = BTreeSet::from([root.id.as_str()]);
    let mut pending = vec![root.id.as_str()];
    let mut libraries = Vec::new();
    while let Some(id) = pending.pop() {
        let (Some(package), Some(node)) = (packages.get(id), nodes.get(id)) else {
            return Err(Failure::new(format!("`cargo metadata` does not describe `{id}`")));
        };
        let normal =
            node.deps.iter().filter(|dependency| dependency.dep_kinds.iter().any(|kind| kind.kind.is_none()));
        let direct: Vec<&str> =
            normal.map(|dependency| dependency.pkg.as_str()).filter(|id| is_linked(id)).collect();
        pending.extend(direct.iter().filter(|id| found.insert(id)));
        let mut uses: Vec<String> = direct
            .iter()
            .filter_map(|id| packages.get(id))
            .map(|package| url(&package.name, &package.version))
            .collect();
        uses.sort();
        libraries.push(Library {
            name: package.name.clone(),
            version: package.version.clone(),
            license: package.license.clone(),
            repository: package.repository.clone(),
            description: package.description.clone(),
            folder: package.manifest_path.parent().unwrap_or(&package.manifest_path).to_owned(),
            checksum: package
                .source
                .as_ref()
                .and_then(|_| checksums.get(&url(&package.name, &package.version)).cloned()),
            uses,
        });
    }
    libraries.sort_by_cached_key(Library::url);
    Ok(libraries)
}

/// Returns the checksums of `Cargo.lock` by package URL.
fn checksums(lock: &str) -> BTreeMap<String, String> {
    let value = |package: &str, key: &str| {
        let prefix = format!("{key} = \"");
        package.lines().find_map(|line| Some(line.strip_prefix(&prefix)?.trim_end_matches('"').to_owned()))
    };
    let packages = lock.split("[[package]]");
    packages
        .filter_map(|package| {
            Some((url(&value(package, "name")?, &value(package, "version")?), value(package, "checksum")?))
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const LOCK: &str = "version = 4\n\n[[package]]\nname = \"a\"\nversion = \"1.0.0\"\nsource = \"registry\"\nchecksum = \"00ff\"\n\n\
        [[package]]\nname = \"covidctl\"\nversion = \"0.1.0\"\ndependencies = [\n \"a\",\n]\n";

    fn package(name: &str, version: &str, kind: &str, source: &str) -> String {
        format!(
            r#"{{"id":"{name}","name":"{name}","version":"{version}","license":"MIT","repository":null,"description":null,"manifest_path":"/r/{name}/Cargo.toml","source":{source},"targets":[{{"kind":["{kind}"]}}]}}"#
        )
    }

    #[test]
    fn macros_and_build_dependencies_are_not_linked() {
        let packages = [
            package("covidctl", "0.1.0", "bin", "null"),
            package("a", "1.0.0", "lib", "\"registry\""),
            package("derive", "2.0.0", "proc-macro", "\"registry\""),
            package("cc", "3.0.0", "lib", "\"registry\""),
            package("common", "0.1.0", "lib", "null"),
        ];
        let text = format!(
            r#"{{"packages":[{}],"resolve":{{"nodes":[
                {{"id":"covidctl","deps":[{{"pkg":"a","dep_kinds":[{{"kind":null}}]}},{{"pkg":"derive","dep_kinds":[{{"kind":null}}]}},
                    {{"pkg":"cc","dep_kinds":[{{"kind":"build"}},{{"kind":"dev"}}]}},{{"pkg":"common","dep_kinds":[{{"kind":null}}]}}]}},
                {{"id":"a","deps":[]}},{{"id":"derive","deps":[]}},{{"id":"cc","deps":[]}},{{"id":"common","deps":[]}}]}}}}"#,
            packages.join(",")
        );
        let libraries = from_metadata(&text, &checksums(LOCK)).unwrap();
        let found: Vec<_> =
            libraries.iter().map(|library| (library.name.as_str(), library.is_own())).collect();
        assert_eq!(found, [("a", false), ("common", true), ("covidctl", true)]);
        assert_eq!(libraries[0].checksum.as_deref(), Some("00ff"));
        assert_eq!(libraries[2].uses, ["pkg:cargo/a@1.0.0", "pkg:cargo/common@0.1.0"]);
    }
}
