//! Commands of the Health screen.

use chrono::{DateTime, TimeDelta, Utc};

use super::requests;
use crate::tui::domain::ResourceChange;
use crate::tui::layout;
use crate::tui::model::overlay::Overlay;
use crate::tui::model::{Effect, Model, Request, Screen};
use crate::tui::text::{sanitize, wrap_words};

/// How long the cost of the month is shown without a new request. Cost Explorer is updated at most three times a day (AWS Cost Management
/// User Guide, "Analyzing your costs and usage").
const COST_INTERVAL: TimeDelta = TimeDelta::hours(8);

/// Shows the whole detail of the selected check, and its cure.
pub(super) fn open_check(model: &mut Model) {
    let Some(check) = model.health.selected().cloned() else { return };
    let columns = layout::overlay_columns(model);
    let mut lines = wrap_words(&sanitize(&check.detail), columns);
    if let Some(hint) = &check.hint {
        lines.push(String::new());
        lines.extend(wrap_words(&format!("cure: {}", sanitize(hint)), columns));
    }
    model.overlay = Some(Overlay::text(format!("{}: {}", check.name, check.outcome), lines));
}

/// Asks who changed a resource of the target lately.
pub(super) fn changes(model: &mut Model) -> Option<Effect> {
    if !has_account(model) {
        return None;
    }
    model.notify("reading the last changes");
    Some(requests::start(model, Request::Changes))
}

/// Shows what the account costs; asks for confirmation first if that is not known, because AWS charges the answer.
pub(super) fn cost(model: &mut Model) {
    if !has_account(model) {
        return;
    }
    let cost = &model.health.cost;
    if cost.received_at.is_some_and(|received_at| model.now - received_at < COST_INTERVAL) {
        return show_cost(model);
    }
    if cost.pending.is_some() {
        return model.notify("Cost Explorer was asked already");
    }
    let details = vec![
        ("account", model.location.to_string()),
        ("price", "AWS charges 0.01 US dollars for the answer".to_owned()),
    ];
    let effect = Effect::Request(model.next_request(), Request::Cost);
    model.confirm("Ask Cost Explorer what this month costs?", details, vec![effect]);
}

fn has_account(model: &mut Model) -> bool {
    let has_account = model.location.capabilities.account;
    if !has_account {
        model.notify(format!("the target {} is not on AWS", model.location.target));
    }
    has_account
}

/// Whether the user does something else by now.
fn is_elsewhere(model: &Model) -> bool {
    model.screen != Screen::Health || model.overlay.is_some()
}

/// Shows the changes that were received.
pub(super) fn show_changes(model: &mut Model) {
    if is_elsewhere(model) {
        return;
    }
    let columns = layout::overlay_columns(model);
    let local = |time: DateTime<Utc>| time.with_timezone(&model.zone).format("%m-%d %H:%M");
    let text = |change: &ResourceChange| {
        let ResourceChange { time, user, operation, resource, error } = change;
        let refused = error.as_deref().map(|error| format!("  refused: {error}")).unwrap_or_default();
        sanitize(&format!("{}  {user}  {operation}  {resource}{refused}", local(*time)))
    };
    let Some(history) = &model.health.changes.value else { return };
    let mut lines: Vec<String> =
        history.changes.iter().flat_map(|change| wrap_words(&text(change), columns)).collect();
    if lines.is_empty() {
        lines.push("no resource of the target was changed".to_owned());
    }
    let title = format!("changes since {}", local(history.since));
    model.overlay = Some(Overlay::text(title, lines));
}

/// Shows the cost that was received.
pub(super) fn show_cost(model: &mut Model) {
    if is_elsewhere(model) {
        return model.notify("Cost Explorer has answered: $ on Health shows the cost");
    }
    let Some(cost) = &model.health.cost.value else { return };
    let amount = |amount: f64| format!("{amount:>12.2} {}", sanitize(&cost.currency));
    let mut lines: Vec<String> =
        cost.services.iter().map(|(name, each)| format!("{}  {}", amount(*each), sanitize(name))).collect();
    lines.push(format!("{}  total", amount(cost.total())));
    let title = format!("cost of the account since {}, as far as AWS knows", cost.since);
    model.overlay = Some(Overlay::text(title, lines));
}
