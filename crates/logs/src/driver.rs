//! Asks the sources, waits, and hands on what is to be shown. Every decision is [`Core`]'s.

use std::ops::ControlFlow;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use common::failure::{Failure, Result};
use futures_util::StreamExt as _;
use futures_util::stream::FuturesUnordered;

use super::core::{Core, Note, Plan, Step};
use super::event::{Millis, Shown};
use super::source::{Ask, Reply, Source};

/// A request that takes longer than this has no answer.
const LONGEST_REQUEST: Duration = Duration::from_secs(30);

/// Whoever reads the logs.
pub trait Reader {
    /// Events, in order. A reader that has enough breaks.
    fn show(&mut self, shown: Vec<Shown>) -> ControlFlow<()>;

    /// What was there in the beginning has been shown; what follows is new.
    fn caught_up(&mut self) -> ControlFlow<()>;

    /// Something to know.
    fn note(&mut self, note: Note);
}

/// Reads the sources until there is no more, or nobody wants more.
///
/// `finish` says that nothing will be written any more, so that the rest is read and that is all. `stop` ends it at once, with what
/// is in hand. `clock` is the time of day.
pub async fn run(
    sources: &[Arc<dyn Source>],
    plan: Plan,
    clock: impl Fn() -> Millis,
    finish: impl Future<Output = ()>,
    stop: impl Future<Output = ()>,
    reader: &mut (dyn Reader + Send),
) -> Result<()> {
    let mut core = Core::new(plan, sources.len(), clock());
    let mut asked = FuturesUnordered::new();
    let (mut finish, mut stop) = (pin!(finish), pin!(stop));
    let (mut finished, mut caught_up) = (false, false);
    loop {
        let now = clock();
        let wait = match core.next(now) {
            Step::Ask(source, ask) => {
                asked.push(page(source, Arc::clone(&sources[source]), ask));
                continue;
            }
            Step::Wait(until) => until.saturating_sub(now),
            Step::Done => break,
        };
        let wait = Duration::from_millis(u64::try_from(wait).unwrap_or(0));
        let flow = tokio::select! {
            biased;
            () = &mut stop => break,
            () = &mut finish, if !finished => {
                finished = true;
                core.finish(clock());
                ControlFlow::Continue(())
            }
            Some((source, reply)) = asked.next(), if !asked.is_empty() => {
                for note in core.answer(source, reply?, clock())? {
                    reader.note(note);
                }
                let mut flow = reader.show(core.ready());
                if flow.is_continue() && !caught_up && core.caught_up() {
                    caught_up = true;
                    flow = reader.caught_up();
                }
                flow
            }
            () = tokio::time::sleep(wait) => ControlFlow::Continue(()),
        };
        if flow.is_break() {
            return Ok(());
        }
    }
    // What is in hand; whether the reader wants still more does not matter any more.
    if reader.show(core.rest()).is_continue() && !caught_up {
        _ = reader.caught_up();
    }
    Ok(())
}

async fn page(number: usize, source: Arc<dyn Source>, ask: Ask) -> (usize, Result<Reply>) {
    let reply = tokio::time::timeout(LONGEST_REQUEST, source.page(&ask)).await;
    let late = || {
        let seconds = LONGEST_REQUEST.as_secs();
        Ok(Reply::Unavailable(Failure::new(format!("no answer within {seconds} s"))))
    };
    (number, reply.unwrap_or_else(|_| late()))
}

#[cfg(test)]
mod tests {
    use std::sync::Mutex;

    use async_trait::async_trait;
    use tokio::time::Instant;

    use super::*;
    use crate::{Event, Tempo};

    /// Answers each request with the next of its replies; after the last one, with nothing new.
    struct Script(Mutex<Vec<Reply>>);

    #[async_trait]
    impl Source for Script {
        fn name(&self) -> &'static str {
            "etl"
        }

