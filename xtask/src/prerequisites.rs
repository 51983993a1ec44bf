//! What the tests need beyond Rust and a C compiler. Missing packages are installed as root on a machine with apt; other users get the
//! command.

use std::path::Path;
use std::process::Command;

use nix::unistd::geteuid;

use crate::postgres::Binaries;
use crate::{output, process};
use common::failure::{Failure, Result};

struct Prerequisite {
    name: &'static str,
    /// On Debian and Ubuntu.
    package: &'static str,
    purpose: &'static str,
    is_installed: fn(pg_bin: Option<&Path>) -> bool,
}

const PREREQUISITES: &[Prerequisite] = &[
    Prerequisite {
        name: "PostgreSQL",
        package: "postgresql",
        purpose: "loads, reports and the local target are tested on a real server",
        is_installed: |pg_bin| Binaries::find(pg_bin).is_ok(),
    },
    Prerequisite {
        name: "PgBouncer",
        package: "pgbouncer",
        purpose: "loads through a connection pooler are tested",
        // Its folder is often not on PATH.
        is_installed: |_| Path::new("/usr/sbin/pgbouncer").is_file(),
    },
    Prerequisite {
        name: "the OpenSSH server",
        package: "openssh-server",
        purpose: "the tunnel is tested through a real bastion",
        // Its folder is often not on PATH.
        is_installed: |_| Path::new("/usr/sbin/sshd").is_file(),
    },
    Prerequisite {
        name: "the OpenSSH client",
        package: "openssh-client",
        purpose: "the tests make keys with it, and the benchmark compares the tunnel with it",
        is_installed: |_| {
            ["ssh", "ssh-keygen", "ssh-agent"].iter().all(|name| process::folder_on_path(name).is_some())
        },
    },
    Prerequisite {
        name: "OpenSSL's program",
        package: "openssl",
        purpose: "the tests convert keys with it",
        is_installed: |_| process::folder_on_path("openssl").is_some(),
    },
    Prerequisite {
        name: "Python with venv",
        package: "python3-venv",
        purpose: "the linters of templates and Dockerfile, and the emulator of AWS, are Python programs",
        is_installed: |_| {
            process::output_of(Command::new("python3").args(["-c", "import ensurepip"])).is_ok()
        },
    },
    Prerequisite {
        name: "npm",
        package: "npm",
        purpose: "installs the linter of workflows, and the evaluator of IAM policies with Node.js",
        is_installed: |_| process::folder_on_path("npm").is_some(),
    },
    Prerequisite {
        name: "curl",
        package: "curl",
        purpose: "the installer and the download of PostgreSQL are tested with it",
        is_installed: |_| process::folder_on_path("curl").is_some(),
    },
    Prerequisite {
        name: "tmux",
        package: "tmux",
        purpose: "the screens are tested in a real terminal",
        is_installed: |_| process::folder_on_path("tmux").is_some(),
    },
    Prerequisite {
        name: "Chromium",
        package: "chromium",
        purpose: "the HTML report is opened in a real browser",
        is_installed: |_| process::folder_on_path("chromium").is_some(),
    },
    Prerequisite {
        name: "a font",
        package: "fonts-dejavu-core",
        purpose: "without one, text in the HTML report has no width",
        is_installed: |_| Path::new("/usr/share/fonts").is_dir(),
    },
];

pub(crate) fn list() {
    output::result(&packages(PREREQUISITES));
}

/// Installs missing prerequisites.
pub(crate) fn provide(pg_bin: Option<&Path>) -> Result<()> {
    if let Some(folder) = pg_bin {
        // An explicit folder is never replaced by an installation.
        Binaries::find(Some(folder))?;
    }
    let missing: Vec<_> = missing(pg_bin).collect();
    if missing.is_empty() {
        return Ok(());
    }
    for prerequisite in &missing {
        output::note(&format!("{} is missing: {}", prerequisite.name, prerequisite.purpose));
    }
    let packages = packages(missing);
    let impossible = |hint| Err(Failure::new("prerequisites of the tests are missing").hint(hint));
    if process::folder_on_path("apt-get").is_none() {
        return impossible(format!(
            "install the equivalents of the Debian packages {packages}, or set COVIDCTL_PG_BIN to the folder of PostgreSQL's binaries"
        ));
    }
    if !geteuid().is_root() {
        return impossible(format!(
            "sudo apt-get update && sudo apt-get install --yes --no-install-recommends {packages}"
        ));
    }
    output::note(&format!("installing {packages}"));
    for arguments in ["update".to_owned(), format!("install --yes --no-install-recommends {packages}")] {
        let mut apt_get = Command::new("apt-get");
        apt_get.arg("--quiet").args(arguments.split(' ')).env("DEBIAN_FRONTEND", "noninteractive");
        process::run(&mut apt_get)?;
    }
    let Some(prerequisite) = self::missing(pg_bin).next() else { return Ok(()) };
    let failure = Failure::new(format!("{} is still missing after its installation", prerequisite.name));
    Err(match prerequisite.package {
        "postgresql" => failure.hint("set COVIDCTL_PG_BIN to the folder of PostgreSQL's binaries"),
        package => failure.hint(format!("install {package} by hand and read the output of apt-get")),
    })
}

fn missing(pg_bin: Option<&Path>) -> impl Iterator<Item = &'static Prerequisite> {
    PREREQUISITES.iter().filter(move |prerequisite| !(prerequisite.is_installed)(pg_bin))
}

fn packages(prerequisites: impl IntoIterator<Item = &'static Prerequisite>) -> String {
    prerequisites.into_iter().map(|prerequisite| prerequisite.package).collect::<Vec<_>>().join(" ")
}
