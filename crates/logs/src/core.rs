//! Decides what to ask next and what to show: all of following a log except waiting and asking.
//!
//! Pure: time comes in as data, so that any order of answers, repeats, delays and refusals can be tried in a test. The source
//! that is furthest behind is asked first, which keeps few events waiting for their turn.

use common::failure::{Failure, Result};

use super::bucket::Bucket;
use super::dedupe::Seen;
use super::event::{Event, Millis, Shown};
use super::merge::Merge;
use super::source::{Ask, Reply};
use super::tempo::Tempo;
use super::window::Windows;

/// How many events are remembered at most: some 50 MB.
const MOST_SEEN: usize = 1 << 20;

/// With so many events waiting, only those that hold them back are asked.
const MOST_WAITING: usize = 50_000;

/// So often in a row the same token with nothing new may come before the window is given up.
const MOST_REPEATS: u32 = 8;

/// After so many failures in a row nobody waits for a source any more, and it begins its window again.
const LEFT_BEHIND: u32 = 3;

/// After so many, what has an end ends with the failure.
const GIVEN_UP: u32 = 4;

/// The longest time between two tries of a source that does not answer.
const LONGEST_PATIENCE: Millis = 30_000;

/// An event with a time further ahead of us than this is shown when it arrives: its clock is wrong, not only ours.
const AHEAD: Millis = 10_000;

/// What is wanted.
#[derive(Debug, Clone, PartialEq)]
pub struct Plan {
    /// Events from this time on.
    pub since: Millis,
    /// Events before this time.
    pub until: Option<Millis>,
    /// Go on when everything there is has been shown.
    pub follow: bool,
    /// A pattern for the source, in CloudWatch's language.
    pub pattern: Option<String>,
    /// How to ask.
    pub tempo: Tempo,
}

/// What to do next.
#[derive(Debug, PartialEq, Eq)]
pub enum Step {
    /// Ask this source.
    Ask(usize, Ask),
    /// Nothing before this time, unless an answer comes.
    Wait(Millis),
    /// Nothing any more.
    Done,
}

/// What people who wait should know.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Note {
    /// The source's log is not there yet.
    Missing(usize),
    /// Requests are refused, and so there will be fewer.
    Throttled,
    /// The source does not answer, and why.
    Unavailable(usize, String),
    /// It answers again.
    Back(usize),
}

/// The state of all sources together.
#[derive(Debug)]
pub struct Core {
    plan: Plan,
    lanes: Vec<Lane>,
    seen: Seen,
    merge: Merge,
    bucket: Bucket,
    /// A window that is asked for at this time or later is its source's last.
    end: Option<Millis>,
    throttled: bool,
}

/// The state of one source.
#[derive(Debug)]
struct Lane {
    windows: Windows,
    query: Option<Query>,
    asked: bool,
    not_before: Millis,
    failures: u32,
    missing: bool,
    phase: Phase,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd)]
enum Phase {
    /// Its first window is not read yet.
    Behind,
    /// It is looked at again and again.
    CaughtUp,
    /// It is not asked any more.
    Done,
}

/// A window that is being read, page by page.
#[derive(Debug, Clone)]
struct Query {
    from: Millis,
    asked_at: Millis,
    last: bool,
    token: Option<String>,
    repeats: u32,
}

impl Core {
    /// Nothing asked yet.
    pub fn new(plan: Plan, sources: usize, now: Millis) -> Self {
        let end = match plan.until {
            Some(until) if plan.follow => Some(until.max(now) + plan.tempo.drain),
            _ if plan.follow => None,
            _ => Some(now),
        };
        let lane = || Lane {
            windows: Windows::new(plan.since, now),
            query: None,
            asked: false,
            not_before: now,
            failures: 0,
            missing: false,
            phase: Phase::Behind,
        };
        Self {
            lanes: (0..sources).map(|_| lane()).collect(),
            seen: Seen::new(MOST_SEEN),
            merge: Merge::new(sources),
            bucket: Bucket::new(plan.tempo.rate, now),
            end,
            throttled: false,
            plan,
        }
    }

