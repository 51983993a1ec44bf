//! The tunnel's numbers, in one line on the terminal that is written anew every second.

use std::io::{IsTerminal as _, Write as _};
use std::time::Duration;

use crate::printer::Printer;
use tunnel::counters::Counters;

const EVERY: Duration = Duration::from_secs(1);

/// Removes the line, so that what follows begins at the edge.
struct Line;

impl Drop for Line {
    fn drop(&mut self) {
        write("\r\x1b[K");
    }
}

/// Shows them for ever; says nothing where nobody watches.
pub(super) async fn show(counters: &Counters, printer: &Printer) {
    if !std::io::stderr().is_terminal() || printer.quiet() || printer.json() {
        return std::future::pending().await;
    }
    let _line = Line;
    let mut before = counters.snapshot();
    let mut ticks = tokio::time::interval(EVERY);
    loop {
        ticks.tick().await;
        let now = counters.snapshot();
        write(&format!("\r\x1b[K{}", now.line(&before, EVERY)));
        before = now;
    }
}

fn write(text: &str) {
    let mut screen = std::io::stderr().lock();
    // There is nobody left to tell when standard error fails.
    drop(screen.write_all(text.as_bytes()).and_then(|()| screen.flush()));
}
