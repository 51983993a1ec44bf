//! The tunnels opened from these screens and those in the background, and the throughput of the selected one.

use ratatui::layout::Rect;
use ratatui::text::Span;

use super::chart;
use super::pane::Pane;
use super::table::{Cell, column, fixed, list, number};
use crate::tui::model::Model;
use crate::tui::model::tunnels::{Tunnel, TunnelState};
use crate::tui::text::{sanitize, truncate};
use crate::tui::theme::Theme;
use common::text::size;

/// Rows of the details of the selected tunnel.
const DETAIL_ROWS: usize = 9;

pub(super) fn draw(model: &Model, pane: &mut Pane) {
    let tunnels = &model.tunnels;
    let has_background = tunnels.all.iter().any(|tunnel| tunnel.process.is_some());
    pane.title(
        "TUNNELS",
        if has_background {
            "those of the screens are closed when covidctl exits"
        } else {
            "closed when covidctl exits"
        },
    );
    if tunnels.all.is_empty() {
        let example = if model.location.capabilities.bastion {
            "none is open; press o and type master, replica or metabase"
        } else {
            "none is open; press o and type 5432:db.example:5432 ec2-user@bastion.example"
        };
        return pane.dim(2, example);
    }
    let theme = pane.theme;
    let height = pane.height().saturating_sub(1 + DETAIL_ROWS).max(3).min(pane.height() - 1);
    let row = |tunnel: &Tunnel| row(tunnel, has_background, theme);
    list(&mut pane.rows(1, height), (tunnels.cursor, model.has_focus()), &tunnels.all, row);
    if let Some(tunnel) = tunnels.selected() {
        details(tunnel, &mut pane.below(1 + height));
    }
}

fn row(tunnel: &Tunnel, has_background: bool, theme: Theme) -> Vec<Cell> {
    let (symbol, state, style) = match tunnel.state {
        TunnelState::Opening => ("●", "opening", theme.warning()),
        TunnelState::Open => ("✓", "open", theme.success()),
        TunnelState::Disconnected => ("✗", "disconnected", theme.error()),
        TunnelState::Closed(None) => ("■", "closed", theme.dim()),
        TunnelState::Closed(Some(_)) => ("✗", "failed", theme.error()),
    };
    let counters = tunnel.counters.map(|(_, snapshot)| snapshot).unwrap_or_default();
    let target = tunnel.forwarding.split_once(':').map_or(tunnel.forwarding.as_str(), |(_, target)| target);
    let round_trip = format!("{:.1} ms", counters.round_trip.as_secs_f64() * 1000.0);
    let opened_by = if tunnel.process.is_some() { "tunnel start" } else { "screens" };
    let mut cells = vec![
        column("", 1, 0).cell(symbol, style),
        fixed("STATE", 0).cell(state, style),
        column("LOCAL", 15, 0).cell(tunnel.local.as_deref().unwrap_or("-"), theme.text()),
        column("TARGET", 14, 0).cell(sanitize(target), theme.text()),
        column("BASTION", 10, 4).cell(sanitize(&tunnel.bastion), theme.text()),
        number("OPEN", 1).cell(format!("{} of {}", counters.open, counters.served), theme.text()),
        number("IN", 3).cell(size(counters.down), theme.text()),
        number("OUT", 5).cell(size(counters.up), theme.text()),
        number("ROUND TRIP", 1).cell(round_trip, theme.text()),
    ];
    if has_background {
        cells.insert(2, fixed("OPENED BY", 2).cell(opened_by, theme.text()));
    }
    cells
}

fn details(tunnel: &Tunnel, pane: &mut Pane) {
    let theme = pane.theme;
    let rate = tunnel.rates.back().copied().unwrap_or(0);
    let reconnects = tunnel.counters.map_or(0, |(_, snapshot)| snapshot.reconnects);
    let plural = if reconnects == 1 { "" } else { "s" };
    pane.title("THROUGHPUT", &format!("{}/s, {reconnects} reconnect{plural}", size(rate)));
    let room = pane.width().saturating_sub(2);
    // The newest rate is at the right edge.
    let count = tunnel.rates.len().min(room);
    let rates = tunnel.rates.iter().copied().skip(tunnel.rates.len() - count);
    let rates: Vec<u64> = std::iter::repeat_n(0, room - count).chain(rates).collect();
    let height = pane.area.height.saturating_sub(5).clamp(1, 4);
    let plot = Rect { x: 1, y: 1, width: pane.area.width.saturating_sub(2), height };
    chart::columns(&mut pane.part(plot), &rates, theme.accent());
    let failure = match &tunnel.state {
        TunnelState::Closed(error) => error.as_ref(),
        _ => None,
    };
    let usage = tunnel.usage.as_ref().map(|usage| ("use", usage));
    let last =
        failure.map(|error| ("error", error)).or(tunnel.status.as_ref().map(|status| ("status", status)));
    for (row, (name, text)) in (usize::from(height) + 2..).zip(usage.into_iter().chain(last)) {
        let text = truncate(&sanitize(text), room.saturating_sub(8));
        pane.line(row, vec![Span::styled(format!(" {name:<8}"), theme.dim()), Span::raw(text)]);
    }
}
