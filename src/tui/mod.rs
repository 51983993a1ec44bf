//! The screens on which an operator lives.
//!
//! Everything that happens is a `msg::Msg`; `update::update` takes it in and returns what it wants done as
//! `effect::Effect`s; `view::view` draws what is known. Both are pure. This file is the loop around them: it waits for
//! the first of many things, and draws at most once a frame, and only when something has changed. It never waits for an answer.

pub mod command;
pub mod effect;
mod effects;
mod event;
pub mod keys;
pub mod layout;
pub mod model;
pub mod msg;
pub mod scene;
mod terminal;
pub mod text;
pub mod theme;
pub mod update;
pub mod view;

use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use chrono::{Local, Offset as _, Utc};
use common::failure::{Context as _, Failure, Result};
use crossterm::clipboard::CopyToClipboard;
use crossterm::event::EventStream;
use futures_util::StreamExt as _;
use tokio::sync::mpsc;
use tokio::time::{Instant, MissedTickBehavior, interval, sleep_until};

use self::effect::Effect;
use self::effects::{Runner, Steps};
use self::model::Model;
use self::msg::{Msg, Trouble};
use self::terminal::Screen;
use self::theme::Theme;
use self::update::update;
use crate::settings::Color;
use crate::settings::Settings;
use target::{ActiveRun, Progress, Target};

/// The time between two frames.
const FRAME: Duration = Duration::from_millis(33);

/// So many messages are taken in before the next frame; keys are looked for between any two of them.
const MOST_AT_ONCE: usize = 16;

/// So many messages may wait. Whoever has more to say waits, too.
const WAITING: usize = 64;

/// How long the question what still runs may take when somebody leaves.
const FAREWELL: Duration = Duration::from_millis(500);

/// Something to do beside the screens.
pub type Work = Pin<Box<dyn Future<Output = Result<()>>>>;

/// What is left behind.
#[derive(Debug, Default)]
pub struct Left {
    /// Runs that go on.
    pub runs: Vec<ActiveRun>,
    /// Why the work beside the screens failed.
    pub failure: Option<Failure>,
}

/// Shows the screens until somebody leaves. `work` is made with the progress that it may tell.
pub async fn run(
    settings: &Settings,
    target: Target,
    work: impl FnOnce(Arc<dyn Progress>) -> Option<Work>,
) -> Result<Left> {
    let (to, mut answers) = mpsc::channel(WAITING);
    let mut work = work(Arc::new(Steps(to.clone())));
    // The screen comes last, so that it is given back first.
    let mut runner = Runner::new(settings, target.clone(), to);
    let mut screen = Screen::enter()?;
    let theme = theme(settings);
    // `--color always` is meant, also where NO_COLOR is set.
    crossterm::style::force_color_output(theme.color);
    let zone = Local::now().offset().fix();
    let mut model = Model::new(target.location(), settings.read_only.value, Utc::now(), zone, screen.size());
    let mut input = EventStream::new();
    let mut ticks = interval(Duration::from_secs(1));
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let (mut dirty, mut next_frame) = (true, Instant::now());
    let mut left = Left::default();
    while !model.quit {
        if dirty && Instant::now() >= next_frame {
            screen.draw(&model, theme)?;
            (dirty, next_frame) = (false, Instant::now() + FRAME);
        }
        let msg = tokio::select! {
            biased;
            event = input.next() => match event {
                Some(Ok(event)) => {
                    for event in event::apart(event) {
                        if let Some(msg) = event::message(&event, model.layer()) {
                            perform(&mut model, msg, &mut runner, &mut screen)?;
                            dirty = true;
                        }
                    }
                    None
                }
                Some(Err(error)) => return Err(terminal::lost().source(error)),
                None => return Err(terminal::lost()),
            },
            stop = screen.job_control() => {
                if stop { screen.suspend()? } else { screen.again()? }
                let (width, height) = screen.size();
                Some(Msg::Resize { width, height })
            }
            _ = ticks.tick() => {
                if terminal::is_gone() {
                    return Err(terminal::lost());
                }
                Some(Msg::Tick { now: Utc::now() })
            }
            () = sleep_until(next_frame), if dirty => None,
            done = at_work(&mut work) => {
                work = None;
                Some(match done {
                    Ok(()) => Msg::Step { text: None },
                    Err(failure) => {
                        let trouble = Trouble { message: failure.to_string(), hint: failure.hint_text().map(str::to_owned) };
                        left.failure = Some(failure);
                        perform(&mut model, Msg::Step { text: None }, &mut runner, &mut screen)?;
                        Msg::Failed { trouble }
                    }
                })
            }
            broken = runner.join_next() => broken.err().filter(tokio::task::JoinError::is_panic).map(|error| {
                Msg::Failed { trouble: Failure::new("a part of this program broke").source(error).into() }
            }),
            Some(msg) = answers.recv() => Some(msg),
        };
        let Some(msg) = msg else { continue };
        dirty = true;
        perform(&mut model, msg, &mut runner, &mut screen)?;
        for _ in 0..MOST_AT_ONCE {
            let Ok(msg) = answers.try_recv() else { break };
            perform(&mut model, msg, &mut runner, &mut screen)?;
        }
    }
    drop(screen);
    left.runs = still_running(runner.target()).await;
    Ok(left)
}

