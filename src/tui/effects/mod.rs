//! Does what `update` wants done: each effect is a task, its answer comes back as a message. Nothing else may spawn.
//!
//! A newer question of a kind ends the older one, so that a network that hangs costs one waiting task for each kind and nothing
//! more. Everything ends with this value.

mod answers;
mod logs;
mod start;
mod tunnels;

use std::collections::HashMap;
use std::mem::{Discriminant, discriminant};

use common::failure::{Context as _, Failure, Result};
use tokio::sync::mpsc::Sender;
use tokio::task::{AbortHandle, JoinError, JoinSet};

use super::effect::{Effect, Whither};
use super::msg::{Msg, Trouble};
use crate::connect;
use crate::settings::Settings;
use target::{Origin, WithOrigin};
use target::{Progress, Target};

/// The way back to the screens.
pub(super) type Answers = Sender<Msg>;

/// Runs effects.
pub(super) struct Runner {
    settings: Settings,
    target: Target,
    answers: Answers,
    tasks: JoinSet<()>,
    /// The newest task of each kind of question.
    newest: HashMap<Discriminant<Effect>, AbortHandle>,
    tunnels: HashMap<u64, AbortHandle>,
}

impl Runner {
    pub(super) fn new(settings: &Settings, target: Target, answers: Answers) -> Self {
        Self {
            settings: settings.clone(),
            target,
            answers,
            tasks: JoinSet::new(),
            newest: HashMap::new(),
            tunnels: HashMap::new(),
        }
    }

    /// The target that is shown.
    pub(super) fn target(&self) -> &Target {
        &self.target
    }

    /// Returns when a task has ended; fails where it broke.
    pub(super) async fn join_next(&mut self) -> Result<(), JoinError> {
        match self.tasks.join_next().await {
            Some(ended) => ended,
            None => std::future::pending().await,
        }
    }

    /// Begins it, and returns at once.
    pub(super) fn run(&mut self, effect: Effect) {
        let (target, to) = (self.target.clone(), self.answers.clone());
        let kind = discriminant(&effect);
        match effect {
            Effect::LoadParts { ticket } => self.ask(kind, answers::parts(target, to, ticket)),
            Effect::LoadActive { ticket } => self.ask(kind, answers::active(target, to, ticket)),
            Effect::LoadRuns { ticket } => self.ask(kind, answers::runs(target, to, ticket)),
            Effect::LoadRunDetails { ticket, run } => {
                self.ask(kind, answers::run_details(target, to, ticket, run));
            }
            Effect::LoadData { ticket, known } => self.ask(kind, answers::data(target, to, ticket, known)),
            Effect::LoadRejected { ticket, run, dataset, reason } => {
                self.ask(kind, answers::rejected(target, to, ticket, run, dataset, reason));
            }
            Effect::LoadReports { ticket } => self.ask(kind, answers::reports(target, to, ticket)),
            Effect::ReadReport { ticket, name } => self.ask(kind, answers::report(target, to, ticket, name)),
            Effect::Follow { ticket, since, run } => {
                self.ask(kind, logs::follow(target, to, ticket, since, run));
            }
            Effect::Up => drop(self.tasks.spawn(start::up(target, to))),
            Effect::Start { kinds, years } => {
                drop(self.tasks.spawn(start::start(target, to, kinds, years)));
            }
            Effect::Stop { run } => drop(self.tasks.spawn(start::stop(target, to, run))),
            Effect::OpenTunnel { id, route } => {
                let task = self.tasks.spawn(tunnels::open(self.settings.clone(), to, id, route));
                self.tunnels.insert(id, task);
            }
            Effect::CloseTunnel { id } => self.close_tunnel(id),
            Effect::Save { path, text } => drop(self.tasks.spawn(answers::save(to, path, text))),
            Effect::SaveReport { name } => drop(self.tasks.spawn(answers::save_report(target, to, name))),
            Effect::Switch { to } => self.switch(to),
            // These need the terminal; the loop does them.
            Effect::Copy { .. } | Effect::Suspend | Effect::Redraw => {}
        }
    }

    fn ask(&mut self, kind: Discriminant<Effect>, task: impl Future<Output = ()> + Send + 'static) {
        let task = self.tasks.spawn(task);
        if let Some(older) = self.newest.insert(kind, task) {
            older.abort();
        }
    }

    fn close_tunnel(&mut self, id: u64) {
        if let Some(task) = self.tunnels.remove(&id) {
            task.abort();
        }
        let to = self.answers.clone();
        self.tasks.spawn(async move {
            send(&to, Msg::Tunnel { id, news: super::msg::TunnelNews::Ended { trouble: None } }).await;
        });
    }

    /// From now on questions go there. Tunnels and runs go on.
    fn switch(&mut self, whither: Whither) {
        let mut settings = self.settings.clone();
        let typed = |value| WithOrigin { value, origin: Origin::Flag };
        match whither {
            Whither::Target(target) => settings.target = typed(target),
            // Only the target on AWS has these.
            Whither::Profile(profile) => {
                (settings.target, settings.aws.profile) = (typed("aws".to_owned()), Some(typed(profile)));
            }
            Whither::Region(region) => {
                (settings.target, settings.aws.region) = (typed("aws".to_owned()), Some(typed(region)));
            }
        }
        let to = self.answers.clone();
        let msg = match connect::target(&settings, std::sync::Arc::new(|_| {})) {
            Ok(target) => {
                self.newest.drain().for_each(|(_, task)| task.abort());
                let place = target.location();
                (self.settings, self.target) = (settings, target);
                Msg::Switched { place }
            }
            Err(failure) => Msg::Failed { trouble: failure.into() },
        };
        self.tasks.spawn(async move { send(&to, msg).await });
    }
}

/// Sends a message. Where nobody takes it any more, the screens are gone, and this task is about to be.
async fn send(to: &Answers, msg: Msg) {
    drop(to.send(msg).await);
}

/// Sends what an answer says, or why there is none.
async fn reply<T>(
    to: &Answers,
    question: impl Future<Output = Result<T>> + Send,
    msg: impl FnOnce(Result<T, Trouble>) -> Msg,
) {
    let answer = question.await.map_err(Trouble::from);
    send(to, msg(answer)).await;
}

/// Progress as messages.
pub(super) struct Steps(pub(super) Answers);

impl Progress for Steps {
    fn step(&self, step: &str) {
        // Where the way is full, a step more or less does not matter.
        drop(self.0.try_send(Msg::Step { text: Some(step.to_owned()) }));
    }
}

/// Writes a new file, never over another one.
async fn write_new(path: &str, text: String) -> Result<()> {
    let mut options = tokio::fs::File::options();
    let mut file = options
        .write(true)
        .create_new(true)
        .open(path)
        .await
        .context(|| format!("cannot create `{path}`"))?;
    let written = tokio::io::AsyncWriteExt::write_all(&mut file, text.as_bytes()).await;
    written.context(|| format!("cannot write `{path}`"))?;
    let flushed = tokio::io::AsyncWriteExt::flush(&mut file).await;
    flushed
        .context(|| format!("cannot write `{path}`"))
        .map_err(|failure: Failure| failure.hint("is the disk full?"))
}
