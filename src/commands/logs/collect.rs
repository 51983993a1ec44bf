//! Reads selected events whole, of a target or of files, to count them.

use std::ops::ControlFlow;

use common::failure::Result;

use super::selection::{EventFilter, time_range};
use super::{files, selected};
use crate::cli::LogSelection;
use crate::ops::run_patterns::read_all;
use crate::printer::Printer;
use crate::settings::Settings;
use logs::{FileEvent, LogSources, MergedEvent, Millis, ReadOptions};

/// Passes message and time of the selected events to `each`.
pub(super) async fn read(
    args: &LogSelection,
    each: &mut (dyn FnMut(&str, Millis) + Send),
    settings: &Settings,
    printer: &Printer,
) -> Result<()> {
    let filter = EventFilter::new(args);
    if !args.file.is_empty() {
        let mut event = |_: usize, event: FileEvent<'_>| {
            if filter.selects_line(event.text) {
                each(event.text, event.time);
            }
            ControlFlow::Continue(())
        };
        return files::read(args, &filter, true, &mut event, &mut || ControlFlow::Continue(()));
    }
    let target = crate::commands::target(settings)?;
    let LogSources { sources, poll_policy, run } = target.runs.logs(args.run.as_deref()).await?;
    let sources = selected(sources, &args.sources)?;
    let (since, until) = time_range(args, run)?;
    let options =
        ReadOptions { since, until, follow: false, pattern: args.filter_pattern.clone(), poll_policy };
    let mut event = |merged: &MergedEvent, source: &str| {
        let message = &merged.event.message;
        if filter.condition_holds(merged, source) && filter.selects_line(message) {
            each(message, merged.event.time);
        }
    };
    read_all(&sources, options, &mut event, &mut |note| printer.note(&note)).await
}
