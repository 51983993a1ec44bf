//! The tunnel's counters in one line on the terminal, which is rewritten every second.

use std::io::{IsTerminal as _, Write as _};
use std::time::Duration;

use tunnel::Counters;

use crate::printer::Printer;

const INTERVAL: Duration = Duration::from_secs(1);

/// Moves the cursor to the first column and erases the line.
const ERASE_LINE: &str = "\r\x1b[K";

/// Erases the line when dropped.
struct StatsLine;

impl Drop for StatsLine {
    fn drop(&mut self) {
        write(ERASE_LINE);
    }
}

/// Shows the counters until dropped; nothing if standard error is not a terminal, or with `--quiet` or JSON.
pub(super) async fn show(counters: &Counters, printer: &Printer) {
    if !std::io::stderr().is_terminal() || printer.quiet() || printer.json() {
        return std::future::pending().await;
    }
    let _line = StatsLine;
    let mut before = counters.snapshot();
    let mut ticks = tokio::time::interval(INTERVAL);
    loop {
        ticks.tick().await;
        let now = counters.snapshot();
        write(&format!("{ERASE_LINE}{}", now.line(&before, INTERVAL)));
        before = now;
    }
}

fn write(text: &str) {
    let mut stderr = std::io::stderr().lock();
    // An error on standard error cannot be reported anywhere.
    drop(stderr.write_all(text.as_bytes()).and_then(|()| stderr.flush()));
}
