//! Polls the sources as the engine decides and passes the merged events to a sink.

use std::ops::ControlFlow;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use common::failure::{Failure, Result};
use futures_util::StreamExt as _;
use futures_util::stream::FuturesUnordered;

use crate::engine::{Engine, Notice, ReadOptions, Step};
use crate::{MergedEvent, Millis, PageRequest, PageResponse, Source};

const REQUEST_TIMEOUT: Duration = Duration::from_secs(30);

/// Receives the merged events; a break ends the reading.
pub trait LogSink {
    /// Receives events, in order.
    fn events(&mut self, events: Vec<MergedEvent>) -> ControlFlow<()>;

    /// Called once when all events that existed at the start have been passed on.
    fn caught_up(&mut self) -> ControlFlow<()> {
        ControlFlow::Continue(())
    }

    /// Receives a change in the availability of a source.
    fn notice(&mut self, notice: Notice);
}

/// Reads the sources until all events are read or the sink breaks.
///
/// When `finish` completes, no new events are written: the remaining ones are read. When `stop` completes, reading ends at once; buffered
/// events are passed on. `clock` returns the current time.
///
/// # Errors
/// If a source fails, or stays unavailable in its last window.
pub async fn read(
    sources: &[Arc<dyn Source>],
    options: ReadOptions,
    clock: impl Fn() -> Millis,
    finish: impl Future<Output = ()>,
    stop: impl Future<Output = ()>,
    sink: &mut (dyn LogSink + Send),
) -> Result<()> {
    let mut engine = Engine::new(options, sources.len(), clock());
    let mut in_flight = FuturesUnordered::new();
    let (mut finish, mut stop) = (pin!(finish), pin!(stop));
    let (mut finished, mut caught_up) = (false, false);
    loop {
        let now = clock();
        let wait = match engine.next(now) {
            Step::Request(source, request) => {
                in_flight.push(request_page(source, Arc::clone(&sources[source]), request));
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
                engine.finish(clock());
                ControlFlow::Continue(())
            }
            Some((source, response)) = in_flight.next(), if !in_flight.is_empty() => {
                for notice in engine.on_response(source, response?, clock())? {
                    sink.notice(notice);
                }
                let mut flow = sink.events(engine.merge.due());
                if flow.is_continue() && !caught_up && engine.caught_up() {
                    caught_up = true;
                    flow = sink.caught_up();
                }
                flow
            }
            () = tokio::time::sleep(wait) => ControlFlow::Continue(()),
        };
        if flow.is_break() {
            return Ok(());
        }
    }
    // The reading ends here in any case, so a break makes no difference.
    if sink.events(engine.merge.drain()).is_continue() && !caught_up {
        _ = sink.caught_up();
    }
    Ok(())
}

async fn request_page(
    number: usize,
    source: Arc<dyn Source>,
    request: PageRequest,
) -> (usize, Result<PageResponse>) {
    let response = tokio::time::timeout(REQUEST_TIMEOUT, source.page(&request)).await;
    let timed_out = || {
        let seconds = REQUEST_TIMEOUT.as_secs();
        Ok(PageResponse::Unavailable(Failure::new(format!("no response within {seconds} s"))))
    };
    (number, response.unwrap_or_else(|_| timed_out()))
}

#[cfg(test)]
mod tests {
    use std::sync::Mutex;

    use async_trait::async_trait;
    use tokio::time::Instant;

    use super::*;
    use crate::{Event, PollPolicy};

    /// Returns its responses one by one, then empty pages.
    struct ScriptedSource(Mutex<Vec<PageResponse>>);

    #[async_trait]
    impl Source for ScriptedSource {
        fn name(&self) -> &'static str {
            "etl"
        }

