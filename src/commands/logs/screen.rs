//! Where events end up: filtered, with context, cut to a tail, and printed.

use std::collections::VecDeque;
use std::ops::ControlFlow;

use crate::cli;
use crate::printer::Printer;
use logs::Shown;
use logs::core::Note;
use logs::driver::Reader;
use logs::pick::{Filter, Picked, Picker};
use logs::render::{Entry, Renderer};

/// The reader of `covidctl logs`.
pub(super) struct Screen<'a> {
    printer: &'a Printer,
    renderer: Renderer,
    filter: Filter,
    picker: Picker<Entry>,
    /// The last lines so far, as long as the beginning is not shown yet.
    tail: Option<Tail>,
    follow: bool,
    /// How many events came from each source, wanted or not.
    came: Vec<u64>,
    /// Which sources had no log at all.
    missing: Vec<bool>,
    shown: u64,
}

struct Tail {
    most: usize,
    lines: VecDeque<String>,
}

impl<'a> Screen<'a> {
    pub(super) fn new(printer: &'a Printer, renderer: Renderer, filter: Filter, args: &cli::Logs) -> Self {
        Self {
            printer,
            filter,
            picker: Picker::new(args.context),
            tail: args.tail.map(|most| Tail { most, lines: VecDeque::new() }),
            follow: args.follow,
            came: vec![0; renderer.names.len()],
            missing: vec![false; renderer.names.len()],
            shown: 0,
            renderer,
        }
    }

    /// An empty answer is explained, because it may be a surprise.
    pub(super) fn say_what_is_missing(&self, asked_for: &[String]) {
        let came: u64 = self.came.iter().sum();
        if self.shown == 0 && came > 0 && self.tail.is_none() {
            return self.printer.note(&format!("none of {came} events matches"));
        }
        if came > 0 && asked_for.is_empty() {
            return;
        }
        let sources = self.renderer.names.iter().zip(&self.came).zip(&self.missing);
        let without_events = |is_missing: bool| {
            let chosen =
                sources.clone().filter(|((_, came), missing)| **came == 0 && **missing == is_missing);
            chosen.map(|((name, _), _)| name.as_str()).collect::<Vec<_>>().join(", ")
        };
        let (silent, missing) = (without_events(false), without_events(true));
        if !silent.is_empty() {
            self.printer
                .note(&format!("no events from {silent} in this time; look further back with --since 1d"));
        }
        if !missing.is_empty() {
            self.printer
                .note(&format!("there is no log of {missing} yet; `covidctl status` shows what is there"));
        }
    }

    fn line(&mut self, picked: &Picked<Entry>, text: &mut String) {
        let line = match picked {
            Picked::Gap => self.renderer.gap(),
            Picked::Item(entry) => self.renderer.entry(entry),
        };
        self.shown += 1;
        let Some(tail) = &mut self.tail else { return text.push_str(&line) };
        tail.lines.push_back(line);
        if tail.lines.len() > tail.most {
            tail.lines.pop_front();
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

impl Reader for Screen<'_> {
    fn show(&mut self, shown: Vec<Shown>) -> ControlFlow<()> {
        let mut text = String::new();
        for shown in shown {
            self.came[shown.source] += 1;
            let entry = Entry::new(shown);
            let text_to_match = self.renderer.content(&entry);
            if self.filter.excludes(&text_to_match) {
                continue;
            }
            let matches = self.filter.matches(&text_to_match);
            for picked in self.picker.take(entry, matches) {
                self.line(&picked, &mut text);
            }
        }
        self.print(&text)
    }

    fn caught_up(&mut self) -> ControlFlow<()> {
        let text: String = self.tail.take().into_iter().flat_map(|tail| tail.lines).collect();
        self.print(&text)
    }

    fn note(&mut self, note: Note) {
        if let Note::Missing(source) = note {
            self.missing[source] = true;
        }
        let name = |source: usize| self.renderer.names[source].as_str();
        let text = match note {
            // One look has nothing to wait for, and says in the end what it did not find.
            Note::Missing(_) if !self.follow || !self.printer.verbose() => return,
            Note::Missing(source) => format!("waiting for the first log of {}", name(source)),
            Note::Throttled => "the log service refuses so many requests; asking less often".to_owned(),
            Note::Unavailable(source, why) => format!("no answer about {}, trying on: {why}", name(source)),
            Note::Back(source) => format!("{} answers again", name(source)),
        };
        self.printer.note(&text);
    }
}
