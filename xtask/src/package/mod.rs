//! `cargo xtask package`: the files of a release for one platform, in `target/package/`.
//!
//! On Linux the binary is linked against glibc 2.28, so that it runs on every distribution since 2018. Elsewhere the archive alone is made.
//! `packaging/try.sh` installs the result into fresh root directories.

mod binary;
mod bundle;
mod components;
mod documents;
#[cfg(test)]
mod installer;
mod libraries;
mod licences;

use std::path::{Path, PathBuf};
use std::process::Command;

use crate::{output, process, tools};
use common::failure::{Context as _, Failure, Result};

const VERSION: &str = env!("CARGO_PKG_VERSION");

const REQUIREMENTS: &str = include_str!("../../package/requirements.txt");

/// A folder for intermediate files, and the one for the result.
struct Folders {
    stage: PathBuf,
    result: PathBuf,
    /// The programs of the tools.
    tools: PathBuf,
}

/// Builds everything; prints the files with their sizes.
pub(crate) fn run(target: Option<String>, binary: Option<PathBuf>) -> Result<()> {
    let triple = target.map_or_else(host, Ok)?;
    let target = process::target()?;
    let tools = tools::python("package", "cargo-zigbuild and nfpm", REQUIREMENTS)?;
    let folders = Folders {
        stage: target.join("package-stage"),
        result: target.join("package"),
        tools: tools.parent().unwrap_or(Path::new("/")).to_owned(),
    };
    for folder in [&folders.stage, &folders.result] {
        if folder.exists() {
            std::fs::remove_dir_all(folder).context(|| format!("cannot remove `{}`", folder.display()))?;
        }
        create(folder)?;
    }
    let binary = binary.map_or_else(|| binary::build(&triple, &folders.tools), Ok)?;
    binary::check(&binary)?;
    documents::stage(&binary, &triple, &folders)?;
    bundle::archive(&triple, &folders)?;
    if cfg!(target_os = "linux") {
        bundle::packages(&triple, &folders)?;
    }
    bundle::checksums(&folders.result)?;
    for (name, size) in bundle::files(&folders.result)? {
        output::result(&format!("{:>10}  {name}", megabytes(size)));
    }
    Ok(())
}

/// Returns the platform of the compiler, such as `x86_64-unknown-linux-gnu`.
fn host() -> Result<String> {
    let version = process::output_of(Command::new("rustc").arg("-vV").current_dir(process::workspace()))?;
    let host = version.lines().find_map(|line| line.strip_prefix("host: "));
    host.map(str::to_owned).ok_or_else(|| Failure::new("rustc does not print its platform"))
}

fn create(folder: &Path) -> Result<()> {
    std::fs::create_dir_all(folder).context(|| format!("cannot create `{}`", folder.display()))
}

fn copy(from: &Path, to: &Path) -> Result<()> {
    std::fs::copy(from, to).map(drop).context(|| format!("cannot copy `{}`", from.display()))
}

fn write(path: &Path, content: &[u8]) -> Result<()> {
    std::fs::write(path, content).context(|| format!("cannot write `{}`", path.display()))
}

/// Returns a size as text, in millions of bytes.
fn megabytes(bytes: u64) -> String {
    format!("{}.{} MB", bytes / 1_000_000, bytes / 100_000 % 10)
}

/// Returns the name of an archive without its extension; `cargo binstall` and `install.sh` compute it, too.
fn archive_name(triple: &str) -> String {
    format!("covidctl-v{VERSION}-{triple}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn megabytes_has_one_decimal() {
        assert_eq!([megabytes(34_567_890), megabytes(99_999)], ["34.5 MB", "0.0 MB"]);
    }

    /// Returns the text of a key of the manifest.
    fn manifest_value(key: &str) -> String {
        let manifest = std::fs::read_to_string(process::workspace().join("Cargo.toml")).unwrap();
        let prefix = format!("{key} = \"");
        let value = manifest.lines().find_map(|line| line.strip_prefix(&prefix)).unwrap();
        value.trim_end_matches('"').to_owned()
    }

    #[test]
    fn cargo_binstall_finds_archive_and_binary() {
        let fill = |template: &str| {
            let fields = [
                ("{ name }", "covidctl"),
                ("{ version }", VERSION),
                ("{ target }", "x86_64-unknown-linux-gnu"),
                ("{ bin }", "covidctl"),
                ("{ binary-ext }", ""),
            ];
            fields.iter().fold(template.to_owned(), |text, (field, value)| text.replace(field, value))
        };
        let name = archive_name("x86_64-unknown-linux-gnu");
        assert_eq!(
            fill(&manifest_value("pkg-url")),
            format!("{{ repo }}/releases/download/v{VERSION}/{name}.tar.gz")
        );
        assert_eq!(fill(&manifest_value("bin-dir")), format!("{name}/covidctl"));
        assert_eq!(manifest_value("pkg-fmt"), "tgz");
    }
}
