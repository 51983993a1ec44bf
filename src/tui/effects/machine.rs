//! Metrics of this machine, for a target that is on it: from `/proc` and the file system of the data.

use std::path::Path;

use nix::sys::statvfs::statvfs;
use target::Location;

use crate::tui::model::health::MachineMetrics;

/// Returns the metrics; none if the target is elsewhere, or the machine has no `/proc`.
pub(super) fn metrics(location: &Location) -> Option<MachineMetrics> {
    if !location.capabilities.services {
        return None;
    }
    let read = |file: &str| std::fs::read_to_string(file).ok();
    let processors =
        std::thread::available_parallelism().map_or(1, |count| u32::try_from(count.get()).unwrap_or(1));
    let load = load(&read("/proc/loadavg")?)? / f64::from(processors) * 100.0;
    let memory = memory(&read("/proc/meminfo")?)?;
    Some(MachineMetrics { load, memory, disk: disk(Path::new(&location.location)).unwrap_or(0.0) })
}

/// The load average of a minute.
fn load(text: &str) -> Option<f64> {
    text.split_whitespace().next()?.parse().ok()
}

/// Memory in use, in per cent.
fn memory(text: &str) -> Option<f64> {
    let field = |name: &str| {
        let line = text.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(':'))?;
        line.split_whitespace().next()?.parse::<f64>().ok()
    };
    let total = field("MemTotal")?;
    Some((total - field("MemAvailable")?) / total.max(1.0) * 100.0)
}

/// Space in use, in per cent, as far as this user may use it.
fn disk(folder: &Path) -> Option<f64> {
    let existing = folder.ancestors().find(|folder| folder.exists())?;
    let stat = statvfs(existing).ok()?;
    let used = stat.blocks().saturating_sub(stat.blocks_free());
    let all = used + stat.blocks_available();
    #[expect(clippy::cast_precision_loss, reason = "a percentage is rounded")]
    (all > 0).then(|| used as f64 / all as f64 * 100.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn metrics_are_read_from_proc() {
        assert_eq!(load("1.50 0.50 0.25 1/100 4711\n"), Some(1.5));
        let text = "MemTotal:       1000 kB\nMemFree:  100 kB\nMemAvailable:    250 kB\n";
        assert_eq!(memory(text), Some(75.0));
        assert_eq!((load(""), memory("")), (None, None));
        assert!(disk(Path::new("/")).is_some_and(|used| (0.0..=100.0).contains(&used)));
    }
}
