//! The state of the Database screen.

use std::collections::VecDeque;

use chrono::{DateTime, Utc};

use super::{Cursor, Remote};
use crate::tui::domain::{Activity, DatabaseSession};

/// Samples that are kept of a metric.
const MAX_SAMPLES: usize = 120;

#[derive(Debug, Clone, Default)]
pub struct DatabaseView {
    pub activity: Remote<Activity>,
    pub cursor: Cursor,
    /// Connections, of the limit in per cent.
    pub connections: VecDeque<f64>,
    /// Transactions per second.
    pub transactions: VecDeque<f64>,
    /// Blocks that were found in memory, in per cent.
    pub cache_hits: VecDeque<f64>,
    last: Option<(DateTime<Utc>, i64)>,
}

/// A session with its depth in the tree of those that block each other.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SessionRow<'a> {
    pub session: &'a DatabaseSession,
    pub depth: usize,
    /// Whether another session waits for it.
    pub blocks: bool,
}

impl DatabaseView {
    /// The sessions: below each the ones that wait for it. One that waits for several is below the first.
    pub fn sessions(&self) -> Vec<SessionRow<'_>> {
        let sessions = self.activity.value.as_ref().map_or(&[][..], |activity| &activity.sessions);
        let parent = |session: &DatabaseSession| {
            session.blocked_by.iter().find(|pid| sessions.iter().any(|other| other.pid == **pid)).copied()
        };
        let blocks = |pid| sessions.iter().any(|other| other.blocked_by.contains(&pid));
        let mut rows: Vec<SessionRow<'_>> = Vec::with_capacity(sessions.len());
        let mut pending: Vec<(&DatabaseSession, usize)> =
            sessions.iter().rev().filter(|session| parent(session).is_none()).map(|root| (root, 0)).collect();
        // Blockers come first: what waits for them follows them.
        pending.sort_by_key(|(session, _)| blocks(session.pid));
        while let Some((session, depth)) = pending.pop() {
            rows.push(SessionRow { session, depth, blocks: blocks(session.pid) });
            let waiting = sessions.iter().rev().filter(|other| parent(other) == Some(session.pid));
            pending.extend(waiting.map(|waiting| (waiting, depth + 1)));
        }
        // Sessions in a deadlock wait for each other, and have no root.
        let missing: Vec<_> =
            sessions.iter().filter(|session| rows.iter().all(|row| row.session.pid != session.pid)).collect();
        rows.extend(missing.into_iter().map(|session| SessionRow { session, depth: 0, blocks: true }));
        rows
    }

    pub fn selected(&self) -> Option<&DatabaseSession> {
        self.sessions().get(self.cursor.at).map(|row| row.session)
    }

    /// Adds the metrics of the newest response.
    pub fn sample(&mut self, now: DateTime<Utc>) {
        let Some(activity) = &self.activity.value else { return };
        let limit = activity.max_connections.max(1);
        push(&mut self.connections, ratio(activity.connections * 100, limit));
        push(&mut self.cache_hits, ratio(activity.cache_hits, 10));
        if let Some((at, transactions)) = self.last {
            let milliseconds = (now - at).num_milliseconds().max(1);
            let rate =
                ratio((activity.transactions - transactions).max(0).saturating_mul(1000), milliseconds);
            push(&mut self.transactions, rate);
        }
        self.last = Some((now, activity.transactions));
    }
}

fn push(samples: &mut VecDeque<f64>, value: f64) {
    samples.push_back(value);
    if samples.len() > MAX_SAMPLES {
        samples.pop_front();
    }
}

#[expect(clippy::cast_precision_loss, reason = "counts are far below 2^52, and the ratio is rounded")]
fn ratio(of: i64, to: i64) -> f64 {
    of as f64 / to as f64
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tui::model::RequestId;

    fn view(blocked: &[(i32, &[i32])]) -> DatabaseView {
        let session = |(pid, blocked_by): &(i32, &[i32])| DatabaseSession {
            pid: *pid,
            blocked_by: blocked_by.to_vec(),
            ..DatabaseSession::default()
        };
        let activity = Activity { sessions: blocked.iter().map(session).collect(), ..Activity::default() };
        let mut view = DatabaseView::default();
        let now = DateTime::<Utc>::UNIX_EPOCH;
        view.activity.start(RequestId(1), now);
        view.activity.receive(RequestId(1), Ok(activity), now);
        view
    }

    fn tree(blocked: &[(i32, &[i32])]) -> Vec<(i32, usize)> {
        view(blocked).sessions().iter().map(|row| (row.session.pid, row.depth)).collect()
    }

    #[test]
    fn waiting_sessions_are_below_their_blocker() {
        assert_eq!(tree(&[(1, &[2]), (2, &[4]), (3, &[]), (4, &[])]), [(4, 0), (2, 1), (1, 2), (3, 0)]);
        assert_eq!(tree(&[(1, &[2, 3]), (2, &[]), (3, &[])]), [(2, 0), (1, 1), (3, 0)]);
        assert_eq!(tree(&[(1, &[99])]), [(1, 0)], "the blocker is no client");
        assert_eq!(tree(&[(1, &[2]), (2, &[1])]), [(1, 0), (2, 0)], "a deadlock");
    }
}
