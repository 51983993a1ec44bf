//! Archive, packages and checksums.

use std::path::Path;
use std::process::Command;

use super::{Folders, VERSION, archive_name, create, write};
use crate::{output, process};
use common::failure::{Context as _, Failure, Result};

/// Formats of packages.
const FORMATS: [&str; 2] = ["deb", "rpm"];

/// Writes the archive: one folder with everything in it, owned by root.
pub(super) fn archive(triple: &str, folders: &Folders) -> Result<()> {
    let name = archive_name(triple);
    let archive = folders.result.join(format!("{name}.tar.gz"));
    output::note(&format!("archive {name}.tar.gz"));
    let root = folders.stage.with_file_name("package-archive");
    if root.exists() {
        std::fs::remove_dir_all(&root).context(|| format!("cannot remove `{}`", root.display()))?;
    }
    create(&root)?;
    process::output_of(Command::new("cp").arg("-Rp").arg(&folders.stage).arg(root.join(&name)))?;
    let mut tar = Command::new("tar");
    tar.arg("--create").arg("--gzip").arg("--file").arg(&archive).arg("--directory").arg(&root);
    if cfg!(target_os = "linux") {
        // The same files give the same bytes.
        tar.args(["--sort=name", "--owner=0", "--group=0", "--numeric-owner", "--format=gnu"]);
        tar.arg(format!("--mtime=@{}", commit_time())).env("GZIP", "-n");
    }
    process::output_of(tar.arg(&name)).map(drop)
}

/// Writes the packages for Debian and Red Hat.
pub(super) fn packages(triple: &str, folders: &Folders) -> Result<()> {
    let processor = triple.split('-').next().unwrap_or_default();
    for format in FORMATS {
        let name = package_name(format, processor);
        output::note(&format!("package {name}"));
        process::output_of(
            Command::new(folders.tools.join("nfpm"))
                .args(["package", "--packager", format, "--config"])
                .arg(process::workspace().join("packaging/nfpm.yaml"))
                .arg("--target")
                .arg(folders.result.join(name))
                .current_dir(&folders.stage)
                .env("PACKAGE_VERSION", VERSION)
                .env("PACKAGE_ARCH", debian(processor))
                .env("SOURCE_DATE_EPOCH", commit_time()),
        )?;
    }
    Ok(())
}

/// Returns the name of a package as its distributions write it.
fn package_name(format: &str, processor: &str) -> String {
    match format {
        "deb" => format!("covidctl_{VERSION}_{}.deb", debian(processor)),
        _ => format!("covidctl-{VERSION}-1.{processor}.{format}"),
    }
}

/// Returns Debian's name of a processor, which is also Go's.
fn debian(processor: &str) -> &str {
    match processor {
        "x86_64" => "amd64",
        "aarch64" => "arm64",
        other => other,
    }
}

/// Returns the time of the commit in seconds, or 0 outside a clone.
fn commit_time() -> String {
    let mut git = Command::new("git");
    git.args(["log", "-1", "--format=%ct"]).current_dir(process::workspace());
    let time = process::output_of(&mut git).unwrap_or_default();
    let time = time.trim();
    if time.is_empty() { "0".to_owned() } else { time.to_owned() }
}

/// Writes `SHA256SUMS` of all files.
pub(super) fn checksums(result: &Path) -> Result<()> {
    let names = files(result)?.into_iter().map(|(name, _)| name);
    let mut command = Command::new("sha256sum");
    if process::folder_on_path("sha256sum").is_none() {
        command = Command::new("shasum");
        command.args(["--algorithm", "256"]);
    }
    let sums = process::output_of(command.args(names).current_dir(result))?;
    write(&result.join("SHA256SUMS"), sums.as_bytes())
}

/// Returns the names and sizes of the files, in the order of their names.
pub(super) fn files(folder: &Path) -> Result<Vec<(String, u64)>> {
    let entries = std::fs::read_dir(folder).context(|| format!("cannot read `{}`", folder.display()))?;
    let mut files: Vec<(String, u64)> = entries
        .flatten()
        .filter_map(|entry| {
            Some((
                entry.file_name().into_string().ok()?,
                entry.metadata().ok().filter(std::fs::Metadata::is_file)?.len(),
            ))
        })
        .collect();
    files.sort();
    if files.is_empty() {
        return Err(Failure::new(format!("`{}` is empty", folder.display())));
    }
    Ok(files)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn packages_have_names_of_their_distributions() {
        let names = FORMATS.map(|format| package_name(format, "aarch64"));
        assert_eq!(
            names,
            [format!("covidctl_{VERSION}_arm64.deb"), format!("covidctl-{VERSION}-1.aarch64.rpm")]
        );
    }

    #[test]
    fn checksums_are_of_every_file_in_order_of_name() {
        let folder = tempfile::tempdir().unwrap();
        write(&folder.path().join("b"), b"").unwrap();
        write(&folder.path().join("a"), b"a").unwrap();
        checksums(folder.path()).unwrap();
        let sums = std::fs::read_to_string(folder.path().join("SHA256SUMS")).unwrap();
        assert_eq!(
            sums,
            "ca978112ca1bbdcafac231b39a23dc4da786eff8147c4e72b9807785afee48bb  a\n\
             e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855  b\n"
        );
    }
}
