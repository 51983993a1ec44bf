//! What runs logged, as patterns, and how two runs differ.

use std::ops::ControlFlow;
use std::sync::Arc;

use chrono::Utc;
use common::failure::Result;
use logs::{
    Condition, LogSink, LogSources, MergedEvent, Millis, Notice, PatternChange, PatternMiner, ReadOptions,
    Record, Source, Subject, compare_patterns,
};
use target::Target;

/// Receives the events that exist, with the name of their source.
pub type EventReceiver<'a> = dyn FnMut(&MergedEvent, &str) + Send + 'a;

/// Receives what a user should know while logs are read.
pub type NoteSink<'a> = dyn FnMut(String) + Send + 'a;

/// Compares the logs of two runs, or of their events for which a condition holds.
pub async fn compare(
    target: &Target,
    before: &str,
    after: &str,
    condition: Option<&Condition>,
    note: &mut NoteSink<'_>,
) -> Result<Vec<PatternChange>> {
    let mut patterns = Vec::new();
    for run in [before, after] {
        let LogSources { sources, poll_policy, run } = target.runs.logs(Some(run)).await?;
        let since = run.map_or(0, |run| run.from);
        let options = ReadOptions { since, until: None, follow: false, pattern: None, poll_policy };
        let mut miner = PatternMiner::default();
        let mut each = |merged: &MergedEvent, source: &str| {
            let event = &merged.event;
            let record = Record::new(&event.message);
            let subject = Subject { record, time: event.time, source, stream: &event.stream };
            if condition.is_none_or(|condition| condition.holds(&subject)) {
                miner.add(&event.message, event.time);
            }
        };
        read_all(&sources, options, &mut each, note).await?;
        patterns.push(miner.patterns());
    }
    let after = patterns.pop().unwrap_or_default();
    Ok(compare_patterns(patterns.pop().unwrap_or_default(), after))
}

/// Reads all events that exist.
pub async fn read_all(
    sources: &[Arc<dyn Source>],
    options: ReadOptions,
    each: &mut EventReceiver<'_>,
    note: &mut NoteSink<'_>,
) -> Result<()> {
    let names = sources.iter().map(|source| source.name().to_owned()).collect();
    let mut sink = ReceivingSink { each, note, names };
    let clock = || -> Millis { Utc::now().timestamp_millis() };
    logs::read(sources, options, clock, std::future::pending(), std::future::pending(), &mut sink).await
}

struct ReceivingSink<'a, 'b> {
    each: &'a mut EventReceiver<'b>,
    note: &'a mut NoteSink<'b>,
    names: Vec<String>,
}

impl LogSink for ReceivingSink<'_, '_> {
    fn events(&mut self, events: Vec<MergedEvent>) -> ControlFlow<()> {
        for merged in &events {
            (self.each)(merged, &self.names[merged.source]);
        }
        ControlFlow::Continue(())
    }

    fn notice(&mut self, notice: Notice) {
        if let Notice::Unavailable(source, why) = notice {
            (self.note)(format!("{} is unavailable, retrying: {why}", self.names[source]));
        }
    }
}
