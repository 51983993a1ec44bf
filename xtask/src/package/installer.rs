//! Tests of `packaging/install.sh` and `packaging/formula.sh` on a release whose program is a script.

use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use tempfile::TempDir;

use super::{VERSION, archive_name, bundle, host, write};
use crate::process;

/// A directory with the files of a release, and a home directory.
struct Fixture(TempDir);

impl Fixture {
    fn new() -> Self {
        let fixture = Self(tempfile::tempdir().unwrap());
        let name = archive_name(&host().unwrap());
        let content = fixture.path(&name);
        for folder in ["man/man1", "completions"] {
            std::fs::create_dir_all(content.join(folder)).unwrap();
        }
        for file in [
            "man/man1/covidctl.1.gz",
            "completions/covidctl.bash",
            "completions/_covidctl",
            "completions/covidctl.fish",
        ] {
            write(&content.join(file), b"").unwrap();
        }
        for file in ["LICENSE", "THIRD-PARTY-LICENSES.txt"] {
            write(&content.join(file), b"MIT").unwrap();
        }
        let program = content.join("covidctl");
        write(&program, b"#!/bin/sh\necho covidctl 1.2.3\n").unwrap();
        process::output_of(Command::new("chmod").arg("+x").arg(program)).unwrap();
        std::fs::create_dir(fixture.path("release")).unwrap();
        let archive = fixture.path("release").join(format!("{name}.tar.gz"));
        process::output_of(
            Command::new("tar").arg("-czf").arg(archive).arg("-C").arg(fixture.0.path()).arg(name),
        )
        .unwrap();
        bundle::checksums(&fixture.path("release")).unwrap();
        fixture
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    fn install(&self) -> Output {
        Command::new("sh")
            .arg(script("install.sh"))
            .arg("--from")
            .arg(format!("file://{}", self.path("release").display()))
            .env("HOME", self.path("home"))
            .output()
            .unwrap()
    }

    fn installed(&self) -> PathBuf {
        self.path("home/.local/bin/covidctl")
    }
}

fn script(name: &str) -> PathBuf {
    process::workspace().join("packaging").join(name)
}

fn error(output: &Output) -> String {
    assert!(!output.status.success());
    String::from_utf8_lossy(&output.stderr).into_owned()
}

#[test]
fn installer_installs_program_completions_and_manual() {
    let fixture = Fixture::new();
    let output = fixture.install();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let text = String::from_utf8_lossy(&output.stdout);
    assert!(text.starts_with("covidctl 1.2.3 is installed in "), "{text}");
    assert!(text.contains("export PATH="), "{text}");
    assert!(fixture.installed().is_file());
    for file in [
        "man/man1/covidctl.1.gz",
        "bash-completion/completions/covidctl",
        "zsh/site-functions/_covidctl",
        "fish/vendor_completions.d/covidctl.fish",
        "doc/covidctl/LICENSE",
    ] {
        assert!(fixture.path("home/.local/share").join(file).is_file(), "{file}");
    }
    assert!(fixture.install().status.success(), "a second installation replaces the first");
}

#[test]
fn installer_rejects_archive_with_wrong_checksum() {
    let fixture = Fixture::new();
    let archive = format!("{}.tar.gz", archive_name(&host().unwrap()));
    write(&fixture.path("release").join(&archive), b"something else").unwrap();
    let error = error(&fixture.install());
    assert!(error.contains(&format!("the checksum of the download is wrong: {archive}")), "{error}");
    assert!(!fixture.installed().exists());
}

#[test]
fn installer_without_build_for_platform_installs_nothing() {
    let fixture = Fixture::new();
    write(&fixture.path("release/SHA256SUMS"), b"00  covidctl-v1.2.3-sparc-sun-solaris.tar.gz\n").unwrap();
    let error = error(&fixture.install());
    assert!(error.contains("the release has no build for"), "{error}");
    assert!(!fixture.installed().exists());
}

#[test]
fn installer_that_knows_no_repository_says_so() {
    let output = Command::new("sh").arg(script("install.sh")).env("HOME", "/nonexistent").output().unwrap();
    let error = error(&output);
    assert!(error.contains("does not know its repository"), "{error}");
}

fn formula(sums: &Path) -> Output {
    let tag = format!("v{VERSION}");
    Command::new("sh").arg(script("formula.sh")).args(["owner/name", &tag]).arg(sums).output().unwrap()
}

#[test]
fn formula_has_url_and_checksum_of_each_platform() {
    let folder = tempfile::tempdir().unwrap();
    let sums = folder.path().join("SHA256SUMS");
    let platforms = [
        "aarch64-apple-darwin",
        "x86_64-apple-darwin",
        "aarch64-unknown-linux-gnu",
        "x86_64-unknown-linux-gnu",
    ];
    let lines: Vec<String> = (0..)
        .zip(platforms)
        .map(|(number, platform)| format!("{number:064x}  {}.tar.gz\n", archive_name(platform)))
        .collect();
    write(&sums, lines.concat().as_bytes()).unwrap();
    let output = formula(&sums);
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    for (number, platform) in (0..).zip(platforms) {
        let name = archive_name(platform);
        let wanted = format!(
            "url \"https://github.com/owner/name/releases/download/v{VERSION}/{name}.tar.gz\"\n      sha256 \"{number:064x}\""
        );
        assert!(text.contains(&wanted), "{wanted}\n{text}");
    }
    write(&sums, lines[0].as_bytes()).unwrap();
    assert!(error(&formula(&sums)).contains("has no covidctl-"));
}
