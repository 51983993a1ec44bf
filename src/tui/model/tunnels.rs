//! What the Tunnels screen knows.

use std::collections::VecDeque;
use std::time::Duration;

use super::list::Cursor;
use logs::Millis;
use tunnel::Snapshot;

/// So many rates are remembered: five minutes.
pub const HISTORY: usize = 300;

/// How it stands with a tunnel.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum State {
    /// It is being opened.
    Opening,
    /// It serves.
    Up,
    /// The bastion is away; the local port stays.
    Away,
    /// It is closed, and why.
    Closed(Option<String>),
}

/// A tunnel.
#[derive(Debug, Clone)]
pub struct Tunnel {
    /// Its number.
    pub id: u64,
    /// What leads where, as it was typed.
    pub forwarding: String,
    /// Through whom.
    pub bastion: String,
    /// How it stands.
    pub state: State,
    /// The local address, once it is known.
    pub local: Option<String>,
    /// How to go through it: a command, or an address for the browser.
    pub usage: Option<String>,
    /// The last thing it said.
    pub said: Option<String>,
    /// Its numbers, and when they were read.
    pub counted: Option<(Millis, Snapshot)>,
    /// Bytes a second, both ways together, the newest last.
    pub rates: VecDeque<u64>,
}

/// The screen.
#[derive(Debug, Clone, Default)]
pub struct Tunnels {
    /// All that were opened here, the oldest first.
    pub all: Vec<Tunnel>,
    /// Where one is.
    pub cursor: Cursor,
}

impl Tunnel {
    /// One that is being opened.
    pub fn new(id: u64, forwarding: String, bastion: String) -> Self {
        Self {
            id,
            forwarding,
            bastion,
            state: State::Opening,
            local: None,
            usage: None,
            said: None,
            counted: None,
            rates: VecDeque::new(),
        }
    }

    /// Whether it holds a port.
    pub fn is_open(&self) -> bool {
        !matches!(self.state, State::Closed(_))
    }

    /// Takes its numbers in.
    pub fn count(&mut self, at: Millis, snapshot: Snapshot) {
        if let Some((before_at, before)) = self.counted {
            let bytes = (snapshot.up + snapshot.down).saturating_sub(before.up + before.down);
            let elapsed = u64::try_from(at - before_at).unwrap_or(0).max(1);
            self.rates.push_back(bytes.saturating_mul(1000) / elapsed);
            if self.rates.len() > HISTORY {
                self.rates.pop_front();
            }
        }
        self.counted = Some((at, snapshot));
    }

    /// The last measured round trip.
    pub fn round_trip(&self) -> Duration {
        self.counted.map(|(_, snapshot)| snapshot.round_trip).unwrap_or_default()
    }
}

impl Tunnels {
    /// The selected one.
    pub fn selected(&self) -> Option<&Tunnel> {
        self.all.get(self.cursor.at)
    }

    /// How many hold a port.
    pub fn open(&self) -> usize {
        self.all.iter().filter(|tunnel| tunnel.is_open()).count()
    }
}
