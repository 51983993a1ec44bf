//! Filters and prints events, with context or only the tail.

use std::collections::VecDeque;
use std::ops::ControlFlow;

use super::selection::EventFilter;
use crate::cli;
use crate::printer::Printer;
use logs::{ContextFilter, ContextItem, Entry, LogSink, MergedEvent, Notice, Renderer};

pub(super) struct LogOutput<'a> {
    printer: &'a Printer,
    renderer: Renderer,
    filter: EventFilter,
    context: ContextFilter<Entry>,
    /// Maximum number of the last lines, which are kept until the existing events are read.
    tail: Option<usize>,
    last_lines: VecDeque<String>,
    follow: bool,
    /// Number of events of each source, before filtering.
    received: Vec<u64>,
    /// Whether the log of each source does not exist.
    missing: Vec<bool>,
    printed: u64,
}

impl<'a> LogOutput<'a> {
    pub(super) fn new(
        printer: &'a Printer,
        renderer: Renderer,
        filter: EventFilter,
        args: &cli::Logs,
    ) -> Self {
        Self {
            printer,
            filter,
            context: ContextFilter::new(args.context),
            tail: args.tail,
            last_lines: VecDeque::new(),
            follow: args.follow,
            received: vec![0; renderer.names.len()],
            missing: vec![false; renderer.names.len()],
            printed: 0,
            renderer,
        }
    }

    /// Explains on standard error that no event of a file was printed.
    pub(super) fn explain_no_match(&self) {
        if self.printed == 0 && self.tail.is_none() {
            self.printer.note("no event matches");
        }
    }

    /// Explains empty output on standard error.
    pub(super) fn explain_missing(&self, requested: &[String]) {
        let received: u64 = self.received.iter().sum();
        if self.printed == 0 && received > 0 && self.tail.is_none() {
            return self.printer.note(&format!("none of {received} events matches"));
        }
        if received > 0 && requested.is_empty() {
            return;
        }
        let sources = self.renderer.names.iter().zip(&self.received).zip(&self.missing);
        let without_events = |is_missing: bool| {
            let chosen =
                sources.clone().filter(|((_, received), missing)| **received == 0 && **missing == is_missing);
            chosen.map(|((name, _), _)| name.as_str()).collect::<Vec<_>>().join(", ")
        };
        let (silent, missing) = (without_events(false), without_events(true));
        if !silent.is_empty() {
            self.printer
                .note(&format!("no events from {silent} in this time range; extend it with --since 1d"));
        }
        if !missing.is_empty() {
            self.printer
                .note(&format!("there is no log of {missing} yet; `covidctl status` lists the components"));
        }
    }

    fn line(&mut self, item: &ContextItem<Entry>, text: &mut String) {
        let line = match item {
            ContextItem::Gap => self.renderer.gap(),
            ContextItem::Item(entry) => self.renderer.entry(entry),
        };
        self.printed += 1;
        let Some(limit) = self.tail else { return text.push_str(&line) };
        self.last_lines.push_back(line);
        if self.last_lines.len() > limit {
            self.last_lines.pop_front();
        }
    }

    fn print(&self, text: &str) -> ControlFlow<()> {
        if text.is_empty() {
            return ControlFlow::Continue(());
        }
        self.printer.bytes(text.as_bytes());
        if self.printer.has_reader() { ControlFlow::Continue(()) } else { ControlFlow::Break(()) }
    }
}

impl LogSink for LogOutput<'_> {
    fn events(&mut self, events: Vec<MergedEvent>) -> ControlFlow<()> {
        let mut text = String::new();
        for event in events {
            self.received[event.source] += 1;
            if !self.filter.condition_holds(&event, &self.renderer.names[event.source]) {
                continue;
            }
            let entry = Entry::new(event);
            let content = self.renderer.content(&entry);
            if self.filter.lines.excludes(&content) {
                continue;
            }
            let matches = self.filter.lines.matches(&content);
            for item in self.context.push(entry, matches) {
                self.line(&item, &mut text);
            }
        }
        self.print(&text)
    }

    fn caught_up(&mut self) -> ControlFlow<()> {
        self.tail = None;
        let text: String = self.last_lines.drain(..).collect();
        self.print(&text)
    }

    fn notice(&mut self, notice: Notice) {
        if let Notice::Missing(source) = notice {
            self.missing[source] = true;
        }
        let name = |source: usize| self.renderer.names[source].as_str();
        let text = match notice {
            // Without --follow, missing logs are reported at the end.
            Notice::Missing(_) if !self.follow || !self.printer.verbose() => return,
            Notice::Missing(source) => format!("waiting for the first log of {}", name(source)),
            Notice::Throttled => "the log service throttles requests; polling slows down".to_owned(),
            Notice::Unavailable(source, why) => format!("{} is unavailable, retrying: {why}", name(source)),
            Notice::Recovered(source) => format!("{} is available again", name(source)),
        };
        self.printer.note(&text);
    }
}
