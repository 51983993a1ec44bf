//! Says how far a load is while it happens: a bar on a terminal, a line every few seconds elsewhere.
//!
//! It only watches counters that the work keeps anyway.

use std::io::IsTerminal as _;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use indicatif::{ProgressBar, ProgressStyle};
use tokio::task::JoinHandle;

use crate::log::Format;
use crate::transform::Position;

/// Between two lines.
const LINE_EVERY: Duration = Duration::from_secs(5);

/// Between two pictures of the bar.
const BAR_EVERY: Duration = Duration::from_millis(100);

/// Shows progress until it is dropped.
pub struct Progress {
    task: JoinHandle<()>,
    bar: Option<ProgressBar>,
}

impl Progress {
    /// Begins to watch; `size` is the stored file's size in bytes.
    pub fn start(position: &Arc<Position>, size: u64, format: Format) -> Self {
        let position = Arc::clone(position);
        let bar = (format.is_text() && std::io::stderr().is_terminal()).then(|| bar(size));
        let shown = bar.clone();
        let task = tokio::spawn(async move {
            let begun = Instant::now();
            let mut ticks = tokio::time::interval(if shown.is_some() { BAR_EVERY } else { LINE_EVERY });
            ticks.tick().await;
            loop {
                ticks.tick().await;
                let (bytes, rows) =
                    (position.bytes.load(Ordering::Relaxed), position.rows.load(Ordering::Relaxed));
                match &shown {
                    Some(bar) => {
                        bar.set_position(bytes);
                        bar.set_message(format!("{rows} rows"));
                    }
                    None => say(bytes, size, rows, begun.elapsed()),
                }
            }
        });
        Self { task, bar }
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        self.task.abort();
        if let Some(bar) = &self.bar {
            bar.finish_and_clear();
        }
    }
}

fn bar(size: u64) -> ProgressBar {
    let style =
        ProgressStyle::with_template("{bar:32} {percent:>3} %  {msg}  {binary_bytes_per_sec}  {eta} left");
    ProgressBar::new(size).with_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()))
}

#[expect(
    clippy::cast_precision_loss,
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "figures for people"
)]
fn say(bytes: u64, size: u64, rows: u64, elapsed: Duration) {
    let seconds = elapsed.as_secs_f64();
    let done = bytes as f64 / size.max(1) as f64;
    let left = if done > 0.0 { (seconds / done - seconds).max(0.0) } else { 0.0 };
    tracing::info!(
        rows,
        percent = (done * 100.0) as u64,
        megabytes_per_second = (bytes as f64 / seconds / 1e5).round() / 10.0,
        seconds_left = left.round() as u64,
        "loading"
    );
}
