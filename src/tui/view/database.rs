//! What the database does: connections, progress, sessions with their blockers, and the largest tables.

use ratatui::text::Span;

use super::pane::Pane;
use super::table::{column, fixed, list, number};
use crate::tui::domain::{Activity, ClusterNode, skew};
use crate::tui::layout;
use crate::tui::model::Model;
use crate::tui::model::database::SessionRow;
use crate::tui::text::{sanitize, truncate};
use chrono::TimeDelta;
use common::text::{size, span};

/// More connections than this share of the limit, in per cent, are a warning.
const CONNECTIONS_WARNING: i64 = 80;

/// A largest node of this size, in per cent of the mean, is a warning: it is slower and full earlier than the others.
const SKEW_WARNING: i64 = 130;

pub(super) fn draw(model: &Model, pane: &mut Pane) {
    let database = &model.database;
    pane.remote_title(0, "DATABASE", &database.activity, model);
    let Some(activity) = &database.activity.value else { return pane.no_value(2, &database.activity) };
    draw_server(activity, &mut pane.rows(1, 1));
    let (nodes, upper) = (layout::node_rows(model), layout::database_upper_rows(model));
    draw_nodes(&activity.nodes, &mut pane.rows(2, nodes));
    draw_progress(activity, &mut pane.rows(2 + nodes, upper.saturating_sub(2 + nodes)));
    let rows = database.sessions();
    let theme = pane.theme;
    if rows.is_empty() {
        pane.dim(upper + 1, "no other session");
    } else {
        let cursor = (database.cursor, model.has_focus());
        list(&mut pane.rows(upper, layout::session_rows(model) + 1), cursor, &rows, |row: &SessionRow| {
            let session = row.session;
            let is_waiting = !session.blocked_by.is_empty();
            let style = if is_waiting {
                theme.error()
            } else if row.blocks {
                theme.warning()
            } else {
                theme.text()
            };
            let mark = if is_waiting {
                "waits"
            } else if row.blocks {
                "blocks"
            } else {
                ""
            };
            let branch =
                if row.depth > 0 { format!("{}└ ", "  ".repeat(row.depth - 1)) } else { String::new() };
            let text = |value: &Option<String>| sanitize(value.as_deref().unwrap_or("-"));
            let query = session.query.as_deref().unwrap_or_default().split_whitespace().collect::<Vec<_>>();
            vec![
                fixed("PID", 0).cell(format!("{branch}{}", session.pid), style),
                fixed("LOCK", 2).cell(mark.to_owned(), style),
                fixed("USER", 3).cell(text(&session.user), theme.text()),
                fixed("STATE", 0).cell(text(&session.state), theme.text()),
                number("AGE", 0).cell(span(TimeDelta::milliseconds(session.age)), theme.text()),
                fixed("WAIT", 4).cell(text(&session.wait), theme.text()),
                column("QUERY", 10, 1).cell(sanitize(&query.join(" ")), theme.text()),
            ]
        });
    }
    draw_tables(activity, &mut pane.below(upper + layout::session_rows(model) + 1));
}

fn draw_server(activity: &Activity, pane: &mut Pane) {
    let theme = pane.theme;
    let Activity { connections, max_connections, .. } = activity;
    let is_full = connections * 100 >= max_connections * CONNECTIONS_WARNING;
    let style = if is_full { theme.warning() } else { theme.text() };
    let hits = activity.cache_hits / 10;
    let mut spans = vec![
        Span::styled(format!(" {connections} of {max_connections} connections"), style),
        Span::raw(format!(" · {hits} % of blocks from memory")),
    ];
    if let Some(behind) = activity.behind {
        spans.push(Span::styled(format!(" · standby, {behind:.1} s behind"), theme.accent()));
    }
    for (name, lag) in &activity.standbys {
        let lag = lag.map_or_else(
            || "lag not visible to this role".to_owned(),
            |lag| format!("{} behind", size(u64::try_from(lag).unwrap_or(0))),
        );
        spans.push(Span::raw(format!(" · {}: {lag}", sanitize(name))));
    }
    pane.line(0, spans);
}