        async fn page(&self, _: &PageRequest) -> Result<PageResponse> {
            let next = self.0.lock().unwrap().pop();
            Ok(next.unwrap_or(PageResponse::Page { events: Vec::new(), next: None, complete_until: None }))
        }
    }

    /// Never responds.
    struct SilentSource;

    #[async_trait]
    impl Source for SilentSource {
        fn name(&self) -> &'static str {
            "lambda"
        }

        async fn page(&self, _: &PageRequest) -> Result<PageResponse> {
            std::future::pending().await
        }
    }

    #[derive(Default)]
    struct RecordingSink {
        messages: Vec<String>,
        notices: Vec<Notice>,
        caught_up_after: Option<usize>,
        limit: usize,
    }

    impl LogSink for RecordingSink {
        fn events(&mut self, events: Vec<MergedEvent>) -> ControlFlow<()> {
            self.messages.extend(events.into_iter().map(|merged| merged.event.message));
            if self.limit > 0 && self.messages.len() >= self.limit {
                return ControlFlow::Break(());
            }
            ControlFlow::Continue(())
        }

        fn caught_up(&mut self) -> ControlFlow<()> {
            self.caught_up_after = Some(self.messages.len());
            ControlFlow::Continue(())
        }

        fn notice(&mut self, notice: Notice) {
            self.notices.push(notice);
        }
    }

    fn page_of(events: &[(Millis, &str)], next: Option<&str>) -> PageResponse {
        let event = |(time, message): &(Millis, &str)| Event {
            time: *time,
            ingested: *time,
            group: "g".to_owned(),
            stream: "s".to_owned(),
            event_id: (*message).to_owned(),
            message: (*message).to_owned(),
        };
        let events = events.iter().map(event).collect();
        PageResponse::Page { events, next: next.map(str::to_owned), complete_until: None }
    }

    fn script(mut responses: Vec<PageResponse>) -> Arc<dyn Source> {
        responses.reverse();
        Arc::new(ScriptedSource(Mutex::new(responses)))
    }

    fn options(follow: bool) -> ReadOptions {
        ReadOptions { since: 0, until: None, follow, pattern: None, poll_policy: PollPolicy::CLOUDWATCH }
    }

    fn clock() -> impl Fn() -> Millis {
        let start = Instant::now();
        move || 1_000_000 + Millis::try_from(start.elapsed().as_millis()).unwrap()
    }

    async fn never() {
        std::future::pending::<()>().await;
    }

    #[tokio::test(start_paused = true)]
    async fn read_without_follow_merges_sources_and_ends() {
        let first = script(vec![
            page_of(&[(1, "a")], Some("x")),
            page_of(&[], Some("y")),
            page_of(&[(5, "c")], None),
        ]);
        // A page between two throttled requests does not restore the full rate: one notice.
        let second = script(vec![
            PageResponse::Throttled,
            page_of(&[], Some("z")),
            PageResponse::Throttled,
            PageResponse::Missing,
        ]);
        let third = script(vec![page_of(&[(3, "b")], None)]);
        let mut sink = RecordingSink::default();
        read(&[first, second, third], options(false), clock(), never(), never(), &mut sink).await.unwrap();
        assert_eq!(sink.messages, ["a", "b", "c"]);
        assert_eq!(sink.notices, [Notice::Throttled, Notice::Missing(1)]);
        assert!(sink.caught_up_after.is_some());
    }

    #[tokio::test(start_paused = true)]
    async fn read_after_finish_polls_for_grace_period() {
        let start = Instant::now();
        // The line arrives some polls after the run has ended.
        let empty = || page_of(&[], None);
        let source =
            script(vec![page_of(&[(1, "a")], None), empty(), empty(), empty(), page_of(&[(2, "b")], None)]);
        let mut sink = RecordingSink::default();
        let finish = tokio::time::sleep(Duration::from_secs(3));
        read(&[source], options(true), clock(), finish, never(), &mut sink).await.unwrap();
        assert_eq!(sink.messages, ["a", "b"]);
        assert_eq!(sink.caught_up_after, Some(1));
        assert_eq!(start.elapsed(), Duration::from_secs(15), "3 s, and the grace period of 12 s");
    }

    #[tokio::test(start_paused = true)]
    async fn read_stopped_passes_on_buffered_events() {
        let source = script(vec![page_of(&[(999_999, "fresh")], None)]);
        let mut sink = RecordingSink::default();
        let stop = tokio::time::sleep(Duration::from_millis(100));
        read(&[source], options(true), clock(), never(), stop, &mut sink).await.unwrap();
        assert_eq!(sink.messages, ["fresh"]);
    }

    #[tokio::test(start_paused = true)]
    async fn read_ends_when_sink_breaks() {
        let source = script(vec![page_of(&[(1, "a")], None)]);
        let mut sink = RecordingSink { limit: 1, ..RecordingSink::default() };
        read(&[source], options(true), clock(), never(), never(), &mut sink).await.unwrap();
        assert_eq!(sink.messages, ["a"]);
    }

    #[tokio::test(start_paused = true)]
    async fn read_with_silent_source_passes_on_others_and_fails_alone() {
        let mut sink = RecordingSink { limit: 1, ..RecordingSink::default() };
        let sources = [script(vec![page_of(&[(1, "a")], None)]), Arc::new(SilentSource) as Arc<dyn Source>];
        read(&sources, options(true), clock(), never(), never(), &mut sink).await.unwrap();
        assert_eq!(sink.notices, [Notice::Unavailable(1, "no response within 30 s".to_owned())]);

        let mut sink = RecordingSink::default();
        let alone = [Arc::new(SilentSource) as Arc<dyn Source>];
        let failure = read(&alone, options(false), clock(), never(), never(), &mut sink);
        assert_eq!(failure.await.unwrap_err().to_string(), "no response within 30 s");
    }
}
