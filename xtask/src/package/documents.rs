//! What a package has besides the binary: completions, manual pages, licences, and the list of components (`CycloneDX`).

use std::path::{Path, PathBuf};
use std::process::Command;

use super::{Folders, archive_name, copy, create, write};
use crate::{output, process, tools};
use common::failure::{Context as _, Failure, Result};

const CARGO_ABOUT: (&str, &str) = ("cargo-about", "0.9.3");

const CARGO_CYCLONEDX: (&str, &str) = ("cargo-cyclonedx", "0.5.9");

/// Shells, and the names under which they look for completions.
const COMPLETIONS: [(&str, &str); 3] =
    [("bash", "covidctl.bash"), ("zsh", "_covidctl"), ("fish", "covidctl.fish")];

/// Texts of the repository that are part of each package.
const TEXTS: [&str; 3] = ["LICENSE", "README.md", "CHANGELOG.md"];

/// Writes the content of the packages to the stage, and the list of components to the result.
pub(super) fn stage(binary: &Path, triple: &str, folders: &Folders) -> Result<()> {
    let stage = &folders.stage;
    copy(binary, &stage.join("covidctl"))?;
    for name in TEXTS {
        copy(&process::workspace().join(name), &stage.join(name))?;
    }
    let completions = stage.join("completions");
    create(&completions)?;
    for (shell, name) in COMPLETIONS {
        let script = process::output_of(Command::new(binary).args(["completions", shell]))?;
        write(&completions.join(name), script.as_bytes())?;
    }
    let manual = stage.join("man/man1");
    create(&manual)?;
    process::output_of(Command::new(binary).args(["man", "--dir"]).arg(&manual))?;
    compress(&manual)?;
    licences(triple, stage)?;
    components(triple, folders)
}

/// Compresses every page, without its name and time, so that the same pages give the same bytes.
fn compress(manual: &Path) -> Result<()> {
    let pages = std::fs::read_dir(manual).context(|| format!("cannot read `{}`", manual.display()))?;
    let mut gzip = Command::new("gzip");
    gzip.args(["-9", "-n"]).args(pages.flatten().map(|page| page.path()));
    process::output_of(&mut gzip).map(drop)
}

/// Writes the licences of the dependencies that are in the binary.
fn licences(triple: &str, stage: &Path) -> Result<()> {
    output::note("licences of the dependencies");
    let program = tools::cargo(CARGO_ABOUT.0, CARGO_ABOUT.1)?;
    let folder = process::workspace().join("packaging");
    let text = process::output_of(
        Command::new(program)
            .args(["about", "generate", "--locked", "--fail", "--target", triple])
            .arg("--manifest-path")
            .arg(process::workspace().join("Cargo.toml"))
            .arg("--config")
            .arg(folder.join("about.toml"))
            .arg(folder.join("licences.hbs")),
    )?;
    write(&stage.join("THIRD-PARTY-LICENSES.txt"), text.as_bytes())
}

/// Writes the software bill of materials.
fn components(triple: &str, folders: &Folders) -> Result<()> {
    output::note("list of components");
    let program = tools::cargo(CARGO_CYCLONEDX.0, CARGO_CYCLONEDX.1)?;
    // It writes beside the manifest of each member.
    let name = "covidctl-components";
    process::output_of(
        Command::new(program)
            .args(["cyclonedx", "--format", "json", "--spec-version", "1.5", "--quiet"])
            .args(["--target", triple, "--no-build-deps", "--override-filename", name])
            .arg("--manifest-path")
            .arg(process::workspace().join("Cargo.toml"))
            .env("CARGO_NET_OFFLINE", "true"),
    )?;
    let written = written_components(name)?;
    let own = process::workspace().join(format!("{name}.json"));
    let kept = copy(&own, &folders.result.join(format!("{}.cdx.json", archive_name(triple))));
    for path in written {
        std::fs::remove_file(&path).context(|| format!("cannot remove `{}`", path.display()))?;
    }
    kept
}

/// Returns the lists of all members of the workspace.
fn written_components(name: &str) -> Result<Vec<PathBuf>> {
    let metadata = process::output_of(&mut process::cargo("metadata --no-deps --format-version 1"))?;
    let metadata: serde_json::Value = serde_json::from_str(&metadata)
        .context(|| "cannot read the output of `cargo metadata`".to_owned())?;
    let packages =
        metadata["packages"].as_array().ok_or_else(|| Failure::new("the workspace has no packages"))?;
    let manifests = packages.iter().filter_map(|package| package["manifest_path"].as_str());
    let lists = manifests.map(|manifest| Path::new(manifest).with_file_name(format!("{name}.json")));
    Ok(lists.filter(|list| list.is_file()).collect())
}
