//! A service that behaves as badly as services do, and what must hold all the same.

use proptest::prelude::*;

use super::core::{Core, Plan, Step};
use super::event::{Event, Millis, Shown};
use super::source::{Ask, Reply};
use super::tempo::Tempo;

const START: Millis = 1_000_000_000;

/// How long an event may take to become visible: less than the furthest look reaches back.
const LONGEST_DELAY: Millis = 50 * 60_000;

#[derive(Debug, Clone)]
struct Planned {
    source: usize,
    time: Millis,
    delay: Millis,
}

/// Misbehaviour is drawn from a list of small numbers, over and over.
struct Service {
    events: Vec<Event>,
    sources: Vec<usize>,
    whims: Vec<u8>,
    drawn: usize,
    throttles: bool,
    /// Bad answers in a row: it is bad, not broken.
    bad: [u8; 3],
}

impl Service {
    /// Whether it may give another bad answer.
    fn may_be_bad(&mut self, source: usize) -> bool {
        self.bad[source] = (self.bad[source] + 1) % 4;
        self.bad[source] != 0
    }

    fn whim(&mut self) -> u8 {
        self.drawn += 1;
        self.whims[self.drawn % self.whims.len()]
    }

    /// Tokens are `<how many were given>@<when the window was asked for>`.
    fn reply(&mut self, source: usize, ask: &Ask, now: Millis) -> Reply {
        match self.whim() {
            0..20 if self.throttles => return Reply::Throttled,
            20..30 if self.may_be_bad(source) => {
                return Reply::Unavailable(common::failure::Failure::new("reset"));
            }
            _ => {}
        }
        let (given, asked_at) = match ask.token.as_deref().and_then(|token| token.split_once('@')) {
            Some((given, asked_at)) => (given.parse().unwrap(), asked_at.parse().unwrap()),
            None => (0, now),
        };
        let visible = |(event, of): &(&Event, &usize)| {
            **of == source && event.ingested <= asked_at && event.time >= ask.from
        };
        let mut events: Vec<Event> =
            self.events.iter().zip(&self.sources).filter(visible).map(|(event, _)| event.clone()).collect();
        if events.is_empty() && ask.token.is_none() && self.whim() < 128 {
            return Reply::Missing;
        }
        // Any order, but the same for all pages of a window.
        let turn = u8::try_from(asked_at % 7).unwrap();
        events.sort_by_key(|event| {
            event.event_id.bytes().rev().map(|byte| byte.wrapping_mul(turn)).collect::<Vec<_>>()
        });
        let whim = self.whim();
        let size = usize::from(whim % 5);
        let size = if self.may_be_bad(source) { size } else { size + 1 };
        let page: Vec<Event> = events.iter().skip(given).take(size).cloned().collect();
        // Now and then a page is repeated with its token, or empty.
        let repeat = (whim > 200 || page.is_empty()) && self.may_be_bad(source);
        let end = if repeat { given } else { given + page.len() };
        let next = (repeat || end < events.len()).then(|| format!("{end}@{asked_at}"));
        Reply::Page { events: page, next, settled: None }
    }
}

fn simulate(planned: &[Planned], whims: Vec<u8>, throttles: bool, follow: bool) -> Vec<Shown> {
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
    let mut service = Service { events, sources, whims, drawn: 0, throttles, bad: [0; 3] };
    let mut now = if follow { START } else { written };
    let plan = Plan { since: START - 3_600_000, until: None, follow, pattern: None, tempo: Tempo::SERVICE };
    let mut core = Core::new(plan, 3, now);
    let (mut shown, mut under_way, mut finished) = (Vec::new(), Vec::new(), !follow);
    loop {
        if !finished && now >= written {
            finished = true;
            core.finish(now);
        }
        match core.next(now) {
            Step::Ask(source, ask) => {
                let answers_at = now + Millis::from(service.whim()) * 10;
                under_way.push((answers_at, source, ask));
                continue;
            }
            Step::Done => break,
            Step::Wait(until) => {
                let answer = under_way.iter().map(|(at, ..)| *at).min().unwrap_or(Millis::MAX);
                let end = if finished { Millis::MAX } else { written };
                now = until.min(answer).min(end).max(now);
            }
        }
        under_way.sort_by_key(|(at, source, _)| std::cmp::Reverse((*at, *source)));
        while under_way.last().is_some_and(|(at, ..)| *at <= now) {
            let Some((_, source, ask)) = under_way.pop() else { break };
            let reply = service.reply(source, &ask, now);
            core.answer(source, reply, now).unwrap();
            shown.extend(core.ready());
        }
    }
    shown.extend(core.rest());
    shown
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

/// Enough calm among the whims that everything comes to an end.
fn whims() -> impl Strategy<Value = Vec<u8>> {
    prop::collection::vec(any::<u8>(), 1..50).prop_map(|mut whims| {
        whims.extend([63, 104, 99, 64, 153, 157]);
        whims
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]

    #[test]
    fn every_event_is_shown_once_and_in_order_but_for_those_marked(
        planned in planned(),
        whims in whims(),
        throttles in any::<bool>(),
        follow in any::<bool>(),
    ) {
        let shown = simulate(&planned, whims, throttles, follow);
        let mut ids: Vec<usize> = shown.iter().map(|shown| shown.event.event_id.parse().unwrap()).collect();
        ids.sort_unstable();
        prop_assert_eq!(ids, (0..planned.len()).collect::<Vec<_>>());
        let mut newest = Millis::MIN;
        for one in &shown {
            prop_assert_eq!(one.late, (one.event.time < newest).then(|| newest - one.event.time));
            newest = newest.max(one.event.time);
        }
        // What is only looked at afterwards is in order altogether.
        prop_assert!(follow || shown.iter().all(|shown| shown.late.is_none()));
    }
}

/// A source with one event each second, all on one page.
fn steady(source: usize, ask: &Ask, now: Millis) -> Reply {
    let first = ask.from.max(START).div_euclid(1000) + 1;
    let event = |second: Millis| Event {
        time: second * 1000,
        ingested: second * 1000,
        group: String::new(),
        stream: String::new(),
        event_id: format!("{source}:{second}"),
        message: String::new(),
    };
    Reply::Page { events: (first..=now / 1000).map(event).collect(), next: None, settled: None }
}

#[test]
fn a_long_follow_asks_moderately_and_holds_no_more_than_it_may_see_again() {
    const HOURS: Millis = 8;
    let plan = Plan { since: START, until: None, follow: true, pattern: None, tempo: Tempo::SERVICE };
    let (mut core, mut now, mut shown, mut asked) = (Core::new(plan, 2, START), START, 0, 0);
    let end = START + HOURS * 3_600_000;
    while now < end {
        match core.next(now) {
            Step::Ask(source, ask) => {
                asked += 1;
                core.answer(source, steady(source, &ask, now), now).unwrap();
                shown += core.ready().len();
                let (waiting, remembered) = core.held();
                assert!(waiting <= 20 && remembered <= 2 * (2 * 3600 + 120), "{waiting} {remembered}");
            }
            Step::Wait(until) => now = until,
            Step::Done => unreachable!("nobody ended it"),
        }
    }
    core.finish(now);
    shown += core.rest().len();
    assert!((57_580..=57_600).contains(&shown), "two each second: {shown}");
    assert!(asked <= 2 * HOURS * 1800 + 2, "every two seconds: {asked}");
}
