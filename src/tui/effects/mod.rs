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
use tokio::task::{AbortHandle, JoinError, JoinSet};

pub(super) use self::outbox::Outbox;
use super::domain::ActiveRun;
use super::effect::{Effect, SwitchTarget};
use super::msg::{Msg, TunnelEvent};
use super::request::Response;
use crate::backend::{self, Backend};
use crate::settings::{Origin, Settings, Sourced};

/// Runs that the history lists at most.
const MAX_RUNS: usize = 200;

/// How long the request for active runs may take when the screens are left.
const EXIT_TIMEOUT: Duration = Duration::from_millis(500);

pub(super) struct EffectRunner {
    settings: Settings,
    backend: Arc<dyn Backend>,
    outbox: Outbox,
    tasks: JoinSet<()>,
    /// The pending request of each kind.
    pending: HashMap<Discriminant<Effect>, AbortHandle>,
    tunnels: HashMap<u64, AbortHandle>,
}

impl EffectRunner {
    pub(super) fn new(settings: &Settings, backend: Arc<dyn Backend>, outbox: Outbox) -> Self {
        Self {
            settings: settings.clone(),
            backend,
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
        let active = tokio::time::timeout(EXIT_TIMEOUT, self.backend.active()).await;
        active.ok().and_then(Result::ok).unwrap_or_default()
    }

    /// Starts to perform an effect. Effects on the terminal belong to the event loop.
    pub(super) fn run(&mut self, effect: Effect) {
        let (backend, outbox) = (Arc::clone(&self.backend), self.outbox.clone());
        let kind = discriminant(&effect);
        match effect {
            Effect::LoadComponents { id } => {
                self.request(kind, requests::components(backend), move |response| {
                    Msg::Components(id, response)
                });
            }
            Effect::LoadActive { id } => {
                let active = async move { backend.active().await };
                self.request(kind, active, move |response| Msg::Active(id, response));
            }
            Effect::LoadRuns { id } => {
                let history = async move { backend.history(MAX_RUNS).await };
                self.request(kind, history, move |response| Msg::Runs(id, response));
            }
            Effect::LoadRunDetails { id, run } => {
                let details = requests::run_details(backend, run);
                self.request(kind, details, move |response| Msg::RunDetails(id, response));
            }
            Effect::LoadData { id, known_charts } => {
                let data = requests::data(backend, known_charts);
                self.request(kind, data, move |response| Msg::Data(id, response));
            }
            Effect::LoadRejected { id, run, dataset, reason } => {
                let rejected = requests::rejected(backend, run, dataset, reason);
                self.request(kind, rejected, move |response| Msg::Rejected(id, response));
            }
            Effect::LoadReports { id } => {
                self.request(kind, requests::reports(backend), move |response| Msg::Reports(id, response));
            }
            Effect::LoadReport { id, name } => {
                self.request(kind, requests::report(backend, name), move |response| {
                    Msg::Report(id, response)
                });
            }
            Effect::FollowLogs { id, since, run } => {
                self.replace(kind, logs::follow(backend, outbox, id, since, run));
            }
            Effect::BringUp => self.spawn(runs::bring_up(backend, outbox)),
            Effect::StartJobs { kinds, years } => self.spawn(runs::start(backend, outbox, kinds, years)),
            Effect::StopRun { run } => self.spawn(runs::stop(backend, outbox, run)),
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
                self.spawn(async move { outbox.done(requests::save_report(backend, name).await).await });
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
        let flag = |value| Sourced { value, origin: Origin::Flag };
        let target = match to {
            SwitchTarget::Target(target) => target,
            SwitchTarget::Profile(profile) => {
                settings.aws.profile = Some(flag(profile));
                "aws".to_owned()
            }
            SwitchTarget::Region(region) => {
                settings.aws.region = Some(flag(region));
                "aws".to_owned()
            }
        };
        settings.target = flag(target);
        match backend::connect(&settings) {
            Ok(backend) => {
                self.pending.drain().for_each(|(_, task)| task.abort());
                (self.settings, self.backend) = (settings, backend);
                self.send(Msg::TargetSwitched(self.backend.place()));
            }
            Err(failure) => self.send(Msg::Failed(failure.into())),
        }
    }
}
