//! One measured program: wall-clock seconds, and the peak of its resident memory as the kernel counted it.
//!
//! The time is the whole process's, from its start to its end. The memory is the highest of the program and of the
//! children that it waited for; PostgreSQL's own is not in it, for anybody.

use std::fmt;
use std::fs::{self, File};
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Instant;

use wait4::Wait4 as _;

use crate::process;
use common::failure::{Context as _, Failure, Result};

/// Nobody gets more than this; a program that hangs must not hang the benchmark.
const LIMIT: &str = "1800";

/// What one run took.
#[derive(Clone, Copy, Debug)]
pub(super) struct Measurement {
    pub(super) seconds: f64,
    pub(super) peak_bytes: u64,
    /// Its own and the kernel's for it, of all its processes.
    pub(super) cpu_seconds: f64,
}

/// Runs it to its end. Returns the last line that it wrote, too.
pub(super) fn run(command: &Command, scratch: &Path) -> Result<(Measurement, String)> {
    let log = scratch.join("output.log");
    let output = File::create(&log).context(|| format!("cannot write `{}`", log.display()))?;
    let errors = output.try_clone().context(|| format!("cannot write `{}`", log.display()))?;
    let mut limited = limited(command);
    limited.stdin(Stdio::null()).stdout(output).stderr(errors);

    let start = Instant::now();
    let child = limited.spawn().context(|| process::cannot_start(&limited))?;
    let used = child.wait4().context(|| format!("cannot wait for `{}`", process::line_of(command)))?;
    let seconds = start.elapsed().as_secs_f64();

    let said = fs::read(&log).context(|| format!("cannot read `{}`", log.display()))?;
    let said = String::from_utf8_lossy(&said).trim_end().to_owned();
    if !used.status.success() {
        let tail: Vec<&str> = said.lines().rev().take(20).collect();
        let tail = tail.into_iter().rev().collect::<Vec<_>>().join("\n");
        return Err(Failure::new(format!("`{}` failed: {}\n{tail}", process::line_of(command), used.status)));
    }
    let last_line = said.lines().last().unwrap_or_default().to_owned();
    let cpu_seconds = (used.rusage.utime + used.rusage.stime).as_secs_f64();
    Ok((Measurement { seconds, peak_bytes: used.rusage.maxrss, cpu_seconds }, last_line))
}

/// The same command below `timeout`, which stays in the foreground so that Ctrl-C reaches it.
fn limited(command: &Command) -> Command {
    let mut limited = Command::new("timeout");
    limited
        .args(["--foreground", "--kill-after=10", LIMIT])
        .arg(command.get_program())
        .args(command.get_args())
        .envs(command.get_envs().filter_map(|(name, value)| Some((name, value?))));
    limited
}

/// The middle value; of an even number, the mean of the middle two.
pub(super) fn median(values: impl Iterator<Item = f64>) -> f64 {
    let mut values: Vec<f64> = values.collect();
    values.sort_unstable_by(f64::total_cmp);
    match values.len() {
        0 => f64::NAN,
        length if length % 2 == 1 => values[length / 2],
        length => f64::midpoint(values[length / 2 - 1], values[length / 2]),
    }
}

/// What pairs of measurements say together, where each pair was taken at the same time: how many times the other the one is.
#[derive(Clone, Copy)]
pub(super) struct Ratio {
    /// The geometric mean: twice and half are even.
    pub(super) mean: f64,
    /// The standard error of the mean; unknown where there is only one pair.
    error: Option<f64>,
}

impl Ratio {
    pub(super) fn of(ratios: &[f64]) -> Self {
        let count = approximate(ratios.len() as u64);
        let logarithms = || ratios.iter().map(|ratio| ratio.ln());
        let mean = logarithms().sum::<f64>() / count;
        let squares: f64 = logarithms().map(|logarithm| (logarithm - mean).powi(2)).sum();
        // An error of the logarithm is a share of the ratio, where both are small.
        let error = (squares / (count - 1.0) / count).sqrt() * mean.exp();
        Self { mean: mean.exp(), error: (ratios.len() > 1).then_some(error) }
    }
}

impl fmt::Display for Ratio {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let error = self.error.map_or_else(String::new, |error| format!(" ± {error:.2}"));
        f.pad(&format!("{:.2}{error}", self.mean))
    }
}

/// A count as a number to divide.
#[expect(clippy::cast_precision_loss, reason = "counts stay far below 2^52, and a ratio is rounded anyway")]
pub(super) fn approximate(count: u64) -> f64 {
    count as f64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_median_is_the_middle() {
        assert!((median([3.0, 1.0, 2.0].into_iter()) - 2.0).abs() < f64::EPSILON);
        assert!((median([4.0, 1.0, 2.0, 3.0].into_iter()) - 2.5).abs() < f64::EPSILON);
        assert!(median(std::iter::empty()).is_nan());
    }

    #[test]
    fn twice_and_half_are_even_and_the_error_shrinks_with_the_pairs() {
        assert_eq!(Ratio::of(&[2.0, 0.5]).to_string(), "1.00 ± 0.69");
        assert_eq!(Ratio::of(&[2.0, 0.5].repeat(50)).to_string(), "1.00 ± 0.07");
        assert_eq!(Ratio::of(&[1.25; 3]).to_string(), "1.25 ± 0.00");
        assert_eq!(Ratio::of(&[0.5]).to_string(), "0.50");
    }

    #[test]
    fn memory_and_the_last_line_are_the_programs_own() {
        let scratch = tempfile::tempdir().unwrap();
        let mut command = Command::new("sh");
        // 64 MiB in one variable of the shell.
        command.args(["-c", "x=$(head -c 67108864 /dev/zero | tr '\\0' x); echo ${#x}"]);
        let (measurement, last_line) = run(&command, scratch.path()).unwrap();
        assert_eq!(last_line, "67108864");
        assert!(measurement.peak_bytes > 64 << 20, "{measurement:?}");
    }

    #[test]
    fn a_failing_program_is_shown_with_its_last_words() {
        let scratch = tempfile::tempdir().unwrap();
        let mut command = Command::new("sh");
        command.args(["-c", "echo cannot connect >&2; exit 4"]);
        let failure = run(&command, scratch.path()).unwrap_err().to_string();
        assert!(failure.contains("exit status: 4") && failure.contains("cannot connect"), "{failure}");
    }
}