    /// What to do now. An [`Step::Ask`] counts as done; its answer comes back through [`Self::answer`].
    pub fn next(&mut self, now: Millis) -> Step {
        if self.lanes.iter().all(|lane| lane.phase == Phase::Done) {
            return Step::Done;
        }
        let lowest = self.lowest();
        let crowded = self.merge.len() > MOST_WAITING;
        let free = self.lanes.iter().enumerate().filter(|(source, lane)| {
            let ahead = crowded && self.merge.frontier(*source) > lowest;
            lane.phase != Phase::Done && !lane.asked && !ahead
        });
        // A source that has waited its time goes first, and of those the one that is furthest behind.
        let first =
            free.min_by_key(|(source, lane)| (lane.not_before.max(now), self.merge.frontier(*source)));
        let Some((source, lane)) = first else { return Step::Wait(Millis::MAX) };
        let wait = (lane.not_before - now).max(self.bucket.wait(now));
        if wait > 0 {
            return Step::Wait(now + wait);
        }
        self.bucket.take(now);
        Step::Ask(source, self.ask(source, now))
    }

    fn lowest(&self) -> Millis {
        let lanes = self.lanes.iter().enumerate().filter(|(_, lane)| lane.phase != Phase::Done);
        lanes.map(|(source, _)| self.merge.frontier(source)).min().unwrap_or(Millis::MAX)
    }

    fn ask(&mut self, source: usize, now: Millis) -> Ask {
        let (lane, floor) = (&mut self.lanes[source], self.seen.floor());
        lane.asked = true;
        let query = lane.query.get_or_insert_with(|| {
            let last = self.end.is_some_and(|end| now >= end);
            let from = lane.windows.next(&self.plan.tempo, now, floor, last);
            Query { from, asked_at: now, last, token: None, repeats: 0 }
        });
        Ask {
            from: query.from,
            until: self.plan.until,
            pattern: self.plan.pattern.clone(),
            token: query.token.clone(),
            last: query.last,
        }
    }

    /// Takes an answer in. Fails only where going on makes no sense.
    pub fn answer(&mut self, source: usize, reply: Reply, now: Millis) -> Result<Vec<Note>> {
        self.lanes[source].asked = false;
        let Some(query) = self.lanes[source].query.clone() else { return Ok(Vec::new()) };
        match reply {
            Reply::Throttled => {
                self.bucket.refused(now);
                return Ok(if std::mem::replace(&mut self.throttled, true) {
                    Vec::new()
                } else {
                    vec![Note::Throttled]
                });
            }
            Reply::Unavailable(failure) => return self.unavailable(source, &query, failure, now),
            Reply::Missing | Reply::Page { .. } => self.bucket.welcome(),
        }
        self.throttled = false;
        let lane = &mut self.lanes[source];
        let was_away = std::mem::take(&mut lane.failures) >= LEFT_BEHIND;
        let mut notes = if was_away { vec![Note::Back(source)] } else { Vec::new() };
        if let Reply::Page { events, next, settled } = reply {
            lane.missing = false;
            let new = self.take_in(source, events, now);
            self.page_end(source, query, next, settled, new, now);
        } else {
            if !std::mem::replace(&mut lane.missing, true) {
                notes.push(Note::Missing(source));
            }
            // Its window stays open: when it appears, it is asked from the beginning.
            self.window_end(source, &query, now + self.plan.tempo.patience);
        }
        Ok(notes)
    }

    /// Takes in what is new and wanted; how many that were.
    fn take_in(&mut self, source: usize, events: Vec<Event>, now: Millis) -> usize {
        let mut new = 0;
        for event in events {
            let wanted =
                event.time >= self.plan.since && self.plan.until.is_none_or(|until| event.time < until);
            if !wanted || !self.seen.is_new(source, &event.event_id, event.time) {
                continue;
            }
            new += 1;
            let ahead = self.plan.follow && event.time > now + AHEAD;
            self.merge.push(source, if ahead { now } else { event.time }, event);
        }
        new
    }