fn perform(model: &mut Model, msg: Msg, runner: &mut Runner, screen: &mut Screen) -> Result<()> {
    for effect in update(model, msg) {
        match effect {
            Effect::Suspend => {
                screen.suspend()?;
                (model.width, model.height) = screen.size();
            }
            Effect::Redraw => screen.redraw()?,
            Effect::Copy { text } => {
                let copied = crossterm::execute!(std::io::stdout(), CopyToClipboard::to_clipboard_from(text));
                copied.context(|| "cannot write to the terminal".to_owned())?;
            }
            effect => runner.run(effect),
        }
    }
    Ok(())
}

async fn at_work(work: &mut Option<Work>) -> Result<()> {
    match work {
        Some(work) => work.await,
        None => std::future::pending().await,
    }
}

async fn still_running(target: &Target) -> Vec<ActiveRun> {
    let active = tokio::time::timeout(FAREWELL, target.runs.active()).await;
    active.ok().and_then(Result::ok).unwrap_or_default()
}

fn theme(settings: &Settings) -> Theme {
    // rxvt, Konsole and others say what their background is; everywhere else the colours are chosen to do on both.
    #[expect(
        clippy::disallowed_methods,
        reason = "a fact about the terminal, as TERM is, and no setting of ours"
    )]
    let background = std::env::var("COLORFGBG").ok();
    let background = background.as_deref().and_then(|colors| colors.rsplit(';').next());
    let light = matches!(background, Some("7" | "15"));
    Theme { color: settings.color.value != Color::Never, light }
}

#[cfg(test)]
mod tests {
    use std::path::{Path, PathBuf};

    fn files(folder: &Path) -> Vec<PathBuf> {
        let entries = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
        entries.flat_map(|path| if path.is_dir() { files(&path) } else { vec![path] }).collect()
    }

    #[test]
    fn each_part_knows_only_what_it_may_know() {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/tui");
        for (word, may) in [
            (
                "ratatui::",
                &["view/", "mod.rs", "theme.rs", "terminal.rs", "scene/tests.rs", "update/tests.rs"][..],
            ),
            ("crossterm::", &["event.rs", "terminal.rs", "mod.rs"]),
            ("tokio::", &["effects/", "terminal.rs", "mod.rs"]),
            ("dyn Backend", &["effects/", "mod.rs"]),
        ] {
            for file in files(&root).iter().filter(|file| file.extension().is_some_and(|kind| kind == "rs")) {
                let name = file.strip_prefix(&root).unwrap().to_str().unwrap();
                let knows = std::fs::read_to_string(file).unwrap().contains(word);
                // This file names them all, and so it may.
                let may =
                    may.iter().any(|part| name == *part || part.ends_with('/') && name.starts_with(part));
                assert!(!knows || may, "{name} knows {word}");
            }
        }
    }
}
