//! Measures the screens in process: frames, search and a flood of log lines. Prints one figure per line, a name and a number.
//! `cargo xtask bench tui` runs a release build of it and compares the figures with their limits.

use std::io::{self, Write as _};
use std::time::{Duration, Instant};

use chrono::{TimeDelta, Utc};
use covidctl::tui::domain::{Capabilities, Location};
use covidctl::tui::fixtures::many_lines;
use covidctl::tui::model::logs::pattern;
use covidctl::tui::model::{Command, LogEvent, Model, Msg, Screen};
use covidctl::tui::theme::Theme;
use covidctl::tui::update::update;
use covidctl::tui::view::view;
use ratatui::Terminal;
use ratatui::backend::CrosstermBackend;

const SIZE: (u16, u16) = (200, 60);
const KEPT: usize = 100_000;
const BATCH: usize = 500;
const LINES_PER_SECOND: usize = 5_000;
const SECONDS: usize = 60;

fn main() -> io::Result<()> {
    let mut model = model();
    fill(&mut model, KEPT);
    let mut out = io::stdout().lock();
    writeln!(out, "frame_ms {:.3}", frames(&mut model)?)?;
    model.logs.wrap = true;
    writeln!(out, "frame_wrapped_ms {:.3}", frames(&mut model)?)?;
    model.logs.wrap = false;
    writeln!(out, "search_ms {:.3}", milliseconds(search(&model)))?;
    let (longest, rows, bytes) = flood(&mut model)?;
    writeln!(out, "key_waits_ms {:.3}", milliseconds(longest))?;
    writeln!(out, "rows_kept {rows}")?;
    writeln!(out, "log_megabytes {}", bytes / 1_000_000)?;
    Ok(())
}

fn milliseconds(time: Duration) -> f64 {
    time.as_secs_f64() * 1000.0
}

fn model() -> Model {
    let location = Location {
        target: "local".to_owned(),
        location: "/data".to_owned(),
        capabilities: Capabilities::default(),
    };
    let zone = chrono::Offset::fix(&Utc);
    let mut model = Model::new(location, vec!["local".to_owned()], false, Utc::now(), zone, SIZE);
    update(&mut model, Msg::Command(Command::Show(Screen::Logs)));
    let names = ["lambda", "etl", "report", "metabase"].map(str::to_owned).into();
    receive(&mut model, LogEvent::Sources(names));
    model
}

fn receive(model: &mut Model, event: LogEvent) {
    let request = model.logs.request.expect("the Logs screen is shown");
    update(model, Msg::Logs(request, event));
}

fn fill(model: &mut Model, count: usize) {
    for chunk in many_lines(count).chunks(BATCH) {
        receive(model, LogEvent::Lines(chunk.to_vec()));
    }
}

/// The median time of a frame while scrolling, with all terminal output, in milliseconds.
fn frames(model: &mut Model) -> io::Result<f64> {
    let mut terminal = terminal()?;
    let mut times = Vec::new();
    for round in 0..200 {
        let command = if round % 2 == 0 { Command::PageUp } else { Command::Up };
        let start = Instant::now();
        update(model, Msg::Command(command));
        draw(&mut terminal, model)?;
        times.push(start.elapsed());
    }
    times.sort();
    Ok(milliseconds(times[times.len() / 2]))
}

type SinkTerminal = Terminal<CrosstermBackend<io::Sink>>;

fn terminal() -> io::Result<SinkTerminal> {
    let area = ratatui::layout::Rect::new(0, 0, SIZE.0, SIZE.1);
    let options = ratatui::TerminalOptions { viewport: ratatui::Viewport::Fixed(area) };
    Terminal::with_options(CrosstermBackend::new(io::sink()), options)
}

fn draw(terminal: &mut SinkTerminal, model: &Model) -> io::Result<()> {
    let theme = Theme { color: true, light: false };
    terminal.draw(|frame| view(model, theme, frame)).map(drop)
}

/// Searches all lines for a pattern without a match.
fn search(model: &Model) -> Duration {
    let pattern = pattern("zebra [0-9]+ crossing").ok().flatten();
    let start = Instant::now();
    let found = pattern.and_then(|pattern| model.logs.buffer.find(|row| row.matches(&pattern), 0, true));
    let took = start.elapsed();
    assert!(found.is_none());
    took
}

/// Processes a minute of log lines. A key press waits for one message and one frame at most; returns the longest time of both, and the
/// rows and bytes in the buffer.
fn flood(model: &mut Model) -> io::Result<(Duration, usize, usize)> {
    let mut terminal = terminal()?;
    update(model, Msg::Command(Command::Bottom));
    let mut longest = Duration::ZERO;
    for second in 0..SECONDS {
        for batch in many_lines(LINES_PER_SECOND).chunks(BATCH) {
            let batch = batch.to_vec();
            let start = Instant::now();
            receive(model, LogEvent::Lines(batch));
            draw(&mut terminal, model)?;
            longest = longest.max(start.elapsed());
        }
        update(model, Msg::Tick { now: model.now + TimeDelta::seconds(i64::try_from(second).unwrap_or(0)) });
    }
    Ok((longest, model.logs.buffer.len(), model.logs.buffer.bytes()))
}
