//! The types of the rest of the program that screens show. Models, messages, effects and views import them from here;
//! only `effects` and the event loop call what is behind them.

pub use crate::backend::{
    Active as ActiveRun, Kind as JobKind, Part as Component, Place as TargetLocation, State as ComponentState,
};
pub use crate::cli::TunnelTarget;
pub use crate::db::checks::{self, RunCheck};
pub use crate::db::runs::{Issue, Run};
pub use crate::logs::event::{Millis, moment};
pub use crate::logs::{Event, Shown, pick::regex, render::Entry};
pub use crate::ops::pipeline::WHOLE as FULL_PIPELINE;
pub use crate::ops::reports::Report;
pub use crate::tunnel::bastion::Bastion;
pub use crate::tunnel::counters::Snapshot;
pub use crate::tunnel::forwarding::Forwarding;
