//! Merges the events of several sources in time order, behind a watermark.
//!
//! The watermark of a source is the time up to which it has returned everything. Events before the lowest watermark are due; the
//! others are buffered. An event that is older than one already returned is due at once and marked late, so that none is lost.

use std::collections::BTreeMap;

use crate::{Event, MergedEvent, Millis};

#[derive(Debug)]
pub(crate) struct Merge {
    /// By time, source and arrival: events of the same time keep the order in which their source returned them.
    buffer: BTreeMap<(Millis, usize, u64), Event>,
    watermarks: Vec<Watermark>,
    arrived: u64,
    newest: Millis,
    /// Bytes of the buffered messages.
    bytes: usize,
}

#[derive(Debug, Clone, Copy)]
struct Watermark {
    time: Millis,
    /// False if the source is unavailable and holds back no events.
    counts: bool,
}

impl Merge {
    pub(crate) fn new(sources: usize) -> Self {
        let watermark = Watermark { time: Millis::MIN, counts: true };
        Self {
            buffer: BTreeMap::new(),
            watermarks: vec![watermark; sources],
            arrived: 0,
            newest: Millis::MIN,
            bytes: 0,
        }
    }

    /// Buffers an event. `time` is its position in the order, usually the event's own time.
    pub(crate) fn push(&mut self, source: usize, time: Millis, event: Event) {
        self.arrived += 1;
        self.bytes += event.message.len();
        self.buffer.insert((time, source, self.arrived), event);
    }

    /// Raises the watermark of a source.
    pub(crate) fn advance(&mut self, source: usize, time: Millis) {
        let watermark = &mut self.watermarks[source];
        watermark.time = watermark.time.max(time);
        watermark.counts = true;
    }

    /// Lets the events of the other sources pass until this source advances again.
    pub(crate) fn stop_waiting_for(&mut self, source: usize) {
        self.watermarks[source].counts = false;
    }

    pub(crate) fn watermark(&self, source: usize) -> Millis {
        self.watermarks[source].time
    }

    pub(crate) fn len(&self) -> usize {
        self.buffer.len()
    }

    /// Returns the size of the buffered messages in bytes.
    pub(crate) fn bytes(&self) -> usize {
        self.bytes
    }

    /// Removes and returns the events before the lowest watermark.
    pub(crate) fn due(&mut self) -> Vec<MergedEvent> {
        let counted = self.watermarks.iter().filter(|watermark| watermark.counts);
        let lowest = counted.map(|watermark| watermark.time).min();
        self.before(lowest.unwrap_or(Millis::MAX))
    }

    /// Removes and returns all buffered events.
    pub(crate) fn drain(&mut self) -> Vec<MergedEvent> {
        self.before(Millis::MAX)
    }

    fn before(&mut self, limit: Millis) -> Vec<MergedEvent> {
        let mut due = Vec::new();
        while let Some(next) = self.buffer.first_entry() {
            if next.key().0 >= limit && limit != Millis::MAX {
                break;
            }
            let ((time, source, _), event) = next.remove_entry();
            self.bytes -= event.message.len();
            let late = (time < self.newest).then(|| self.newest - time);
            self.newest = self.newest.max(time);
            due.push(MergedEvent { source, event, late });
        }
        due
    }
}

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

    fn names(merged: &[MergedEvent]) -> Vec<(&str, Option<Millis>)> {
        merged.iter().map(|merged| (merged.event.event_id.as_str(), merged.late)).collect()
    }

    #[test]
    fn due_waits_for_slowest_source_unless_it_is_unavailable() {
        let mut merge = Merge::new(2);
        merge.push(0, 5, event(5, "a"));
        merge.advance(0, 100);
        assert_eq!(merge.due(), []);
        merge.push(1, 3, event(3, "b"));
        merge.advance(1, 6);
        assert_eq!(names(&merge.due()), [("b", None), ("a", None)]);
        merge.push(0, 50, event(50, "c"));
        assert_eq!(merge.due(), []);
        merge.stop_waiting_for(1);
        assert_eq!(names(&merge.due()), [("c", None)]);
        merge.push(1, 13, event(13, "d"));
        assert_eq!(names(&merge.due()), [("d", Some(37))]);
    }

    #[test]
    fn drain_keeps_order_of_events_with_same_time() {
        let mut merge = Merge::new(1);
        for name in ["z", "a", "m"] {
            merge.push(0, 7, event(7, name));
        }
        assert_eq!(names(&merge.drain()), [("z", None), ("a", None), ("m", None)]);
        assert_eq!(merge.bytes(), 0);
    }

    proptest! {
        #[test]
        fn due_returns_every_event_once_and_in_order_unless_marked_late(
            steps in prop::collection::vec((0_usize..3, 0_i64..1000, any::<bool>()), 0..200),
        ) {
            let mut merge = Merge::new(3);
            let mut merged = Vec::new();
            for (number, (source, time, is_event)) in steps.iter().enumerate() {
                if *is_event {
                    merge.push(*source, *time, event(*time, &number.to_string()));
                } else {
                    merge.advance(*source, *time);
                }
                merged.extend(merge.due());
            }
            merged.extend(merge.drain());
            prop_assert_eq!(merged.len(), steps.iter().filter(|step| step.2).count());
            let mut newest = Millis::MIN;
            for one in &merged {
                prop_assert_eq!(one.late.is_some(), one.event.time < newest);
                newest = newest.max(one.event.time);
            }
        }
    }
}
