//! Property tests of the engine against a log service with delays, repeats, throttling and failures.

use proptest::prelude::*;

use crate::engine::{Engine, Step};
use crate::{Event, MergedEvent, Millis, PageRequest, PageResponse, PollPolicy, ReadOptions};

const START: Millis = 1_000_000_000;

/// Maximum delay until an event is visible: less than the furthest lookback.
const LONGEST_DELAY: Millis = 50 * 60_000;

#[derive(Debug, Clone)]
struct Planned {
    source: usize,
    time: Millis,
    delay: Millis,
}

/// Misbehaviour is drawn from a cyclic list of small numbers.
struct FaultyService {
    events: Vec<Event>,
    sources: Vec<usize>,
    faults: Vec<u8>,
    drawn: usize,
    throttles: bool,
    /// Consecutive bad responses per source; at most three, so that every reading ends.
    bad: [u8; 3],
}

impl FaultyService {
    fn may_be_bad(&mut self, source: usize) -> bool {
        self.bad[source] = (self.bad[source] + 1) % 4;
        self.bad[source] != 0
    }

    fn fault(&mut self) -> u8 {
        self.drawn += 1;
        self.faults[self.drawn % self.faults.len()]
    }

    /// Tokens are `<number of returned events>@<time of the window's first request>`.
    fn reply(&mut self, source: usize, request: &PageRequest, now: Millis) -> PageResponse {
        match self.fault() {
            0..20 if self.throttles => return PageResponse::Throttled,
            20..30 if self.may_be_bad(source) => {
                return PageResponse::Unavailable(common::failure::Failure::new("reset"));
            }
            _ => {}
        }
        let (given, requested_at) = match request.token.as_deref().and_then(|token| token.split_once('@')) {
            Some((given, requested_at)) => (given.parse().unwrap(), requested_at.parse().unwrap()),
            None => (0, now),
        };
        let visible = |(event, of): &(&Event, &usize)| {
            **of == source && event.ingested <= requested_at && event.time >= request.from
        };
        let mut events: Vec<Event> =
            self.events.iter().zip(&self.sources).filter(visible).map(|(event, _)| event.clone()).collect();
        if events.is_empty() && request.token.is_none() && self.fault() < 128 {
            return PageResponse::Missing;
        }
        // An arbitrary order that is the same for all pages of a window.
        let turn = u8::try_from(requested_at % 7).unwrap();
        events.sort_by_key(|event| {
            event.event_id.bytes().rev().map(|byte| byte.wrapping_mul(turn)).collect::<Vec<_>>()
        });
        let fault = self.fault();
        let size = usize::from(fault % 5);
        let size = if self.may_be_bad(source) { size } else { size + 1 };
        let page: Vec<Event> = events.iter().skip(given).take(size).cloned().collect();
        // Some pages are repeated with their token, or empty.
        let repeat = (fault > 200 || page.is_empty()) && self.may_be_bad(source);
        let end = if repeat { given } else { given + page.len() };
        let next = (repeat || end < events.len()).then(|| format!("{end}@{requested_at}"));
        PageResponse::Page { events: page, next, complete_until: None }
    }
}

fn simulate(planned: &[Planned], faults: Vec<u8>, throttles: bool, follow: bool) -> Vec<MergedEvent> {
    let event = |(number, planned): (usize, &Planned)| Event {
        time: planned.time,
        ingested: planned.time + planned.delay,
        group: String::new(),
        stream: String::new(),
        event_id: format!("{number}"),
        message: String::new(),
    };
    let events: Vec<Event> = planned.iter().enumerate().map(event).collect();
    let written = events.iter().map(|event| event.ingested).max().unwrap_or(START).max(START);
    let sources = planned.iter().map(|planned| planned.source).collect();
    let mut service = FaultyService { events, sources, faults, drawn: 0, throttles, bad: [0; 3] };
    let mut now = if follow { START } else { written };
    let options = ReadOptions {
        since: START - 3_600_000,
        until: None,
        follow,
        pattern: None,
        poll_policy: PollPolicy::CLOUDWATCH,
    };
    let mut engine = Engine::new(options, 3, now);
    let (mut merged, mut in_flight, mut finished) = (Vec::new(), Vec::new(), !follow);
    loop {
        if !finished && now >= written {
            finished = true;
            engine.finish(now);
        }
        match engine.next(now) {
            Step::Request(source, request) => {
                let responds_at = now + Millis::from(service.fault()) * 10;
                in_flight.push((responds_at, source, request));
                continue;
            }
            Step::Done => break,
            Step::Wait(until) => {
                let answer = in_flight.iter().map(|(at, ..)| *at).min().unwrap_or(Millis::MAX);
                let end = if finished { Millis::MAX } else { written };
                now = until.min(answer).min(end).max(now);
            }
        }
        in_flight.sort_by_key(|(at, source, _)| std::cmp::Reverse((*at, *source)));
        while in_flight.last().is_some_and(|(at, ..)| *at <= now) {
            let Some((_, source, request)) = in_flight.pop() else { break };
            let reply = service.reply(source, &request, now);
            engine.on_response(source, reply, now).unwrap();
            merged.extend(engine.merge.due());
        }
    }
    merged.extend(engine.merge.drain());
    merged
}

