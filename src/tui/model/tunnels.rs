//! The state of the Tunnels screen.

use std::collections::VecDeque;

use super::{Cursor, Remote};
use crate::tui::domain::{LocalForwarding, Millis, ServiceStatus, Snapshot};

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
    /// The process that serves it, if it was opened by `tunnel start`.
    pub process: Option<TunnelProcess>,
}

/// A process that serves a tunnel in the background.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TunnelProcess {
    pub pid: u32,
    /// As RFC 3339; distinguishes it from an earlier process with the same id.
    pub started_at: String,
}

#[derive(Debug, Clone, Default)]
pub struct Tunnels {
    /// The tunnels opened from these screens, the oldest first, then those in the background.
    pub all: Vec<Tunnel>,
    pub cursor: Cursor,
    /// The last answer of the tunnels in the background.
    pub background: Remote<Vec<ServiceStatus>>,
}

impl Tunnel {
    pub fn is_open(&self) -> bool {
        !matches!(self.state, TunnelState::Closed(_))
    }

    fn receive_status(&mut self, status: &ServiceStatus, at: Millis) {
        let join = |texts: Vec<String>| texts.join(" ");
        let targets = status.forwardings.iter().map(|one| format!("{}:{}", one.host, one.port)).collect();
        let locals = status.forwardings.iter().map(|one| one.local.to_string()).collect();
        (self.forwarding, self.local) = (format!(":{}", join(targets)), Some(join(locals)));
        self.bastion.clone_from(&status.bastion);
        self.usage = status.forwardings.first().map(LocalForwarding::usage);
        self.state = if status.connected { TunnelState::Open } else { TunnelState::Disconnected };
        self.status = Some(format!(
            "in the background, goes on when covidctl exits; process {}, since {}",
            status.pid, status.started_at
        ));
        self.update_counters(at, status.counters());
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
    /// Shows the tunnels that run in the background, and no others of them. The selection stays on its tunnel.
    pub fn show_background(&mut self, at: Millis) {
        let selected = self.selected().map(|tunnel| (tunnel.id, tunnel.process.clone()));
        let mut before: Vec<Tunnel> = self.all.extract_if(.., |tunnel| tunnel.process.is_some()).collect();
        for status in self.background.items() {
            let process = TunnelProcess { pid: status.pid, started_at: status.started_at.clone() };
            let known = before.iter().position(|tunnel| tunnel.process.as_ref() == Some(&process));
            let mut tunnel = known.map(|known| before.swap_remove(known)).unwrap_or_default();
            tunnel.receive_status(status, at);
            tunnel.process = Some(process);
            self.all.push(tunnel);
        }
        let position = selected.and_then(|(id, process)| {
            self.all.iter().position(|tunnel| tunnel.id == id && tunnel.process == process)
        });
        self.cursor.at = position.unwrap_or(self.cursor.at).min(self.all.len().saturating_sub(1));
    }

    pub fn selected(&self) -> Option<&Tunnel> {
        self.all.get(self.cursor.at)
    }

    pub fn open_count(&self) -> usize {
        self.all.iter().filter(|tunnel| tunnel.is_open()).count()
    }
}
