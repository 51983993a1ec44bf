//! Commands of the Health screen.

use super::requests;
use crate::tui::domain::ResourceChange;
use crate::tui::layout;
use crate::tui::model::overlay::Overlay;
use crate::tui::model::{Effect, Model, Request};
use crate::tui::text::{sanitize, wrap_words};

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

/// Asks for confirmation to ask what the account costs, which AWS charges.
pub(super) fn ask_cost(model: &mut Model) {
    if !has_account(model) {
        return;
    }
    let details = vec![
        ("account", model.location.to_string()),
        ("price", "AWS charges 0.01 US dollars for the answer".to_owned()),
    ];
    let effect = requests::start(model, Request::Cost);
    model.confirm("Ask Cost Explorer what this month costs?", details, vec![effect]);
}

fn has_account(model: &mut Model) -> bool {
    let has_account = model.location.capabilities.account;
    if !has_account {
        model.notify(format!("the target {} is in no account", model.location.target));
    }
    has_account
}

/// Shows the changes that were received.
pub(super) fn show_changes(model: &mut Model) {
    let columns = layout::overlay_columns(model);
    let text = |change: &ResourceChange| {
        let ResourceChange { time, user, operation, resource, error } = change;
        let time = time.with_timezone(&model.zone).format("%m-%d %H:%M");
        let refused = error.as_deref().map(|error| format!("  refused: {error}")).unwrap_or_default();
        sanitize(&format!("{time}  {user}  {operation}  {resource}{refused}"))
    };
    let changes = model.health.changes.items();
    let mut lines: Vec<String> =
        changes.iter().flat_map(|change| wrap_words(&text(change), columns)).collect();
    if lines.is_empty() {
        lines.push("no change of the target's resources in the last seven days".to_owned());
    }
    model.overlay = Some(Overlay::text("changes of the last seven days".to_owned(), lines));
}

/// Shows the cost that was received.
pub(super) fn show_cost(model: &mut Model) {
    let Some(cost) = &model.health.cost.value else { return };
    let amount = |amount: f64| format!("{amount:>12.2} {}", sanitize(&cost.currency));
    let mut lines: Vec<String> =
        cost.services.iter().map(|(name, each)| format!("{}  {}", amount(*each), sanitize(name))).collect();
    lines.push(format!("{}  in all", amount(cost.total())));
    let title = format!("cost of the account since {}, as far as AWS knows", cost.since);
    model.overlay = Some(Overlay::text(title, lines));
}
