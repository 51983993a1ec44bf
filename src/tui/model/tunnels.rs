//! The state of the Tunnels screen.

use std::collections::VecDeque;

use super::Cursor;
use crate::tui::domain::{Millis, Snapshot};

/// How many rates are kept: one a second for five minutes.
const RATE_HISTORY: usize = 300;

#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum TunnelState {
    #[default]
    Opening,
    Open,
    /// The bastion is unreachable; the local port stays open.
    Disconnected,
    /// Closed; with an error unless it was closed on request.
    Closed(Option<String>),
}

#[derive(Debug, Clone, Default)]
pub struct Tunnel {
    pub id: u64,
    /// As it was typed.
    pub forwarding: String,
    pub bastion: String,
    pub state: TunnelState,
    /// The local address, once it is bound.
    pub local: Option<String>,
    /// A command or a URL that uses the tunnel.
    pub usage: Option<String>,
    pub status: Option<String>,
    /// The last counters, and when they were read.
    pub counters: Option<(Millis, Snapshot)>,
    /// Bytes per second in both directions together, the newest last.
    pub rates: VecDeque<u64>,
}

#[derive(Debug, Clone, Default)]
pub struct Tunnels {
    /// All tunnels opened from these screens, the oldest first.
    pub all: Vec<Tunnel>,
    pub cursor: Cursor,
}

impl Tunnel {
    pub fn is_open(&self) -> bool {
        !matches!(self.state, TunnelState::Closed(_))
    }

    pub fn update_counters(&mut self, at: Millis, snapshot: Snapshot) {
        if let Some((before_at, before)) = self.counters {
            let bytes = (snapshot.up + snapshot.down).saturating_sub(before.up + before.down);
            let elapsed = u64::try_from(at - before_at).unwrap_or(0).max(1);
            self.rates.push_back(bytes.saturating_mul(1000) / elapsed);
            if self.rates.len() > RATE_HISTORY {
                self.rates.pop_front();
            }
        }
        self.counters = Some((at, snapshot));
    }
}

impl Tunnels {
    pub fn selected(&self) -> Option<&Tunnel> {
        self.all.get(self.cursor.at)
    }

    pub fn open_count(&self) -> usize {
        self.all.iter().filter(|tunnel| tunnel.is_open()).count()
    }
}
