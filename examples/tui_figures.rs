//! Measures the screens from inside: frames, search and a flood of lines. `cargo xtask bench tui` builds it for release, calls
//! it and puts its figures beside the goals. One figure a line: a name and a number.

use std::io::{self, Write as _};
use std::time::{Duration, Instant};

use chrono::{TimeDelta, Utc};
use covidctl::tui::command::Command;
use covidctl::tui::effect::Ticket;
use covidctl::tui::model::logs::pattern;
use covidctl::tui::model::{Model, Screen};
use covidctl::tui::msg::{LogNews, Msg};
use covidctl::tui::scene::many_lines;
use covidctl::tui::theme::Theme;
use covidctl::tui::update::update;
use covidctl::tui::view::view;
use ratatui::Terminal;
use ratatui::backend::CrosstermBackend;
use target::Location;

const SIZE: (u16, u16) = (200, 60);
const KEPT: usize = 100_000;
const BATCH: usize = 500;
const A_SECOND: usize = 5_000;
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
    let place = Location { target: "local".to_owned(), location: "/data".to_owned() };
    let zone = chrono::Offset::fix(&Utc);
    let mut model = Model::new(place, false, Utc::now(), zone, SIZE);
    update(&mut model, Msg::Command(Command::Go(Screen::Logs)));
    let names = ["lambda", "etl", "report", "metabase"].map(str::to_owned).into();
    tell(&mut model, LogNews::Sources(names));
    model
}

fn tell(model: &mut Model, news: LogNews) {
    let ticket: Ticket = model.logs.ticket;
    update(model, Msg::Logs { ticket, news });
}

fn fill(model: &mut Model, count: usize) {
    for chunk in many_lines(count).chunks(BATCH) {
        tell(model, LogNews::Lines(chunk.to_vec()));
    }
}

/// The middle of many frames while one scrolls, with all that is sent to a terminal.
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

type Screen60 = Terminal<CrosstermBackend<io::Sink>>;

fn terminal() -> io::Result<Screen60> {
    let area = ratatui::layout::Rect::new(0, 0, SIZE.0, SIZE.1);
    let options = ratatui::TerminalOptions { viewport: ratatui::Viewport::Fixed(area) };
    Terminal::with_options(CrosstermBackend::new(io::sink()), options)
}

fn draw(terminal: &mut Screen60, model: &Model) -> io::Result<()> {
    let theme = Theme { color: true, light: false };
    terminal.draw(|frame| view(model, theme, frame)).map(drop)
}

/// All lines, for something that none of them has.
fn search(model: &Model) -> Duration {
    let nothing = pattern("zebra [0-9]+ crossing").ok().flatten();
    let start = Instant::now();
    let found = nothing.and_then(|pattern| model.logs.buffer.find(&pattern, 0, true));
    let took = start.elapsed();
    assert!(found.is_none());
    took
}

/// A minute of lines, as fast as they are taken: what a key may have to wait for is the longest that the loop does between two
/// looks at the keyboard, which is one message and one frame.
fn flood(model: &mut Model) -> io::Result<(Duration, usize, usize)> {
    let mut terminal = terminal()?;
    update(model, Msg::Command(Command::Bottom));
    let mut longest = Duration::ZERO;
    for second in 0..SECONDS {
        for batch in many_lines(A_SECOND).chunks(BATCH) {
            let batch = batch.to_vec();
            let start = Instant::now();
            tell(model, LogNews::Lines(batch));
            draw(&mut terminal, model)?;
            longest = longest.max(start.elapsed());
        }
        update(model, Msg::Tick { now: model.now + TimeDelta::seconds(i64::try_from(second).unwrap_or(0)) });
    }
    Ok((longest, model.logs.buffer.len(), model.logs.buffer.bytes()))
}
