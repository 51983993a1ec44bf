//! Something that is asked for and may not come: one type for all of it, drawn one way everywhere.
//!
//! The last good answer stays while a new one is on its way, and when it fails to come.

use chrono::{DateTime, TimeDelta, Utc};

use crate::tui::effect::Ticket;
use crate::tui::msg::{Answer, Trouble};

/// A question that is not answered for so long may be asked again.
const PATIENCE: TimeDelta = TimeDelta::seconds(30);

/// How it stands with the newest question.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum Fetch {
    /// Answered, or never asked.
    #[default]
    Idle,
    /// Asked.
    Loading {
        /// When.
        since: DateTime<Utc>,
    },
    /// Not answered.
    Failed,
}

/// A value from outside.
#[derive(Debug, Clone)]
pub struct Remote<T> {
    /// The last good answer.
    pub last: Option<T>,
    /// When it came.
    pub at: Option<DateTime<Utc>>,
    /// The newest question.
    pub fetch: Fetch,
    /// Why the last question that is decided was not answered; it stays while the next one is on its way.
    trouble: Option<Trouble>,
    ticket: Ticket,
    asked_at: Option<DateTime<Utc>>,
}

impl<T> Default for Remote<T> {
    fn default() -> Self {
        Self { last: None, at: None, fetch: Fetch::Idle, trouble: None, ticket: Ticket(0), asked_at: None }
    }
}

impl<T> Remote<T> {
    /// Notes a question; only an answer with this ticket will be taken.
    pub fn ask(&mut self, ticket: Ticket, now: DateTime<Utc>) {
        self.ticket = ticket;
        self.asked_at = Some(now);
        self.fetch = Fetch::Loading { since: now };
    }

    /// Takes an answer in; says whether it was the one that is waited for.
    pub fn answer(&mut self, ticket: Ticket, result: Answer<T>, now: DateTime<Utc>) -> bool {
        if ticket != self.ticket || !matches!(self.fetch, Fetch::Loading { .. }) {
            return false;
        }
        match result {
            Ok(value) => {
                self.last = Some(value);
                self.at = Some(now);
                (self.fetch, self.trouble) = (Fetch::Idle, None);
            }
            Err(trouble) => (self.fetch, self.trouble) = (Fetch::Failed, Some(trouble)),
        }
        true
    }

    /// Whether it is time to ask again.
    pub fn due(&self, now: DateTime<Utc>, pace: TimeDelta) -> bool {
        let Some(asked_at) = self.asked_at else { return true };
        let wait = if matches!(self.fetch, Fetch::Loading { .. }) { PATIENCE.max(pace) } else { pace };
        now - asked_at >= wait
    }

    /// Why there is no newer answer, where that is known.
    pub fn trouble(&self) -> Option<&Trouble> {
        self.trouble.as_ref()
    }

    /// Whether the value is older than it should be: a newer one failed to come, or takes its time.
    pub fn is_stale(&self, now: DateTime<Utc>) -> bool {
        match self.fetch {
            Fetch::Idle => false,
            Fetch::Loading { since } => now - since > TimeDelta::seconds(3),
            Fetch::Failed => true,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(second: i64) -> DateTime<Utc> {
        DateTime::from_timestamp(second, 0).unwrap()
    }

    #[test]
    fn a_stale_answer_is_dropped_and_the_last_good_one_stays() {
        let mut remote = Remote::default();
        remote.ask(Ticket(1), at(0));
        remote.ask(Ticket(2), at(1));
        assert!(!remote.answer(Ticket(1), Ok("old"), at(2)));
        assert!(remote.answer(Ticket(2), Ok("new"), at(3)));
        remote.ask(Ticket(3), at(10));
        assert!(!remote.is_stale(at(12)) && remote.is_stale(at(14)), "it takes its time");
        let trouble = Trouble { message: "gone".into(), hint: None };
        assert!(remote.answer(Ticket(3), Err(trouble), at(15)));
        assert_eq!((remote.last, remote.at), (Some("new"), Some(at(3))));
        assert!(!remote.answer(Ticket(3), Ok("twice"), at(16)));
        remote.ask(Ticket(4), at(20));
        assert!(remote.trouble().is_some(), "it flickers");
        assert!(remote.answer(Ticket(4), Ok("newer"), at(21)) && remote.trouble().is_none());
    }

    #[test]
    fn it_is_asked_again_at_its_pace_and_not_while_an_answer_may_come() {
        let pace = TimeDelta::seconds(5);
        let mut remote = Remote::<u8>::default();
        assert!(remote.due(at(0), pace));
        remote.ask(Ticket(1), at(0));
        assert!(!remote.due(at(29), pace) && remote.due(at(30), pace));
        remote.answer(Ticket(1), Ok(1), at(4));
        assert!(!remote.due(at(4), pace) && remote.due(at(5), pace));
    }
}
