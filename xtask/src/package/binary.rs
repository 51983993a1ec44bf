//! The binary of a release: profile `dist`, portable, and within its limits.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use super::megabytes;
use crate::{output, process};
use common::failure::{Context as _, Failure, Result};

/// The C library of Debian 10, RHEL 8 and Ubuntu 18.10, and of every later release.
const GLIBC: (u32, u32) = (2, 28);

/// Limit of the size, in bytes.
const MAX_SIZE: u64 = 40_000_000;

/// Limit of the median time of `covidctl --version`.
const MAX_START: Duration = Duration::from_millis(5);

const STARTS: usize = 51;

/// Builds `covidctl`; returns its path.
pub(super) fn build(triple: &str, tools: &Path) -> Result<PathBuf> {
    output::note("building covidctl, profile dist");
    let linux = triple.ends_with("-linux-gnu");
    let (verb, target) = if linux {
        ("zigbuild", format!("{triple}.{}.{}", GLIBC.0, GLIBC.1))
    } else {
        ("build", triple.to_owned())
    };
    let mut cargo = process::cargo(&format!(
        "{verb} --locked --profile dist --package covidctl --bin covidctl --target {target}"
    ));
    let path = std::env::var_os("PATH").unwrap_or_default();
    let paths = std::iter::once(tools.to_owned()).chain(std::env::split_paths(&path));
    let path = std::env::join_paths(paths).context(|| "PATH is invalid".to_owned())?;
    // A folder of its own: the flags of zig would rebuild everything else.
    let folder = process::target()?.join("package-build");
    process::run(cargo.env("PATH", path).env("CARGO_TARGET_DIR", &folder))?;
    Ok(folder.join(triple).join("dist/covidctl"))
}

/// Checks size, start-up time and, on Linux, the version of the C library.
pub(super) fn check(binary: &Path) -> Result<()> {
    let size = std::fs::metadata(binary).context(|| format!("cannot read `{}`", binary.display()))?.len();
    let start = start_time(binary)?;
    output::note(&format!(
        "size {} (limit {}), start {:.1} ms (limit {} ms)",
        megabytes(size),
        megabytes(MAX_SIZE),
        start.as_secs_f64() * 1000.0,
        MAX_START.as_millis()
    ));
    if size >= MAX_SIZE {
        return Err(Failure::new(format!("the binary has {}", megabytes(size))));
    }
    if start >= MAX_START {
        // The machine may be busy, which says nothing about the binary.
        output::note("the start took too long; measure again on an idle machine");
    }
    if cfg!(target_os = "linux") {
        let symbols = process::output_of(Command::new("objdump").arg("-T").arg(binary))
            .map_err(|failure| failure.hint("install binutils"))?;
        let needed = newest_glibc(&symbols).unwrap_or_default();
        output::note(&format!("needs glibc {}.{}", needed.0, needed.1));
        if needed > GLIBC {
            return Err(Failure::new(format!("the binary needs glibc {}.{}", needed.0, needed.1)));
        }
    }
    Ok(())
}

/// Returns the median time of a start.
fn start_time(binary: &Path) -> Result<Duration> {
    let mut times = Vec::with_capacity(STARTS);
    for _ in 0..STARTS {
        let begun = Instant::now();
        let mut command = Command::new(binary);
        let status = command.arg("--version").stdout(Stdio::null()).status();
        if !status.context(|| process::cannot_start(&command))?.success() {
            return Err(Failure::new(format!("`{} --version` failed", binary.display())));
        }
        times.push(begun.elapsed());
    }
    times.sort_unstable();
    Ok(times[STARTS / 2])
}

/// Returns the newest version of glibc among the dynamic symbols that `objdump -T` prints.
fn newest_glibc(symbols: &str) -> Option<(u32, u32)> {
    let versions = symbols.split("GLIBC_").skip(1).filter_map(|rest| {
        let version = rest.split(|character: char| !character.is_ascii_digit() && character != '.').next()?;
        let mut numbers = version.split('.').map(|number| number.parse().ok());
        Some((numbers.next()??, numbers.next()??))
    });
    versions.max()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn newest_glibc_compares_numbers() {
        let symbols = "0000 DF *UND* 0000 (GLIBC_2.9)   getrandom\n\
            0000 DF *UND* 0000 (GLIBC_2.28)  statx\n\
            0000 DF *UND* 0000 (GLIBC_2.2.5) malloc\n";
        assert_eq!(newest_glibc(symbols), Some((2, 28)));
        assert_eq!(newest_glibc("no dynamic symbols"), None);
    }
}
