//! What the tests need beyond Rust and a C compiler, in one table.
//!
//! As root on a machine with apt, what is missing is installed. Everyone else gets the one line to type; nothing is
//! ever installed behind a user's back.

use std::path::Path;
use std::process::Command;

use nix::unistd::geteuid;

use crate::postgres::Binaries;
use crate::{process, say};
use common::failure::{Failure, Result};

/// Something that must be on the machine.
struct Need {
    name: &'static str,
    /// The package that has it, on Debian and Ubuntu.
    package: &'static str,
    /// Why the tests want it.
    purpose: &'static str,
    is_there: fn(pg_bin: Option<&Path>) -> bool,
}

const NEEDS: &[Need] = &[
    Need {
        name: "PostgreSQL",
        package: "postgresql",
        purpose: "loads, reports and the local target are tested on a real server",
        is_there: |pg_bin| Binaries::find(pg_bin).is_ok(),
    },
    Need {
        name: "the OpenSSH server",
        package: "openssh-server",
        purpose: "the tunnel is tested through a real bastion",
        // It stands in a folder that is not on everybody's PATH.
        is_there: |_| Path::new("/usr/sbin/sshd").is_file(),
    },
    Need {
        name: "the OpenSSH client",
        package: "openssh-client",
        purpose: "the tests make keys with it, and the benchmark compares the tunnel with it",
        is_there: |_| {
            ["ssh", "ssh-keygen", "ssh-agent"].iter().all(|name| process::folder_on_path(name).is_some())
        },
    },
    Need {
        name: "Python with venv",
        package: "python3-venv",
        purpose: "the linters of templates and Dockerfile, and the emulator of AWS, are Python programs",
        is_there: |_| process::output_of(Command::new("python3").args(["-c", "import ensurepip"])).is_ok(),
    },
    Need {
        name: "npm",
        package: "npm",
        purpose: "the linter of workflows comes from there",
        is_there: |_| process::folder_on_path("npm").is_some(),
    },
    Need {
        name: "tmux",
        package: "tmux",
        purpose: "the screens are tested in a real terminal",
        is_there: |_| process::folder_on_path("tmux").is_some(),
    },
    Need {
        name: "Chromium",
        package: "chromium",
        purpose: "the HTML report is opened in a real browser",
        is_there: |_| process::folder_on_path("chromium").is_some(),
    },
    Need {
        name: "a font",
        package: "fonts-dejavu-core",
        purpose: "without one, no word of the HTML report has a width",
        is_there: |_| Path::new("/usr/share/fonts").is_dir(),
    },
];

/// Prints every package, in one line.
pub(crate) fn list() {
    say::result(&packages(NEEDS.iter()));
}

/// Makes sure that everything is there.
pub(crate) fn provide(pg_bin: Option<&Path>) -> Result<()> {
    if let Some(folder) = pg_bin {
        // A folder that somebody named is used or refused, never replaced by an installation.
        Binaries::find(Some(folder))?;
    }
    let missing = missing(pg_bin);
    if missing.is_empty() {
        return Ok(());
    }
    for need in &missing {
        say::note(&format!("{} is missing: {}", need.name, need.purpose));
    }
    let packages = packages(missing.iter().copied());
    if process::folder_on_path("apt-get").is_none() {
        return Err(Failure::new("something that the tests need is missing").hint(format!(
            "install what Debian calls {packages}, or set COVIDCTL_PG_BIN to the folder of PostgreSQL's binaries"
        )));
    }
    if !geteuid().is_root() {
        return Err(Failure::new("something that the tests need is missing").hint(format!(
            "sudo apt-get update && sudo apt-get install --yes --no-install-recommends {packages}"
        )));
    }
    install(&packages)?;
    match self::missing(pg_bin).first() {
        None => Ok(()),
        Some(need) => {
            let failure = Failure::new(format!("{} is still missing after its installation", need.name));
            Err(match need.package {
                "postgresql" => failure.hint("set COVIDCTL_PG_BIN to the folder of PostgreSQL's binaries"),
                package => failure.hint(format!("install {package} by hand and look at what apt-get says")),
            })
        }
    }
}

fn missing(pg_bin: Option<&Path>) -> Vec<&'static Need> {
    NEEDS.iter().filter(|need| !(need.is_there)(pg_bin)).collect()
}

fn packages<'a>(needs: impl Iterator<Item = &'a Need>) -> String {
    needs.map(|need| need.package).collect::<Vec<_>>().join(" ")
}

fn install(packages: &str) -> Result<()> {
    say::note(&format!("installing {packages}"));
    process::run(&mut apt_get(&["update"]))?;
    process::run(apt_get(&["install", "--yes", "--no-install-recommends"]).args(packages.split(' ')))
}

fn apt_get(arguments: &[&str]) -> Command {
    let mut command = Command::new("apt-get");
    command.arg("--quiet").args(arguments).env("DEBIAN_FRONTEND", "noninteractive");
    command
}
