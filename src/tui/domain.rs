//! The types of the rest of the program that the screens show. Models, messages, effects and views import them from here; only
//! `effects` and the event loop call what is behind them.

pub use crate::db::activity::{Activity, CommandProgress, DatabaseSession, Relation};
pub use crate::db::checks::{self, RunCheck};
pub use crate::db::cluster::{ClusterNode, skew};
pub use crate::db::runs::Issue;
pub use crate::ops::pipeline::FULL_PIPELINE;
pub use crate::ops::reports::Report;
pub use etl::phases::Phase;
pub use logs::{
    Condition, Entry, Event, Histogram, LevelCounts, MergedEvent, Millis, Pattern, PatternChange,
    PatternMiner, Record, SERVER_SOURCE, Severity, Subject, compare_patterns, complete_condition,
    parse_regex, parse_time, to_datetime,
};
pub use target::{
    ActiveRun, Capabilities, Check, CheckOutcome, Component, ComponentState, JobKind, Location, Metric,
    MonthCost, ResourceChange, ResourceHistory, Run, WarningRange,
};
pub use tunnel::{Forwarding, LocalForwarding, ServiceStatus, Snapshot, SshHost};
