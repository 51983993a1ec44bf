//! Brings the events of several sources into time order, behind a watermark.
//!
//! Each source has a frontier: the time up to which it has given everything that it knew. Events before the lowest frontier
//! are shown, in order; those behind wait. An event that comes after a newer one was shown is shown at once and marked, so that
//! none is lost and whoever reads can trust the order of the others.

use std::cmp::{Ordering, Reverse};
use std::collections::BinaryHeap;

use super::event::{Event, Millis, Shown};

/// The events that wait, and how far the sources are.
#[derive(Debug)]
pub struct Merge {
    waiting: BinaryHeap<Reverse<Waiting>>,
    frontiers: Vec<Frontier>,
    arrived: u64,
    newest: Millis,
}

#[derive(Debug, Clone, Copy)]
struct Frontier {
    time: Millis,
    /// A source that does not answer holds nobody up.
    counts: bool,
}

#[derive(Debug)]
struct Waiting {
    /// Time, source, arrival: events of the same time keep the order in which their source gave them.
    order: (Millis, usize, u64),
    event: Event,
}

impl Merge {
    /// For this many sources.
    pub fn new(sources: usize) -> Self {
        let frontier = Frontier { time: Millis::MIN, counts: true };
        Self {
            waiting: BinaryHeap::new(),
            frontiers: vec![frontier; sources],
            arrived: 0,
            newest: Millis::MIN,
        }
    }

    /// Takes an event in. `time` is its place in the order, usually the event's own time.
    pub fn push(&mut self, source: usize, time: Millis, event: Event) {
        self.arrived += 1;
        self.waiting.push(Reverse(Waiting { order: (time, source, self.arrived), event }));
    }

    /// The source has given everything before `time`. It never goes back.
    pub fn advance(&mut self, source: usize, time: Millis) {
        let frontier = &mut self.frontiers[source];
        frontier.time = frontier.time.max(time);
        frontier.counts = true;
    }

    /// The source does not answer.
    pub fn leave_behind(&mut self, source: usize) {
        self.frontiers[source].counts = false;
    }

    /// How far a source is.
    pub fn frontier(&self, source: usize) -> Millis {
        self.frontiers[source].time
    }

    /// How many events wait.
    pub fn len(&self) -> usize {
        self.waiting.len()
    }

    /// Whether none waits.
    pub fn is_empty(&self) -> bool {
        self.waiting.is_empty()
    }

    /// The events whose turn has come.
    pub fn ready(&mut self) -> Vec<Shown> {
        let counted = self.frontiers.iter().filter(|frontier| frontier.counts);
        let lowest = counted.map(|frontier| frontier.time).min();
        // Where nobody answers there is nobody to wait for.
        self.before(lowest.unwrap_or(Millis::MAX))
    }

    /// All that wait, because nothing else will come.
    pub fn rest(&mut self) -> Vec<Shown> {
        self.before(Millis::MAX)
    }

    fn before(&mut self, watermark: Millis) -> Vec<Shown> {
        let mut shown = Vec::new();
        while let Some(Reverse(next)) = self.waiting.peek() {
            if next.order.0 >= watermark && watermark != Millis::MAX {
                break;
            }
            let Some(Reverse(Waiting { order: (time, source, _), event })) = self.waiting.pop() else {
                break;
            };
            let late = (time < self.newest).then(|| self.newest - time);
            self.newest = self.newest.max(time);
            shown.push(Shown { source, event, late });
        }
        shown
    }
}

impl Ord for Waiting {
    fn cmp(&self, other: &Self) -> Ordering {
        self.order.cmp(&other.order)
    }
}

impl PartialOrd for Waiting {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl PartialEq for Waiting {
    fn eq(&self, other: &Self) -> bool {
        self.order == other.order
    }
}

impl Eq for Waiting {}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn event(time: Millis, name: &str) -> Event {
        Event {
            time,
            ingested: time,
            group: String::new(),
            stream: String::new(),
            event_id: name.to_owned(),
            message: String::new(),
        }
    }

    fn names(shown: &[Shown]) -> Vec<(&str, Option<Millis>)> {
        shown.iter().map(|shown| (shown.event.event_id.as_str(), shown.late)).collect()
    }

    #[test]
    fn the_slowest_source_holds_the_others_back_unless_it_is_gone() {
        let mut merge = Merge::new(2);
        merge.push(0, 5, event(5, "a"));
        merge.advance(0, 100);
        assert_eq!(merge.ready(), []);
        merge.push(1, 3, event(3, "b"));
        merge.advance(1, 6);
        assert_eq!(names(&merge.ready()), [("b", None), ("a", None)]);
        merge.push(0, 50, event(50, "c"));
        assert_eq!(merge.ready(), []);
        merge.leave_behind(1);
        assert_eq!(names(&merge.ready()), [("c", None)]);
        merge.push(1, 13, event(13, "d"));
        assert_eq!(names(&merge.ready()), [("d", Some(37))]);
    }

    #[test]
    fn events_of_the_same_time_keep_their_order() {
        let mut merge = Merge::new(1);
        for name in ["z", "a", "m"] {
            merge.push(0, 7, event(7, name));
        }
        assert_eq!(names(&merge.rest()), [("z", None), ("a", None), ("m", None)]);
    }

    proptest! {
        #[test]
        fn all_come_out_once_and_in_order_but_for_those_marked(
            steps in prop::collection::vec((0_usize..3, 0_i64..1000, any::<bool>()), 0..200),
        ) {
            let mut merge = Merge::new(3);
            let mut shown = Vec::new();
            for (number, (source, time, is_event)) in steps.iter().enumerate() {
                if *is_event {
                    merge.push(*source, *time, event(*time, &number.to_string()));
                } else {
                    merge.advance(*source, *time);
                }
                shown.extend(merge.ready());
            }
            shown.extend(merge.rest());
            prop_assert_eq!(shown.len(), steps.iter().filter(|step| step.2).count());
            let mut newest = Millis::MIN;
            for one in &shown {
                prop_assert_eq!(one.late.is_some(), one.event.time < newest);
                newest = newest.max(one.event.time);
            }
        }
    }
}