        async fn page(&self, _: &Ask) -> Result<Reply> {
            let next = self.0.lock().unwrap().pop();
            Ok(next.unwrap_or(Reply::Page { events: Vec::new(), next: None, settled: None }))
        }
    }

    /// Never answers.
    struct Silent;

    #[async_trait]
    impl Source for Silent {
        fn name(&self) -> &'static str {
            "lambda"
        }

        async fn page(&self, _: &Ask) -> Result<Reply> {
            std::future::pending().await
        }
    }

    #[derive(Default)]
    struct Notebook {
        messages: Vec<String>,
        notes: Vec<Note>,
        caught_up_after: Option<usize>,
        enough: usize,
    }

    impl Reader for Notebook {
        fn show(&mut self, shown: Vec<Shown>) -> ControlFlow<()> {
            self.messages.extend(shown.into_iter().map(|shown| shown.event.message));
            if self.enough > 0 && self.messages.len() >= self.enough {
                return ControlFlow::Break(());
            }
            ControlFlow::Continue(())
        }

        fn caught_up(&mut self) -> ControlFlow<()> {
            self.caught_up_after = Some(self.messages.len());
            ControlFlow::Continue(())
        }

        fn note(&mut self, note: Note) {
            self.notes.push(note);
        }
    }

    fn page_of(events: &[(Millis, &str)], next: Option<&str>) -> Reply {
        let event = |(time, message): &(Millis, &str)| Event {
            time: *time,
            ingested: *time,
            group: "g".to_owned(),
            stream: "s".to_owned(),
            event_id: (*message).to_owned(),
            message: (*message).to_owned(),
        };
        let events = events.iter().map(event).collect();
        Reply::Page { events, next: next.map(str::to_owned), settled: None }
    }

    fn script(mut replies: Vec<Reply>) -> Arc<dyn Source> {
        replies.reverse();
        Arc::new(Script(Mutex::new(replies)))
    }

    fn plan(follow: bool) -> Plan {
        Plan { since: 0, until: None, follow, pattern: None, tempo: Tempo::SERVICE }
    }

    fn clock() -> impl Fn() -> Millis {
        let start = Instant::now();
        move || 1_000_000 + Millis::try_from(start.elapsed().as_millis()).unwrap()
    }

    async fn never() {
        std::future::pending::<()>().await;
    }

    #[tokio::test(start_paused = true)]
    async fn one_look_merges_the_sources_and_ends() {
        let first = script(vec![
            page_of(&[(1, "a")], Some("x")),
            page_of(&[], Some("y")),
            page_of(&[(5, "c")], None),
        ]);
        let second = script(vec![Reply::Throttled, Reply::Missing]);
        let third = script(vec![page_of(&[(3, "b")], None)]);
        let mut reader = Notebook::default();
        run(&[first, second, third], plan(false), clock(), never(), never(), &mut reader).await.unwrap();
        assert_eq!(reader.messages, ["a", "b", "c"]);
        assert_eq!(reader.notes, [Note::Throttled, Note::Missing(1)]);
        assert!(reader.caught_up_after.is_some());
    }

    #[tokio::test(start_paused = true)]
    async fn the_end_of_a_run_is_waited_out() {
        let start = Instant::now();
        // The line arrives some looks after the run has ended.
        let quiet = || page_of(&[], None);
        let source =
            script(vec![page_of(&[(1, "a")], None), quiet(), quiet(), quiet(), page_of(&[(2, "b")], None)]);
        let mut reader = Notebook::default();
        let finish = tokio::time::sleep(Duration::from_secs(3));
        run(&[source], plan(true), clock(), finish, never(), &mut reader).await.unwrap();
        assert_eq!(reader.messages, ["a", "b"]);
        assert_eq!(reader.caught_up_after, Some(1));
        assert_eq!(start.elapsed(), Duration::from_secs(15), "three seconds, and twelve to drain");
    }

    #[tokio::test(start_paused = true)]
    async fn a_stop_hands_over_what_waits() {
        let source = script(vec![page_of(&[(999_999, "fresh")], None)]);
        let mut reader = Notebook::default();
        let stop = tokio::time::sleep(Duration::from_millis(100));
        run(&[source], plan(true), clock(), never(), stop, &mut reader).await.unwrap();
        assert_eq!(reader.messages, ["fresh"]);
    }

    #[tokio::test(start_paused = true)]
    async fn a_reader_that_has_enough_ends_it() {
        let source = script(vec![page_of(&[(1, "a")], None)]);
        let mut reader = Notebook { enough: 1, ..Notebook::default() };
        run(&[source], plan(true), clock(), never(), never(), &mut reader).await.unwrap();
        assert_eq!(reader.messages, ["a"]);
    }

    #[tokio::test(start_paused = true)]
    async fn a_silent_source_stops_nobody() {
        let mut reader = Notebook { enough: 1, ..Notebook::default() };
        let sources = [script(vec![page_of(&[(1, "a")], None)]), Arc::new(Silent) as Arc<dyn Source>];
        run(&sources, plan(true), clock(), never(), never(), &mut reader).await.unwrap();
        assert_eq!(reader.notes, [Note::Unavailable(1, "no answer within 30 s".to_owned())]);

        let mut reader = Notebook::default();
        let alone = [Arc::new(Silent) as Arc<dyn Source>];
        let failure = run(&alone, plan(false), clock(), never(), never(), &mut reader);
        assert_eq!(failure.await.unwrap_err().to_string(), "no answer within 30 s");
    }
}
