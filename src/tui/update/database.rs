//! Commands of the Database screen.

use crate::tui::model::overlay::Overlay;
use crate::tui::model::{Effect, Model};
use crate::tui::text::{sanitize, truncate};

/// Characters of a query in a question.
const MAX_QUERY_LEN: usize = 200;

/// Asks for confirmation to cancel the query of the selected session, or to end the session.
pub(super) fn end_session(model: &mut Model, terminate: bool) {
    let Some(session) = model.database.selected().cloned() else {
        return model.notify("no session is selected");
    };
    let question = if terminate { "End this session?" } else { "Cancel the query of this session?" };
    let query = sanitize(session.query.as_deref().unwrap_or("-"));
    let details = vec![
        ("session", session.pid.to_string()),
        ("user", session.user.unwrap_or_else(|| "-".to_owned())),
        ("state", session.state.unwrap_or_else(|| "-".to_owned())),
        ("query", truncate(&query, MAX_QUERY_LEN)),
    ];
    let effect = Effect::EndSession { pid: session.pid, began_at: session.began_at, terminate };
    model.confirm(question, details, vec![effect]);
}

/// Shows everything about the selected session.
pub(super) fn open(model: &mut Model) {
    let Some(session) = model.database.selected() else { return };
    let text = |value: &Option<String>| sanitize(value.as_deref().unwrap_or("-"));
    let mut lines = vec![
        format!("user         {}", text(&session.user)),
        format!("database     {}", text(&session.database)),
        format!("application  {}", text(&session.application)),
        format!("state        {}", text(&session.state)),
        format!("waits for    {}", text(&session.wait)),
        format!("blocked by   {:?}", session.blocked_by),
        String::new(),
    ];
    lines.extend(session.query.as_deref().unwrap_or_default().lines().map(sanitize));
    let title = format!("session {}", session.pid);
    model.overlay = Some(Overlay::text(title, lines));
}
