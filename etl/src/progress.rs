//! Reports the progress of a load: a bar on a terminal, else a log line every few seconds.

use std::io::IsTerminal as _;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use indicatif::{ProgressBar, ProgressStyle};
use tokio::task::JoinHandle;

use crate::log::Format;
use crate::transform::Position;

const LOG_INTERVAL: Duration = Duration::from_secs(5);

const REDRAW_INTERVAL: Duration = Duration::from_millis(100);

/// Reports progress until dropped.
pub struct Progress {
    task: JoinHandle<()>,
    bar: Option<ProgressBar>,
}

impl Progress {
    /// Starts reporting; `size` is that of the stored file, in bytes.
    pub fn start(position: &Arc<Position>, size: u64, format: Format) -> Self {
        let position = Arc::clone(position);
        let bar = (format.is_text() && std::io::stderr().is_terminal()).then(|| bar(size));
        let shown = bar.clone();
        let task = tokio::spawn(async move {
            let begun = Instant::now();
            let mut ticks =
                tokio::time::interval(if shown.is_some() { REDRAW_INTERVAL } else { LOG_INTERVAL });
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
                    None => log(bytes, size, rows, begun.elapsed()),
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
    reason = "rounded figures"
)]
fn log(bytes: u64, size: u64, rows: u64, elapsed: Duration) {
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
