//! `cargo xtask bench tui`: the performance of the screens, measured inside (an example) and outside (the program in a pseudo-terminal:
//! time to the first frame, and idle load).

use std::fs::File;
use std::io::{Read as _, Write as _};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::mpsc;
use std::time::{Duration, Instant};

use nix::pty::{OpenptyResult, Winsize, openpty};

use super::goal::{self, at_most};
use super::measure;
use crate::{output, process};
use common::failure::{Context as _, Failure, Result};

const IDLE_TIME: Duration = Duration::from_secs(20);

const STARTS: u32 = 7;

const FIRST_FRAME_TIMEOUT: Duration = Duration::from_secs(10);

/// Text in the header of every frame.
const HEADER: &[u8] = b"Overview";

/// Clock ticks per second in `/proc`.
const TICKS: f64 = 100.0;

pub(crate) fn run(binary: Option<&Path>) -> Result<()> {
    output::note("building the release profile");
    process::run(&mut process::cargo(
        "build --release --package covidctl --bin covidctl --example tui_figures",
    ))?;
    let folder = process::target()?.join("release");
    let inside = process::output_of(&mut Command::new(folder.join("examples/tui_figures")))?;
    let covidctl = binary.map_or_else(|| folder.join("covidctl"), Path::to_path_buf);
    let data = tempfile::tempdir().context(|| "cannot create a folder".to_owned())?;
    let help = median_start(|| {
        let start = Instant::now();
        process::output_of(Command::new(&covidctl).arg("--help"))?;
        Ok(start.elapsed())
    })?;
    let first = median_start(|| {
        let (window, first) = TuiProcess::open(&covidctl, data.path())?;
        window.close().map(|()| first)
    })?;
    let (window, _) = TuiProcess::open(&covidctl, data.path())?;
    output::note(&format!("idle for {} s", IDLE_TIME.as_secs()));
    let before = window.processor_seconds()?;
    std::thread::sleep(IDLE_TIME);
    let idle = (window.processor_seconds()? - before) / IDLE_TIME.as_secs_f64() * 100.0;
    window.close()?;
    output::result(inside.trim_end());
    output::result(&goal::lines(&goals(&inside, help, first, idle)?));
    Ok(())
}

/// Returns the median time of several starts, in milliseconds.
fn median_start(start: impl Fn() -> Result<Duration>) -> Result<f64> {
    let times = (0..STARTS).map(|_| start()).collect::<Result<Vec<_>>>()?;
    Ok(measure::median(times.into_iter().map(|time| time.as_secs_f64() * 1000.0)))
}

fn goals(inside: &str, help: f64, first: f64, idle: f64) -> Result<Vec<String>> {
    let figure = |name: &str| {
        let line = inside.lines().find_map(|line| line.strip_prefix(name)?.trim().parse::<f64>().ok());
        line.ok_or_else(|| Failure::new(format!("`{name}` was not measured")))
    };
    Ok(vec![
        at_most("covidctl --help", help, 20.0, "ms"),
        at_most("first frame", first, 100.0, "ms"),
        at_most("a frame, 100,000 lines, 200x60", figure("frame_ms")?, 5.0, "ms"),
        at_most("the same with long lines broken", figure("frame_wrapped_ms")?, 5.0, "ms"),
        at_most("search through 100,000 lines", figure("search_ms")?, 100.0, "ms"),
        at_most("a key waits, 5,000 lines a second", figure("key_waits_ms")?, 33.0, "ms"),
        at_most("rows in memory after a minute of that", figure("rows_kept")?, 100_000.0, "rows"),
        at_most("their text", figure("log_megabytes")?, 101.0, "MB"),
        at_most("idle, of a core", idle, 1.0, "%"),
    ])
}

/// The program in a pseudo-terminal.
struct TuiProcess {
    child: Child,
    master: File,
}

impl TuiProcess {
    /// Starts the program; returns the time to the first frame.
    fn open(program: &Path, data: &Path) -> Result<(Self, Duration)> {
        let size = Winsize { ws_row: 24, ws_col: 80, ws_xpixel: 0, ws_ypixel: 0 };
        let OpenptyResult { master, slave } =
            openpty(&size, None).context(|| "cannot open a terminal".to_owned())?;
        let slave = File::from(slave);
        let end = || slave.try_clone().map(Stdio::from).context(|| "cannot share the terminal".to_owned());
        let mut command = Command::new(program);
        command.arg("--data-dir").arg(data).env("TERM", "xterm-256color");
        command.stdin(end()?).stdout(end()?).stderr(end()?);
        let start = Instant::now();
        let child = command.spawn().context(|| process::cannot_start(&command))?;
        let master = File::from(master);
        let mut reader = master.try_clone().context(|| "cannot share the terminal".to_owned())?;
        let (seen, first) = mpsc::channel();
        // Reads to the end, so that writes of the program never block.
        std::thread::spawn(move || {
            let (mut all, mut chunk, mut found) = (Vec::new(), [0; 8192], false);
            while let Ok(length @ 1..) = reader.read(&mut chunk) {
                if !found {
                    all.extend_from_slice(&chunk[..length]);
                    found = all.windows(HEADER.len()).any(|window| window == HEADER);
                    if found && seen.send(start.elapsed()).is_err() {
                        return;
                    }
                }
            }
        });
        let first = first.recv_timeout(FIRST_FRAME_TIMEOUT).context(|| "no first frame".to_owned());
        let window = Self { child, master };
        match first {
            Ok(first) => Ok((window, first)),
            Err(failure) => {
                window.close()?;
                Err(failure)
            }
        }
    }

    fn processor_seconds(&self) -> Result<f64> {
        let file = format!("/proc/{}/stat", self.child.id());
        let stat = std::fs::read_to_string(&file).context(|| format!("cannot read `{file}`"))?;
        // The name in parentheses may contain spaces.
        let fields = stat.rsplit(')').next().unwrap_or_default().split_whitespace();
        let ticks: f64 = fields.skip(11).take(2).filter_map(|field| field.parse::<f64>().ok()).sum();
        Ok(ticks / TICKS)
    }

    /// Quits with a key.
    fn close(mut self) -> Result<()> {
        let context = || "cannot close the terminal".to_owned();
        self.master.write_all(b"q").context(context)?;
        self.child.wait().map(drop).context(context)
    }
}
