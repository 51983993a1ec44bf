//! Performs effects: each one is a task whose result comes back as a message. No other module spawns tasks.
//!
//! A newer request aborts the pending one of the same kind, so that a network that hangs holds one task for each kind. Dropping the
//! runner aborts all tasks.

mod logs;
mod machine;
mod requests;
mod runs;
mod tunnels;

use std::collections::HashMap;
use std::mem::{Discriminant, discriminant};
use std::sync::Arc;
use std::time::Duration;

use common::failure::Result;
use target::{Origin, Progress, Target, WithOrigin};
use tokio::sync::mpsc::Sender;
use tokio::task::{AbortHandle, JoinError, JoinSet};

use super::domain::ActiveRun;
use super::model::{Effect, Msg, Request, SwitchTarget, TunnelEvent};
use crate::connect;
use crate::notify;
use crate::settings::{Settings, TargetKind};

/// How long the request for active runs may take when the screens are left.
const EXIT_TIMEOUT: Duration = Duration::from_millis(500);

/// The sending side of the event loop's channel. If the loop has ended, messages are dropped.
#[derive(Clone)]
pub(super) struct Outbox(pub(super) Sender<Msg>);

impl Outbox {
    /// Sends a message, and waits while the channel is full.
    async fn send(&self, msg: Msg) {
        drop(self.0.send(msg).await);
    }

    /// Reports the result of a change.
    async fn done(&self, result: Result<String>) {
        self.send(result.map_or_else(|failure| Msg::Failed(failure.into()), Msg::Done)).await;
    }
}

impl Progress for Outbox {
    fn step(&self, step: &str) {
        // A step that is lost while the channel is full is soon followed by another.
        drop(self.0.try_send(Msg::Step(Some(step.to_owned()))));
    }
}

pub(super) struct EffectRunner {
    settings: Settings,
    target: Target,
    outbox: Outbox,
    tasks: JoinSet<()>,
    /// The pending request of each kind.
    pending: HashMap<Discriminant<Request>, AbortHandle>,
    tunnels: HashMap<u64, AbortHandle>,
}

impl EffectRunner {
    pub(super) fn new(settings: &Settings, target: Target, outbox: Outbox) -> Self {
        Self {
            settings: settings.clone(),
            target,
            outbox,
            tasks: JoinSet::new(),
            pending: HashMap::new(),
            tunnels: HashMap::new(),
        }
    }

    /// Waits for the end of a task; fails if it panicked.
    pub(super) async fn join_next(&mut self) -> Result<(), JoinError> {
        match self.tasks.join_next().await {
            Some(ended) => ended,
            None => std::future::pending().await,
        }
    }

    /// The active runs of the target; empty if it does not respond in time.
    pub(super) async fn active_runs(&self) -> Vec<ActiveRun> {
        let active = tokio::time::timeout(EXIT_TIMEOUT, self.target.runs.active()).await;
        active.ok().and_then(Result::ok).unwrap_or_default()
    }

    /// Starts to perform an effect. Effects on the terminal belong to the event loop.
    pub(super) fn run(&mut self, effect: Effect) {
        let (target, outbox) = (self.target.clone(), self.outbox.clone());
        match effect {
            Effect::Request(id, request) => {
                let kind = discriminant(&request);
                let settings = self.settings.clone();
                let task = self.tasks.spawn(requests::perform(settings, target, outbox, id, request));
                if let Some(older) = self.pending.insert(kind, task) {
                    older.abort();
                }
            }
            Effect::BringUp => self.spawn(runs::bring_up(target, outbox)),
            Effect::StartJobs { kinds, years } => self.spawn(runs::start(target, outbox, kinds, years)),
            Effect::EndSession { pid, began_at, terminate } => self.spawn(async move {
                let ended = requests::end_session(&target, pid, began_at, terminate).await;
                let done = if terminate { "ended" } else { "cancelled the query of" };
                outbox.done(ended.map(|()| format!("{done} session {pid}"))).await;
            }),
            Effect::StopRun(run) => self.spawn(runs::stop(target, outbox, run)),
            Effect::OpenTunnel { tunnel, route } => {
                let task = tunnels::open(self.settings.clone(), outbox, tunnel, route);
                self.tunnels.insert(tunnel, self.tasks.spawn(task));
            }
            Effect::CloseTunnel(tunnel) => {
                if let Some(task) = self.tunnels.remove(&tunnel) {
                    task.abort();
                }
                self.send(Msg::Tunnel(tunnel, TunnelEvent::Ended(None)));
            }
            Effect::StopTunnelProcess(process) => {
                let settings = self.settings.clone();
                self.spawn(async move { outbox.done(tunnels::stop(&settings, &process).await).await });
            }
            Effect::SaveText { path, text } => {
                self.spawn(async move { outbox.done(requests::save_text(path, text).await).await });
            }
            Effect::SaveReport(name) => {
                self.spawn(async move { outbox.done(requests::save_report(&target, &name).await).await });
            }
            Effect::SwitchTarget(to) => self.switch_target(to),
            Effect::Notify(text) => {
                let notify = self.settings.notify.clone();
                self.spawn(async move {
                    if let Err(failure) = notify::run_command(&notify, &text).await {
                        outbox.send(Msg::Failed(failure.into())).await;
                    }
                });
            }
            Effect::Copy(_) | Effect::Suspend | Effect::Redraw => {}
        }
    }

    fn spawn(&mut self, task: impl Future<Output = ()> + Send + 'static) {
        drop(self.tasks.spawn(task));
    }

    fn send(&mut self, msg: Msg) {
        let outbox = self.outbox.clone();
        self.spawn(async move { outbox.send(msg).await });
    }

    /// Sends further requests to another target. Tunnels and runs continue.
    fn switch_target(&mut self, to: SwitchTarget) {
        let flag = |value| Some(WithOrigin { value, origin: Origin::Flag });
        // A profile or region is of the current target if that is on AWS.
        let on_aws = || match self.settings.kind {
            TargetKind::Aws => Ok(self.settings.clone()),
            TargetKind::Local => self.settings.with_target("aws"),
        };
        let switched = match to {
            SwitchTarget::Target(name) => self.settings.with_target(&name),
            SwitchTarget::Profile(profile) => on_aws().map(|mut settings| {
                settings.aws.profile = flag(profile);
                settings
            }),
            SwitchTarget::Region(region) => on_aws().map(|mut settings| {
                settings.aws.region = flag(region);
                settings
            }),
        };
        let connected = switched.and_then(|settings| {
            let target = connect::target(&settings, Arc::new(|_| {}))?;
            Ok((settings, target))
        });
        match connected {
            Ok((settings, target)) => {
                self.pending.drain().for_each(|(_, task)| task.abort());
                (self.settings, self.target) = (settings, target);
                self.send(Msg::TargetSwitched(self.target.location()));
            }
            Err(failure) => self.send(Msg::Failed(failure.into())),
        }
    }
}
