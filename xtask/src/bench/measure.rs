//! Measures a program: wall time, CPU time, and peak resident memory of the process and its children, without PostgreSQL's.

use std::fmt;
use std::fs::{self, File};
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Instant;

use wait4::Wait4 as _;

use crate::process;
use common::failure::{Context as _, Failure, Result};

/// Limits each run, in seconds.
const TIME_LIMIT: &str = "1800";

#[derive(Clone, Copy, Debug)]
pub(super) struct Measurement {
    pub(super) seconds: f64,
    pub(super) peak_bytes: u64,
    /// User and system time of all its processes.
    pub(super) cpu_seconds: f64,
}

/// Runs a command; returns the measurement and the last line of its output.
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

    let output_text = fs::read(&log).context(|| format!("cannot read `{}`", log.display()))?;
    let output_text = String::from_utf8_lossy(&output_text).trim_end().to_owned();
    if !used.status.success() {
        let tail: Vec<&str> = output_text.lines().rev().take(20).collect();
        let tail = tail.into_iter().rev().collect::<Vec<_>>().join("\n");
        return Err(Failure::new(format!("`{}` failed: {}\n{tail}", process::line_of(command), used.status)));
    }
    let last_line = output_text.lines().last().unwrap_or_default().to_owned();
    let cpu_seconds = (used.rusage.utime + used.rusage.stime).as_secs_f64();
    Ok((Measurement { seconds, peak_bytes: used.rusage.maxrss, cpu_seconds }, last_line))
}

/// Wraps the command in `timeout`, in the foreground so that Ctrl-C reaches it.
fn limited(command: &Command) -> Command {
    let mut limited = Command::new("timeout");
    limited
        .args(["--foreground", "--kill-after=10", TIME_LIMIT])
        .arg(command.get_program())
        .args(command.get_args())
        .envs(command.get_envs().filter_map(|(name, value)| Some((name, value?))));
    limited
}

/// Returns the middle value; of an even number, the mean of the middle two.
pub(super) fn median(values: impl Iterator<Item = f64>) -> f64 {
    let mut values: Vec<f64> = values.collect();
    values.sort_unstable_by(f64::total_cmp);
    match values.len() {
        0 => f64::NAN,
        length if length % 2 == 1 => values[length / 2],
        length => f64::midpoint(values[length / 2 - 1], values[length / 2]),
    }
}

/// The mean ratio of paired measurements.
#[derive(Clone, Copy)]
pub(super) struct Ratio {
    /// The geometric mean.
    pub(super) mean: f64,
    /// The standard error of the mean; unknown for a single pair.
    error: Option<f64>,
}

impl Ratio {
    pub(super) fn of(ratios: &[f64]) -> Self {
        let count = approximate(ratios.len() as u64);
        let logarithms = || ratios.iter().map(|ratio| ratio.ln());
        let mean = logarithms().sum::<f64>() / count;
        let squares: f64 = logarithms().map(|logarithm| (logarithm - mean).powi(2)).sum();
        // A small error of the logarithm is a relative error of the ratio.
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

#[expect(clippy::cast_precision_loss, reason = "counts are far below 2^52, and ratios are rounded")]
pub(super) fn approximate(count: u64) -> f64 {
    count as f64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn median_is_middle_value() {
        assert!((median([3.0, 1.0, 2.0].into_iter()) - 2.0).abs() < f64::EPSILON);
        assert!((median([4.0, 1.0, 2.0, 3.0].into_iter()) - 2.5).abs() < f64::EPSILON);
        assert!(median(std::iter::empty()).is_nan());
    }

    #[test]
    fn ratio_is_geometric_mean_with_standard_error() {
        assert_eq!(Ratio::of(&[2.0, 0.5]).to_string(), "1.00 ± 0.69");
        assert_eq!(Ratio::of(&[2.0, 0.5].repeat(50)).to_string(), "1.00 ± 0.07");
        assert_eq!(Ratio::of(&[1.25; 3]).to_string(), "1.25 ± 0.00");
        assert_eq!(Ratio::of(&[0.5]).to_string(), "0.50");
    }

    #[test]
    fn run_returns_peak_memory_and_last_line() {
        let scratch = tempfile::tempdir().unwrap();
        let mut command = Command::new("sh");
        // 64 MiB in one variable of the shell.
        command.args(["-c", "x=$(head -c 67108864 /dev/zero | tr '\\0' x); echo ${#x}"]);
        let (measurement, last_line) = run(&command, scratch.path()).unwrap();
        assert_eq!(last_line, "67108864");
        assert!(measurement.peak_bytes > 64 << 20, "{measurement:?}");
    }

    #[test]
    fn run_of_failing_program_returns_its_output() {
        let scratch = tempfile::tempdir().unwrap();
        let mut command = Command::new("sh");
        command.args(["-c", "echo cannot connect >&2; exit 4"]);
        let failure = run(&command, scratch.path()).unwrap_err().to_string();
        assert!(failure.contains("exit status: 4") && failure.contains("cannot connect"), "{failure}");
    }
}
