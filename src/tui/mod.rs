//! The interactive screens.
//!
//! Input, time and responses are messages; `update` changes the model and returns effects, which `effects` performs; `view` draws the
//! model. `update` and `view` are pure. This file is the event loop: it waits for the next message, never for a response, and draws at
//! most one frame in `FRAME_INTERVAL`, and only after a change.
//!
//! Imports point down: the event loop → `effects`, `update`, `view` (none imports another) → `layout`, `palette`, `keys` → `model` →
//! `domain`, `text`.

pub mod domain;
mod effects;
mod event;
pub mod fixtures;
pub mod keys;
mod layout;
pub mod model;
mod palette;
mod terminal;
mod text;
pub mod theme;
pub mod update;
pub mod view;

use std::io::Write as _;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use chrono::{Local, Offset as _, Utc};
use common::failure::{Context as _, Failure, Result};
use crossterm::clipboard::CopyToClipboard;
use crossterm::event::EventStream;
use futures_util::StreamExt as _;
use target::{Progress, Target};
use tokio::sync::mpsc;
use tokio::time::{Instant, MissedTickBehavior, interval, sleep_until};

use self::domain::ActiveRun;
use self::effects::{EffectRunner, Outbox};
use self::model::{Effect, Model, Msg};
use self::terminal::TerminalGuard;
use self::theme::Theme;
use self::update::update;
use crate::notify;
use crate::settings::{Color, NotifySettings, Settings};

const FRAME_INTERVAL: Duration = Duration::from_millis(33);

/// Messages that are processed between two looks at the keyboard, at most.
const MESSAGE_BATCH: usize = 16;

/// Messages in the channel, at most; senders wait while it is full.
const CHANNEL_CAPACITY: usize = 64;

/// Work that runs beside the screens.
pub type Work = Pin<Box<dyn Future<Output = Result<()>>>>;

#[derive(Debug, Default)]
pub struct ExitSummary {
    /// Runs that continue.
    pub runs: Vec<ActiveRun>,
    /// Why the work beside the screens failed.
    pub failure: Option<Failure>,
}

/// Shows the screens until the user quits. `work` gets a sink for its progress.
pub async fn run(
    settings: &Settings,
    target: Target,
    work: impl FnOnce(Arc<dyn Progress>) -> Option<Work>,
) -> Result<ExitSummary> {
    let (sender, mut messages) = mpsc::channel(CHANNEL_CAPACITY);
    let outbox = Outbox(sender);
    let mut work = work(Arc::new(outbox.clone()));
    let location = target.location();
    let runner = EffectRunner::new(settings, target, outbox);
    let terminal = TerminalGuard::enter()?;
    let theme = theme(settings);
    // `--color always` overrides NO_COLOR.
    crossterm::style::force_color_output(theme.color);
    let zone = Local::now().offset().fix();
    let model = Model::new(
        location,
        settings.targets.iter().map(|target| target.name.clone()).collect(),
        settings.read_only.value,
        Utc::now(),
        zone,
        terminal.size(),
    );
    let mut screens = Screens { terminal, runner, model, notify: settings.notify.clone() };
    let mut input = EventStream::new();
    let mut ticks = interval(Duration::from_secs(1));
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let (mut is_dirty, mut next_frame) = (true, Instant::now());
    let mut summary = ExitSummary::default();
    while !screens.model.quit {
        if is_dirty && Instant::now() >= next_frame {
            screens.terminal.draw(&screens.model, theme)?;
            (is_dirty, next_frame) = (false, Instant::now() + FRAME_INTERVAL);
        }
        let msg = tokio::select! {
            biased;
            event = input.next() => {
                let event = event.transpose().map_err(|error| terminal::lost().source(error))?;
                for event in event::split_alt(event.ok_or_else(terminal::lost)?) {
                    if let Some(msg) = event::message(&event, screens.model.layer()) {
                        screens.process(msg)?;
                        is_dirty = true;
                    }
                }
                continue;
            }
            stop = screens.terminal.job_control() => {
                if stop { screens.terminal.suspend()? } else { screens.terminal.reacquire()? }
                let (width, height) = screens.terminal.size();
                Msg::Resize { width, height }
            }
            _ = ticks.tick() => {
                if terminal::has_hung_up() {
                    return Err(terminal::lost());
                }
                Msg::Tick { now: Utc::now() }
            }
            () = sleep_until(next_frame), if is_dirty => continue,
            result = poll_work(&mut work) => {
                work = None;
                screens.process(Msg::Step(None))?;
                is_dirty = true;
                let Err(failure) = result else { continue };
                let msg = Msg::Failed((&failure).into());
                summary.failure = Some(failure);
                msg
            }
            ended = screens.runner.join_next() => match ended {
                Err(error) if error.is_panic() => {
                    Msg::Failed(Failure::new("internal error: a background task panicked").source(error).into())
                }
                _ => continue,
            },
            Some(msg) = messages.recv() => msg,
        };
        is_dirty = true;
        screens.process(msg)?;
        for _ in 0..MESSAGE_BATCH {
            let Ok(msg) = messages.try_recv() else { break };
            screens.process(msg)?;
        }
    }
    drop(screens.terminal);
    summary.runs = screens.runner.active_runs().await;
    Ok(summary)
}

/// The fields are dropped in this order.
struct Screens {
    terminal: TerminalGuard,
    runner: EffectRunner,
    model: Model,
    notify: NotifySettings,
}

impl Screens {
    /// Updates the model with a message, and performs the effects.
    fn process(&mut self, msg: Msg) -> Result<()> {
        for effect in update(&mut self.model, msg) {
            match effect {
                Effect::Suspend => {
                    self.terminal.suspend()?;
                    (self.model.width, self.model.height) = self.terminal.size();
                }
                Effect::Redraw => self.terminal.redraw()?,
                Effect::Copy(text) => {
                    let copied =
                        crossterm::execute!(std::io::stdout(), CopyToClipboard::to_clipboard_from(text));
                    copied.context(|| "cannot write to the terminal".to_owned())?;
                }
                Effect::Notify(text) => {
                    let sequence = notify::sequence(&self.notify, &text);
                    let written = std::io::stdout().write_all(sequence.as_bytes());
                    written
                        .and_then(|()| std::io::stdout().flush())
                        .map_err(|error| terminal::lost().source(error))?;
                    self.runner.run(Effect::Notify(text));
                }
                effect => self.runner.run(effect),
            }
        }
        Ok(())
    }
}

async fn poll_work(work: &mut Option<Work>) -> Result<()> {
    match work {
        Some(work) => work.await,
        None => std::future::pending().await,
    }
}

fn theme(settings: &Settings) -> Theme {
    // rxvt, Konsole and others export their background colour. Without it, the colours suit both.
    #[expect(
        clippy::disallowed_methods,
        reason = "a fact about the terminal, like TERM, and not a setting of this program"
    )]
    let background = std::env::var("COLORFGBG").ok();
    let background = background.as_deref().and_then(|colors| colors.rsplit(';').next());
    let light = matches!(background, Some("7" | "15"));
    Theme { color: settings.color.value != Color::Never, light }
}
