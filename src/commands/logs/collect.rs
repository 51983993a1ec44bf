//! Reads selected events whole, of a target or of files, to count them.

use std::ops::ControlFlow;

use chrono::Utc;
use common::failure::Result;

use super::selection::{EventFilter, time_range};
use super::{files, selected};
use crate::cli::LogSelection;
use crate::printer::Printer;
use crate::settings::Settings;
use crate::signals::Signals;
use logs::{LogSink, LogSources, MergedEvent, Millis, Notice, ReadOptions};
use target::Target;

/// Takes the message and the time of each selected event.
pub(super) struct Collector<F: FnMut(&str, Millis)> {
    pub(super) filter: EventFilter,
    pub(super) each: F,
    pub(super) needs_time: bool,
}

/// Reads the events that the arguments select, of files or of the target.
pub(super) async fn read<F: FnMut(&str, Millis) + Send>(
    args: &LogSelection,
    mut collector: Collector<F>,
    settings: &Settings,
    printer: &Printer,
) -> Result<()> {
    if !args.file.is_empty() {
        let mut each = |_: usize, event: logs::FileEvent<'_>| {
            if collector.filter.selects_line(event.text) {
                (collector.each)(event.text, event.time);
            }
            ControlFlow::Continue(())
        };
        return files::read(args, &EventFilter::new(args), collector.needs_time, &mut each, &mut || {
            ControlFlow::Continue(())
        });
    }
    let target = crate::commands::target(settings)?;
    let LogSources { sources, poll_policy, run } = target.runs.logs(args.run.as_deref()).await?;
    let sources = selected(sources, &args.sources)?;
    let (since, until) = time_range(args, run)?;
    let options =
        ReadOptions { since, until, follow: false, pattern: args.filter_pattern.clone(), poll_policy };
    all(&sources, options, collector, printer).await
}

/// Reads the whole log of a run.
pub(super) async fn run<F: FnMut(&str, Millis) + Send>(
    target: &Target,
    run: &str,
    collector: Collector<F>,
    printer: &Printer,
) -> Result<()> {
    let LogSources { sources, poll_policy, run } = target.runs.logs(Some(run)).await?;
    let since = run.map_or(0, |run| run.from);
    let options = ReadOptions { since, until: None, follow: false, pattern: None, poll_policy };
    all(&sources, options, collector, printer).await
}

async fn all<F: FnMut(&str, Millis) + Send>(
    sources: &[std::sync::Arc<dyn logs::Source>],
    options: ReadOptions,
    collector: Collector<F>,
    printer: &Printer,
) -> Result<()> {
    let names = sources.iter().map(|source| source.name().to_owned()).collect();
    let mut sink = CollectingSink { collector, names, printer };
    let mut signals = Signals::listen()?;
    let clock = || Utc::now().timestamp_millis();
    let reading =
        logs::read(sources, options, clock, std::future::pending(), std::future::pending(), &mut sink);
    tokio::select! {
        biased;
        failure = signals.next() => Err(failure),
        read = reading => read,
    }
}

struct CollectingSink<'a, F: FnMut(&str, Millis)> {
    collector: Collector<F>,
    names: Vec<String>,
    printer: &'a Printer,
}

impl<F: FnMut(&str, Millis) + Send> LogSink for CollectingSink<'_, F> {
    fn events(&mut self, events: Vec<MergedEvent>) -> ControlFlow<()> {
        let Collector { filter, each, .. } = &mut self.collector;
        for merged in &events {
            let is_selected = filter.condition_holds(merged, &self.names[merged.source])
                && filter.selects_line(&merged.event.message);
            if is_selected {
                each(&merged.event.message, merged.event.time);
            }
        }
        ControlFlow::Continue(())
    }

    fn notice(&mut self, notice: Notice) {
        if let Notice::Unavailable(source, why) = notice {
            self.printer.note(&format!("{} is unavailable, retrying: {why}", self.names[source]));
        }
    }
}