    fn page_end(
        &mut self,
        source: usize,
        mut query: Query,
        next: Option<String>,
        settled: Option<Millis>,
        new: usize,
        now: Millis,
    ) {
        let tempo = self.plan.tempo;
        let Some(token) = next else {
            self.lanes[source].windows.done(query.asked_at);
            return self.window_end(source, &query, (query.asked_at + tempo.pace).max(now));
        };
        let repeated = new == 0 && query.token.as_ref() == Some(&token);
        query.repeats = if repeated { query.repeats + 1 } else { 0 };
        if query.repeats >= MOST_REPEATS {
            // Some services end like this. Where it is no end, the same window is asked for again.
            self.lanes[source].windows.give_up(query.from, query.asked_at);
            return self.window_end(source, &query, now + tempo.patience);
        }
        if let Some(settled) = settled {
            self.merge.advance(source, settled.min(query.asked_at - tempo.settle));
        }
        query.token = Some(token);
        self.lanes[source].query = Some(query);
    }

    fn window_end(&mut self, source: usize, query: &Query, again: Millis) {
        let lane = &mut self.lanes[source];
        lane.query = None;
        lane.phase = if query.last { Phase::Done } else { Phase::CaughtUp };
        // Its last look comes when it is time, not when it would have come anyhow.
        lane.not_before = self.end.map_or(again, |end| again.min(end.max(query.asked_at)));
        let frontier = if query.last { Millis::MAX } else { query.asked_at - self.plan.tempo.settle };
        self.merge.advance(source, frontier);
        if self.caught_up() {
            self.seen.forget_before(query.asked_at - 2 * self.plan.tempo.reach() - 60_000);
        }
    }

    fn unavailable(
        &mut self,
        source: usize,
        query: &Query,
        failure: Failure,
        now: Millis,
    ) -> Result<Vec<Note>> {
        let lane = &mut self.lanes[source];
        lane.failures += 1;
        if query.last && lane.failures >= GIVEN_UP {
            return Err(failure);
        }
        let patience = self.plan.tempo.pace << lane.failures.min(9);
        lane.not_before = now + patience.min(LONGEST_PATIENCE);
        if lane.failures != LEFT_BEHIND {
            return Ok(Vec::new());
        }
        // A token that is old by now may be the very reason.
        lane.windows.give_up(query.from, query.asked_at);
        lane.query = None;
        // Whoever follows wants to see the others meanwhile; whoever only looks wants everything in order.
        if self.plan.follow {
            self.merge.leave_behind(source);
        }
        Ok(vec![Note::Unavailable(source, failure.to_string())])
    }

    /// Nothing new will be written any more: what may still arrive is waited for, and then it is done.
    pub fn finish(&mut self, now: Millis) {
        let end = now + self.plan.tempo.drain;
        let end = self.end.map_or(end, |earlier| earlier.min(end));
        self.end = Some(end);
        for lane in &mut self.lanes {
            lane.not_before = lane.not_before.min(end.max(now));
        }
    }

    /// Whether everything that was there in the beginning has been taken in.
    pub fn caught_up(&self) -> bool {
        self.lanes.iter().all(|lane| lane.phase > Phase::Behind || lane.failures >= LEFT_BEHIND)
    }

    /// The events whose turn has come.
    pub fn ready(&mut self) -> Vec<Shown> {
        self.merge.ready()
    }

    /// All that wait, because nobody asks any more.
    pub fn rest(&mut self) -> Vec<Shown> {
        self.merge.rest()
    }

    /// How many events are held in memory: those that wait, and those that are only remembered.
    pub fn held(&self) -> (usize, usize) {
        (self.merge.len(), self.seen.len())
    }
}