fn planned() -> impl Strategy<Value = Vec<Planned>> {
    let delay = prop_oneof![5 => 0_i64..3000, 2 => 0_i64..120_000, 1 => 0..LONGEST_DELAY];
    let one = (0_usize..3, -600_000_i64..600_000, delay).prop_map(|(source, time, delay)| Planned {
        source,
        time: START + time,
        delay,
    });
    prop::collection::vec(one, 0..60)
}

/// Appends values without faults, so that every reading ends.
fn faults() -> impl Strategy<Value = Vec<u8>> {
    prop::collection::vec(any::<u8>(), 1..50).prop_map(|mut faults| {
        faults.extend([63, 104, 99, 64, 153, 157]);
        faults
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]

    #[test]
    fn engine_with_faulty_service_returns_every_event_once_and_in_order_unless_marked_late(
        planned in planned(),
        faults in faults(),
        throttles in any::<bool>(),
        follow in any::<bool>(),
    ) {
        let merged = simulate(&planned, faults, throttles, follow);
        let mut ids: Vec<usize> = merged.iter().map(|merged| merged.event.event_id.parse().unwrap()).collect();
        ids.sort_unstable();
        prop_assert_eq!(ids, (0..planned.len()).collect::<Vec<_>>());
        let mut newest = Millis::MIN;
        for one in &merged {
            prop_assert_eq!(one.late, (one.event.time < newest).then(|| newest - one.event.time));
            newest = newest.max(one.event.time);
        }
        // Without follow, the order is complete.
        prop_assert!(follow || merged.iter().all(|merged| merged.late.is_none()));
    }
}

/// Returns one event per second, all on one page.
fn steady(source: usize, request: &PageRequest, now: Millis) -> PageResponse {
    let first = request.from.max(START).div_euclid(1000) + 1;
    let event = |second: Millis| Event {
        time: second * 1000,
        ingested: second * 1000,
        group: String::new(),
        stream: String::new(),
        event_id: format!("{source}:{second}"),
        message: String::new(),
    };
    PageResponse::Page { events: (first..=now / 1000).map(event).collect(), next: None, complete_until: None }
}

#[test]
fn engine_following_for_hours_bounds_requests_and_memory() {
    const HOURS: Millis = 8;
    let options = ReadOptions {
        since: START,
        until: None,
        follow: true,
        pattern: None,
        poll_policy: PollPolicy::CLOUDWATCH,
    };
    let (mut engine, mut now, mut merged, mut requests) = (Engine::new(options, 2, START), START, 0, 0);
    let end = START + HOURS * 3_600_000;
    while now < end {
        match engine.next(now) {
            Step::Request(source, request) => {
                requests += 1;
                engine.on_response(source, steady(source, &request, now), now).unwrap();
                merged += engine.merge.due().len();
                let (waiting, remembered) = engine.buffer_sizes();
                assert!(waiting <= 20 && remembered <= 2 * (2 * 3600 + 120), "{waiting} {remembered}");
            }
            Step::Wait(until) => now = until,
            Step::Done => unreachable!("follow has no end"),
        }
    }
    engine.finish(now);
    merged += engine.merge.drain().len();
    assert!((57_580..=57_600).contains(&merged), "two per second: {merged}");
    assert!(requests <= 2 * HOURS * 1800 + 2, "one every two seconds: {requests}");
}

/// A source that does not answer holds back the events of another one, whose messages have a megabyte each.
#[test]
fn buffered_messages_are_bounded_by_their_size() {
    let options = ReadOptions {
        since: START,
        until: None,
        follow: false,
        pattern: None,
        poll_policy: PollPolicy::CLOUDWATCH,
    };
    let mut engine = Engine::new(options, 2, START + 10_000_000);
    let mut pages = 0;
    for step in 0..1000 {
        let now = START + 10_000_000 + step * 1000;
        let Step::Request(source, _) = engine.next(now) else { continue };
        if source == 1 {
            continue;
        }
        pages += 1;
        let event = Event {
            time: START + pages,
            ingested: START + pages,
            group: String::new(),
            stream: String::new(),
            event_id: pages.to_string(),
            message: "x".repeat(1 << 20),
        };
        let (next, complete_until) = (Some(pages.to_string()), Some(START + pages));
        engine.on_response(0, PageResponse::Page { events: vec![event], next, complete_until }, now).unwrap();
    }
    assert_eq!(pages, 65, "64 MB, and the page that exceeds them");
}
