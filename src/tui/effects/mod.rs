//! Performs effects: each one is a task whose result comes back as a message. No other module spawns tasks.
//!
//! A newer request aborts the pending one of the same kind, so that a network that hangs holds one task for each kind. Dropping the
//! runner aborts all tasks.

mod logs;
mod outbox;
mod requests;
mod runs;
mod tunnels;

use std::collections::HashMap;
use std::mem::{Discriminant, discriminant};
use std::sync::Arc;
use std::time::Duration;

use common::failure::Result;
use target::{Origin, Target, WithOrigin};
use tokio::task::{AbortHandle, JoinError, JoinSet};

pub(super) use self::outbox::Outbox;
use super::domain::ActiveRun;
use super::effect::{Effect, SwitchTarget};
use super::msg::{Msg, TunnelEvent};
use super::request::Response;
use crate::connect;
use crate::settings::Settings;

/// Runs that the history lists at most.
const MAX_RUNS: usize = 200;

/// How long the request for active runs may take when the screens are left.
const EXIT_TIMEOUT: Duration = Duration::from_millis(500);

pub(super) struct EffectRunner {
    settings: Settings,
    target: Target,
    outbox: Outbox,
    tasks: JoinSet<()>,
    /// The pending request of each kind.
    pending: HashMap<Discriminant<Effect>, AbortHandle>,
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
        let kind = discriminant(&effect);
        match effect {
            Effect::LoadComponents { id } => {
                self.request(kind, requests::components(target), move |response| {
                    Msg::Components(id, response)
                });
            }
            Effect::LoadActive { id } => {
                let active = async move { target.runs.active().await };
                self.request(kind, active, move |response| Msg::Active(id, response));
            }
            Effect::LoadRuns { id } => {
                let history = async move { target.runs.history(MAX_RUNS).await };
                self.request(kind, history, move |response| Msg::Runs(id, response));
            }
            Effect::LoadRunDetails { id, run } => {
                let details = requests::run_details(target, run);
                self.request(kind, details, move |response| Msg::RunDetails(id, response));
            }
            Effect::LoadData { id, known_charts } => {
                let data = requests::data(target, known_charts);
                self.request(kind, data, move |response| Msg::Data(id, response));
            }
            Effect::LoadRejected { id, run, dataset, reason } => {
                let rejected = requests::rejected(target, run, dataset, reason);
                self.request(kind, rejected, move |response| Msg::Rejected(id, response));
            }
            Effect::LoadReports { id } => {
                self.request(kind, requests::reports(target), move |response| Msg::Reports(id, response));
            }
            Effect::LoadReport { id, name } => {
                self.request(kind, requests::report(target, name), move |response| Msg::Report(id, response));
            }
            Effect::FollowLogs { id, since, run } => {
                self.replace(kind, logs::follow(target, outbox, id, since, run));
            }
            Effect::BringUp => self.spawn(runs::bring_up(target, outbox)),
            Effect::StartJobs { kinds, years } => self.spawn(runs::start(target, outbox, kinds, years)),
            Effect::StopRun { run } => self.spawn(runs::stop(target, outbox, run)),
            Effect::OpenTunnel { tunnel, route } => {
                let task = tunnels::open(self.settings.clone(), outbox, tunnel, route);
                let task = self.tasks.spawn(task);
                self.tunnels.insert(tunnel, task);
            }
            Effect::CloseTunnel { tunnel } => {
                if let Some(task) = self.tunnels.remove(&tunnel) {
                    task.abort();
                }
                self.send(Msg::Tunnel { tunnel, event: TunnelEvent::Ended { error: None } });
            }
            Effect::SaveText { path, text } => {
                self.spawn(async move { outbox.done(requests::save_text(path, text).await).await });
            }
            Effect::SaveReport { name } => {
                self.spawn(async move { outbox.done(requests::save_report(target, name).await).await });
            }
            Effect::SwitchTarget(to) => self.switch_target(to),
            Effect::Copy { .. } | Effect::Suspend | Effect::Redraw => {}
        }
    }

    fn request<T: 'static>(
        &mut self,
        kind: Discriminant<Effect>,
        request: impl Future<Output = Result<T>> + Send + 'static,
        msg: impl FnOnce(Response<T>) -> Msg + Send + 'static,
    ) {
        let outbox = self.outbox.clone();
        self.replace(kind, async move { outbox.reply(request, msg).await });
    }

    /// Spawns a task, and aborts the pending one of the same kind.
    fn replace(&mut self, kind: Discriminant<Effect>, task: impl Future<Output = ()> + Send + 'static) {
        let task = self.tasks.spawn(task);
        if let Some(older) = self.pending.insert(kind, task) {
            older.abort();
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
        let mut settings = self.settings.clone();
        let flag = |value| WithOrigin { value, origin: Origin::Flag };
        let name = match to {
            SwitchTarget::Target(name) => name,
            SwitchTarget::Profile(profile) => {
                settings.aws.profile = Some(flag(profile));
                "aws".to_owned()
            }
            SwitchTarget::Region(region) => {
                settings.aws.region = Some(flag(region));
                "aws".to_owned()
            }
        };
        settings.target = flag(name);
        match connect::target(&settings, Arc::new(|_| {})) {
            Ok(target) => {
                self.pending.drain().for_each(|(_, task)| task.abort());
                (self.settings, self.target) = (settings, target);
                self.send(Msg::TargetSwitched(self.target.location()));
            }
            Err(failure) => self.send(Msg::Failed(failure.into())),
        }
    }
}
