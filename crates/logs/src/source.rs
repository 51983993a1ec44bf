//! Where events come from: the one trait that a place has to implement for its logs.

use async_trait::async_trait;
use common::failure::{Failure, Result};
use std::sync::Arc;
use uuid::Uuid;

use super::Tempo;
use super::event::{Event, Millis};

/// A named source of events.
#[async_trait]
pub trait Source: Send + Sync {
    /// What people call it: `etl`, `report`, `lambda`, `metabase`.
    fn name(&self) -> &str;

    /// Gives one page of the events in a window.
    ///
    /// Repeats do no harm: the caller removes what it has seen. A source that is sure that nothing appears behind its back (a file
    /// that only grows) may leave out what it has given before, and give what is new whatever its time is. An error ends the
    /// whole; what may pass is a [`Reply::Throttled`] or [`Reply::Unavailable`].
    async fn page(&self, ask: &Ask) -> Result<Reply>;
}

/// What a source is asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ask {
    /// Events from this time on.
    pub from: Millis,
    /// Events before this time; all where it is absent.
    pub until: Option<Millis>,
    /// Only events that fit this pattern, in CloudWatch's language.
    pub pattern: Option<String>,
    /// Where the page before this one ended.
    pub token: Option<String>,
    /// Nothing will be asked after this window: what is half written will not be completed.
    pub last: bool,
}

/// What a source says.
#[derive(Debug)]
pub enum Reply {
    /// Some events, perhaps none.
    Page {
        /// In any order.
        events: Vec<Event>,
        /// Where the next page begins; none after the last page. An empty page may have one, and so may two pages in a row the same.
        next: Option<String>,
        /// A promise: the pages that follow in this window have nothing before this time.
        settled: Option<Millis>,
    },
    /// The log is not there yet.
    Missing,
    /// Asked too often.
    Throttled,
    /// No answer now; asking again may help.
    Unavailable(Failure),
}

/// The logs of a place, or of one run.
pub struct Logs {
    /// Its sources, in the order in which they are named to people.
    pub sources: Vec<Arc<dyn Source>>,
    /// How they like to be asked.
    pub tempo: Tempo,
    /// The run that they are restricted to.
    pub run: Option<RunLog>,
}

/// A run whose log is wanted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RunLog {
    /// Its id.
    pub id: Uuid,
    /// A time before its first line.
    pub from: Millis,
}