/// Draws the nodes of a Citus cluster: the sum, then each node with its share, the fullest first.
fn draw_nodes(nodes: &[ClusterNode], pane: &mut Pane) {
    let theme = pane.theme;
    let bytes = |of_node: i64| size(u64::try_from(of_node).unwrap_or(0));
    let shards: i64 = nodes.iter().map(|node| node.shards).sum();
    let total = nodes.iter().map(|node| node.size).sum::<Option<i64>>();
    let total_size = total.map_or_else(|| "size unknown: a node does not answer".to_owned(), bytes);
    let mut spans =
        vec![Span::raw(format!(" Citus: {} nodes · {shards} shards · {total_size}", nodes.len()))];
    if let Some(skew) = skew(nodes) {
        let style = if skew >= SKEW_WARNING { theme.warning() } else { theme.text() };
        spans.push(Span::styled(format!(" · skew {}.{:02}", skew / 100, skew % 100), style));
    }
    pane.line(0, spans);
    let mut fullest: Vec<&ClusterNode> = nodes.iter().collect();
    fullest.sort_by_key(|node| (node.is_active, std::cmp::Reverse(node.size)));
    for (row, node) in (1..pane.height()).zip(fullest) {
        let address = sanitize(&format!("{}:{}", node.host, node.port));
        let of_node = node.size.map(|of_node| format!(" · {}", bytes(of_node))).unwrap_or_default();
        let state = if node.is_active { "" } else { " · not active" };
        let style = if node.is_active { theme.text() } else { theme.error() };
        pane.text(row, &format!("  {address} · {} shards{of_node}{state}", node.shards), style);
    }
}

fn draw_progress(activity: &Activity, pane: &mut Pane) {
    let theme = pane.theme;
    for (row, progress) in activity.progress.iter().take(pane.height()).enumerate() {
        let percent = (progress.total > 0).then(|| progress.done.saturating_mul(100) / progress.total);
        let bar = percent.map_or_else(String::new, |percent| {
            let full = usize::try_from(percent.clamp(0, 100) / 5).unwrap_or(0);
            format!("{}{} {percent:>3} %", "█".repeat(full), "░".repeat(20 - full))
        });
        let done = if percent.is_none() { format!("{} done", progress.done) } else { String::new() };
        let facts = [Some(progress.command.as_str()), progress.table.as_deref(), progress.phase.as_deref()];
        let facts = sanitize(&facts.into_iter().flatten().collect::<Vec<_>>().join(" · "));
        let text = truncate(&format!("{} {facts} {done}", progress.pid), pane.width().saturating_sub(28));
        pane.line(row, vec![Span::styled(format!(" {bar}"), theme.accent()), Span::raw(format!(" {text}"))]);
    }
}

/// Draws the largest tables in one or two rows, and how much of them can be dropped.
fn draw_tables(activity: &Activity, pane: &mut Pane) {
    let bytes = |size_in_bytes: i64| size(u64::try_from(size_in_bytes).unwrap_or(0));
    let table = |table: &crate::tui::domain::Relation| {
        let mark = if table.is_replaced { " (replaced)" } else { "" };
        format!("{} {}{mark}", sanitize(&table.name), bytes(table.size))
    };
    let Some(tables) = &activity.tables else {
        return pane.dim(0, "tables: one is locked, so that sizes cannot be read");
    };
    let largest: Vec<String> = tables.iter().map(table).collect();
    let replaced: i64 = tables.iter().filter(|table| table.is_replaced).map(|table| table.size).sum();
    let text = format!("tables: {}", largest.join(" · "));
    pane.dim(0, &text);
    pane.dim(
        1,
        &format!(
            "of replaced releases, which the next load drops or keeps for a rollback: {}",
            bytes(replaced)
        ),
    );
}
