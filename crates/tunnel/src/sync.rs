//! Tokio's primitives for what is checked by a model checker; in its tests, those of shuttle (`model_tests`).

#[cfg(all(test, shuttle))]
use shuttle_tokio as tokio;
pub(crate) use tokio::select;
pub(crate) use tokio::sync::{Notify, mpsc, oneshot};
pub(crate) use tokio::time::{Instant, sleep_until};

#[cfg(all(test, shuttle))]
pub(crate) use shuttle::sync::Mutex;
#[cfg(not(all(test, shuttle)))]
pub(crate) use std::sync::Mutex;
