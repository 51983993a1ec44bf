//! Sends messages from tasks to the event loop.

use common::failure::{Failure, Result};
use target::Progress;
use tokio::sync::mpsc::Sender;

use crate::tui::msg::Msg;
use crate::tui::request::{Response, UserError};

/// The sending side of the event loop's channel. If the loop has ended, messages are dropped.
#[derive(Clone)]
pub(in crate::tui) struct Outbox(pub(in crate::tui) Sender<Msg>);

impl Outbox {
    /// Sends a message, and waits while the channel is full.
    pub(super) async fn send(&self, msg: Msg) {
        drop(self.0.send(msg).await);
    }

    /// Sends a message unless the channel is full.
    pub(super) fn try_send(&self, msg: Msg) {
        drop(self.0.try_send(msg));
    }

    /// Sends the response to a request.
    pub(super) async fn reply<T>(
        &self,
        request: impl Future<Output = Result<T>> + Send,
        msg: impl FnOnce(Response<T>) -> Msg,
    ) {
        let response = request.await.map_err(UserError::from);
        self.send(msg(response)).await;
    }

    /// Reports the result of a change.
    pub(super) async fn done(&self, result: Result<String>) {
        match result {
            Ok(text) => self.send(Msg::Done { text }).await,
            Err(failure) => self.failed(failure).await,
        }
    }

    pub(super) async fn failed(&self, failure: Failure) {
        self.send(Msg::Failed(failure.into())).await;
    }
}

impl Progress for Outbox {
    fn step(&self, step: &str) {
        // A step that is lost while the channel is full is soon followed by another.
        self.try_send(Msg::Step { text: Some(step.to_owned()) });
    }
}
