//! The tunnels that were opened here, their numbers and how fast they are.

use ratatui::Frame;
use ratatui::layout::Rect;
use ratatui::text::{Line, Span};

use super::super::model::Model;
use super::super::model::tunnels::{State, Tunnel};
use super::super::text::{cells, fit};
use super::super::theme::Theme;
use super::table::{Cell, Table, cell, column, number};
use super::{chart, covered, empty, line, title};
use common::text::size;

/// Rows of the part about the selected tunnel.
const SELECTED: u16 = 9;

pub(super) fn draw(model: &Model, theme: Theme, frame: &mut Frame, area: Rect) {
    let tunnels = &model.tunnels;
    line(frame, area, 0, title("TUNNELS", "they end with this program", theme));
    if tunnels.all.is_empty() {
        let example = match model.place.target.as_str() {
            "aws" => "none is open; o opens one: master, replica or metabase",
            _ => "none is open; o opens one: 5432:db.example:5432 ec2-user@bastion.example",
        };
        empty(frame, area, 2, example, theme.faint());
        return;
    }
    let columns = [
        column("", 1, 0),
        column("STATE", usize::MAX, 0),
        column("LOCAL", usize::MAX, 0),
        column("LEADS TO", 14, 0),
        column("THROUGH", 10, 4),
        number("OPEN", 1),
        number("IN", 3),
        number("OUT", 5),
        number("ROUND TRIP", 1),
    ];
    let rows = tunnels.all.iter().skip(tunnels.cursor.top).map(|tunnel| row(tunnel, theme)).collect();
    let selected = (!covered(model)).then(|| tunnels.cursor.at.saturating_sub(tunnels.cursor.top));
    let height = area.height.saturating_sub(1 + SELECTED).max(3).min(area.height - 1);
    let list = Rect { y: area.y + 1, height, ..area };
    Table { columns: &columns, rows, selected }.draw(theme, frame, list);
    if let Some(tunnel) = tunnels.selected() {
        let below = Rect { y: area.y + 1 + height, height: area.height - 1 - height, ..area };
        detail(tunnel, theme, frame, below);
    }
}

fn row(tunnel: &Tunnel, theme: Theme) -> Vec<Cell> {
    let (sign, word, style) = match tunnel.state {
        State::Opening => ("●", "opening", theme.warn()),
        State::Up => ("✓", "open", theme.good()),
        State::Away => ("✗", "bastion away", theme.bad()),
        State::Closed(None) => ("■", "closed", theme.faint()),
        State::Closed(Some(_)) => ("✗", "failed", theme.bad()),
    };
    let counted = tunnel.counted.map(|(_, snapshot)| snapshot).unwrap_or_default();
    let target = tunnel.forwarding.split_once(':').map_or(tunnel.forwarding.as_str(), |(_, target)| target);
    vec![
        cell(sign, style),
        cell(word, style),
        cell(tunnel.local.clone().unwrap_or_else(|| "-".to_owned()), theme.text()),
        cell(cells(target), theme.text()),
        cell(cells(&tunnel.bastion), theme.text()),
        cell(format!("{} of {}", counted.open, counted.served), theme.text()),
        cell(size(counted.down), theme.text()),
        cell(size(counted.up), theme.text()),
        cell(format!("{:.1} ms", tunnel.round_trip().as_secs_f64() * 1000.0), theme.text()),
    ]
}

fn detail(tunnel: &Tunnel, theme: Theme, frame: &mut Frame, area: Rect) {
    let rate = tunnel.rates.back().copied().unwrap_or(0);
    let reconnects = tunnel.counted.map_or(0, |(_, snapshot)| snapshot.reconnects);
    let remark = format!("{}/s, {reconnects} reconnects", size(rate));
    line(frame, area, 0, title("THROUGHPUT", &remark, theme));
    let room = usize::from(area.width).saturating_sub(2);
    let values: Vec<u64> = {
        let count = tunnel.rates.len().min(room);
        let missing = room - count;
        // The newest stands at the right edge.
        std::iter::repeat_n(0, missing)
            .chain(tunnel.rates.iter().copied().skip(tunnel.rates.len() - count))
            .collect()
    };
    let height = area.height.saturating_sub(5).clamp(1, 4);
    let plot = Rect { x: area.x + 1, y: area.y + 1, width: area.width.saturating_sub(2), height };
    chart::columns(frame, plot, &values, theme.accent());
    let mut at = 1 + height + 1;
    let mut say = |name: &str, text: &str| {
        let spans = vec![
            Span::styled(format!(" {name:<8}"), theme.faint()),
            Span::raw(fit(&cells(text), room.saturating_sub(8))),
        ];
        line(frame, area, at, Line::from(spans));
        at += 1;
    };
    if let Some(usage) = &tunnel.usage {
        say("use", usage);
    }
    if let State::Closed(Some(why)) = &tunnel.state {
        say("why", why);
    } else if let Some(said) = &tunnel.said {
        say("said", said);
    }
}
