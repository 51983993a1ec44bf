//! Which failed attempts to connect are reported: one line at the beginning of an outage and one at its end, and one a minute while the
//! bastion serves connections but drops further handshakes (`MaxStartups`).

use std::time::Duration;

use tokio::time::Instant;

use crate::event::Event;

const REPORT_INTERVAL: Duration = Duration::from_mins(1);

#[derive(Debug, Default)]
pub(crate) struct OutageReports {
    /// Whether an outage has been reported that is not over.
    is_lost: bool,
    /// When congestion was reported.
    congested: Option<Instant>,
}

impl OutageReports {
    /// Returns the event to report. `is_serving` tells whether sessions are open.
    pub(crate) fn on_failure(&mut self, is_serving: bool, why: String, now: Instant) -> Option<Event> {
        if self.is_lost {
            return None;
        }
        if !is_serving {
            self.is_lost = true;
            return Some(Event::Lost { why });
        }
        if self.congested.is_some_and(|reported| now < reported + REPORT_INTERVAL) {
            return None;
        }
        self.congested = Some(now);
        Some(Event::Congested { why })
    }

    /// Records a success. Returns whether it ends an outage that was reported.
    pub(crate) fn is_over(&mut self) -> bool {
        std::mem::take(&mut self.is_lost)
    }
}

#[cfg(all(test, not(shuttle)))]
mod tests {
    use super::*;

    #[test]
    fn twenty_dropped_handshakes_are_one_line_and_an_outage_is_two() {
        let (mut reports, now) = (OutageReports::default(), Instant::now());
        let mut report = |serving, seconds| {
            let event = reports.on_failure(serving, String::new(), now + Duration::from_secs(seconds));
            event.map(|event| matches!(event, Event::Lost { .. }))
        };
        assert_eq!(report(true, 0), Some(false));
        assert!((1..20).all(|second| report(true, second).is_none()));
        assert_eq!(report(true, 60), Some(false));
        assert_eq!(report(false, 61), Some(true));
        assert_eq!((report(false, 62), report(true, 63)), (None, None));
        assert!(reports.is_over() && !reports.is_over());
    }
}
