//! Logs of several sources as one stream: in time order, each event once, none lost.
//!
//! A [`Source`] is asked for pages of events in a window of time, as `FilterLogEvents` is. Everything that makes such answers
//! fit to be read is decided in [`Core`](core::Core), which is pure: time comes in as data, and what to ask next comes out.
//! [`window`], [`dedupe`], [`merge`] and [`bucket`] are its parts. [`driver`] asks, waits and hands on, and decides nothing.
//! What people see of an event is made in [`pick`] and [`render`]. Nothing here knows where logs are kept.

pub mod bucket;
pub mod core;
pub mod dedupe;
pub mod driver;
pub mod event;
pub mod log_line;
pub mod merge;
pub mod pattern;
pub mod pick;
pub mod render;
pub mod source;
pub mod tempo;
pub mod when;
pub mod window;

#[cfg(test)]
mod simulation;

pub use self::event::{Event, Shown};
pub use self::source::{Ask, Logs, Reply, RunLog, Source};
pub use self::tempo::Tempo;
