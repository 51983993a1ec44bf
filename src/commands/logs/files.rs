//! Reads the events of files and standard input, in their order.

use std::ops::ControlFlow;
use std::path::Path;

use common::failure::Result;

use super::selection::{EventFilter, file_pattern, file_range};
use crate::cli::LogSelection;
use crate::printer::Printer;
use common::terminal::{is_hostile, visible};
use logs::{Event, FileEvent, FileReader, LogSink as _, MergedEvent, Millis, TextInput};

use super::output::LogOutput;

/// Printed at once, in bytes.
const PRINT_SIZE: usize = 64 << 10;

/// Names the files as sources, by their last component.
pub(super) fn names(args: &LogSelection) -> Vec<String> {
    let name = |path: &Path| match path.file_name() {
        Some(name) if path != Path::new("-") => visible(&name.to_string_lossy()),
        _ => "stdin".to_owned(),
    };
    args.file.iter().map(|path| name(path)).collect()
}

/// Passes the selected events of all files to `each`, with the index of the file; after each part of a file, calls `flush`.
pub(super) fn read(
    args: &LogSelection,
    filter: &EventFilter,
    needs_time: bool,
    each: &mut dyn FnMut(usize, FileEvent<'_>) -> ControlFlow<()>,
    flush: &mut dyn FnMut() -> ControlFlow<()>,
) -> Result<()> {
    let (since, until) = file_range(args)?;
    let pattern = file_pattern(args)?;
    let is_bounded = since > Millis::MIN || until.is_some();
    for (file, path) in args.file.iter().enumerate() {
        let mut reader = FileReader::new(TextInput::open(path)?, filter.condition.as_ref());
        if !needs_time && !is_bounded {
            reader = reader.without_times();
        }
        let mut is_over = false;
        let mut pass_on = |event: FileEvent<'_>| {
            let in_range = event.time >= since && until.is_none_or(|until| event.time < until);
            if in_range && pattern.as_ref().is_none_or(|pattern| pattern.matches(event.text)) {
                let flow = each(file, event);
                is_over |= flow.is_break();
                return flow;
            }
            ControlFlow::Continue(())
        };
        reader.read(&mut pass_on, flush)?;
        if is_over || flush().is_break() {
            break;
        }
    }
    Ok(())
}

/// Prints the messages as they are: the fastest way through a large file.
pub(super) fn print_raw(args: &LogSelection, filter: &EventFilter, printer: &Printer) -> Result<u64> {
    let buffer = std::cell::RefCell::new(Vec::with_capacity(2 * PRINT_SIZE));
    let mut count = 0;
    let print = || {
        let mut buffer = buffer.borrow_mut();
        if buffer.is_empty() {
            return ControlFlow::Continue(());
        }
        printer.bytes(&buffer);
        buffer.clear();
        if printer.has_reader() { ControlFlow::Continue(()) } else { ControlFlow::Break(()) }
    };
    let mut each = |_: usize, event: FileEvent<'_>| {
        if !filter.selects_line(event.text) {
            return ControlFlow::Continue(());
        }
        count += 1;
        let is_full = {
            let mut buffer = buffer.borrow_mut();
            push_visible(event.text, &mut buffer);
            buffer.push(b'\n');
            buffer.len() >= PRINT_SIZE
        };
        if is_full { print() } else { ControlFlow::Continue(()) }
    };
    read(args, filter, false, &mut each, &mut || print())?;
    Ok(count)
}

/// Appends a text, with its control characters escaped.
fn push_visible(text: &str, into: &mut Vec<u8>) {
    let is_plain = |byte: u8| matches!(byte, b' '..=b'~' | b'\t' | b'\n');
    if text.bytes().all(is_plain) || !text.chars().any(is_hostile) {
        into.extend_from_slice(text.as_bytes());
    } else {
        into.extend_from_slice(visible(text).as_bytes());
    }
}

/// Prints the events through the output of all sources, which knows formats, context and the tail.
pub(super) fn print(args: &LogSelection, output: &mut LogOutput<'_>) -> Result<()> {
    let filter = EventFilter { condition: args.condition.clone(), ..EventFilter::default() };
    let output = std::cell::RefCell::new(output);
    let mut newest = Millis::MIN;
    let batch = std::cell::RefCell::new(Vec::new());
    let mut each = |file: usize, event: FileEvent<'_>| {
        let late = (event.time < newest).then(|| newest - event.time);
        newest = newest.max(event.time);
        let path = args.file[file].display().to_string();
        let event = Event {
            time: event.time,
            ingested: event.time,
            group: path.clone(),
            event_id: format!("{path}:{}", event.offset),
            stream: path,
            message: event.text.to_owned(),
        };
        let mut batch = batch.borrow_mut();
        batch.push(MergedEvent { source: file, event, late });
        if batch.len() < 256 {
            ControlFlow::Continue(())
        } else {
            output.borrow_mut().events(batch.split_off(0))
        }
    };
    let mut flush = || output.borrow_mut().events(batch.borrow_mut().split_off(0));
    read(args, &filter, true, &mut each, &mut flush)?;
    // The end of the files: there is nothing to wait for, so a break makes no difference.
    _ = output.borrow_mut().events(batch.borrow_mut().split_off(0));
    _ = output.borrow_mut().caught_up();
    Ok(())
}
