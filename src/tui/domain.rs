//! The types of the rest of the program that the screens show. Models, messages, effects and views import them from here; only
//! `effects` and the event loop call what is behind them.

pub use crate::cli::TunnelTarget;
pub use crate::db::checks::{self, RunCheck};
pub use crate::db::runs::Issue;
pub use crate::ops::pipeline::FULL_PIPELINE;
pub use crate::ops::reports::Report;
pub use logs::{
    Condition, Entry, Event, Histogram, LevelCounts, MergedEvent, Millis, Pattern, PatternMiner, Record,
    Severity, Subject, complete_condition, parse_regex, parse_time, to_datetime,
};
pub use target::{ActiveRun, Capabilities, Component, ComponentState, JobKind, Location, Run};
pub use tunnel::{Forwarding, Snapshot, SshHost};
