//! The Runs screen: open, start, stop, again, and the way to a run's log.

use super::commands::{confirm, show};
use crate::tui::effect::Effect;
use crate::tui::layout;
use crate::tui::model::list::{Cursor, Move};
use crate::tui::model::remote::Remote;
use crate::tui::model::{Model, RunPage, RunRow, Screen};
use crate::tui::msg::Trouble;
use target::JobKind;

/// Opens the selected run.
pub(super) fn open(model: &mut Model) -> Vec<Effect> {
    let Some(run) = model.selected_run() else { return Vec::new() };
    let ticket = model.ticket();
    let mut details = Remote::default();
    details.ask(ticket, model.now);
    model.runs.page = Some(RunPage { run, details, cursor: Cursor::default() });
    vec![Effect::LoadRunDetails { ticket, run }]
}

/// Moves in the list, or in the opened run's tally.
pub(super) fn go(model: &mut Model, to: Move) {
    let (count, page, columns) = (model.run_rows().len(), model.page(), usize::from(model.width));
    match &mut model.runs.page {
        Some(opened) => {
            let count = opened.details.last.as_ref().map_or(0, |details| details.issues.len());
            let checks = opened.details.last.as_ref().map_or(&[][..], |details| &details.checks);
            // The facts and the checks are above the tally.
            let above = FACTS + layout::checks_rows(checks, columns);
            opened.cursor.scroll(to, count, page.saturating_sub(above).max(1));
        }
        None => model.runs.cursor.go(to, count, page),
    }
}

/// Rows that the facts of an opened run take.
pub(crate) const FACTS: usize = 12;

/// Asks whether to start jobs.
pub(super) fn start(model: &mut Model, kinds: Vec<JobKind>, years: Option<String>) {
    let active = model.active.last.iter().flatten();
    if let Some(double) = active.clone().find(|active| kinds.iter().any(|kind| kind.excludes(active.kind))) {
        let message = format!("{} is running already: {}", double.kind, short(&double.run.to_string()));
        let hint = Some("wait for it, or stop it with S on the Runs screen".to_owned());
        return model.complain(Trouble { message, hint });
    }
    let words: Vec<String> = kinds.iter().map(ToString::to_string).collect();
    let question = match kinds.as_slice() {
        [JobKind::Download] => "Download what is new?",
        [JobKind::Etl] => "Load the datasets?",
        [JobKind::Report] => "Write a report?",
        _ => "Download what is new, load it, then write a report?",
    };
    let mut touches = vec![("runs".to_owned(), words.join(", then "))];
    touches.extend(years.iter().map(|years| ("years".to_owned(), years.clone())));
    confirm(model, question, touches, vec![Effect::Start { kinds, years }]);
}

/// Asks whether to stop the selected run.
pub(super) fn stop(model: &mut Model) {
    let Some(run) = model.selected_run().filter(|run| model.is_active(*run)) else {
        return model.say("the selected run is not in progress");
    };
    let kind = model.run_rows().iter().find(|row| row.run() == run).map(RunRow::kind).unwrap_or_default();
    let touches = vec![("run".to_owned(), run.to_string()), ("kind".to_owned(), kind)];
    confirm(model, "Stop this run?", touches, vec![Effect::Stop { run }]);
}

/// Asks whether to run the selected one's job again, a load with the same years.
pub(super) fn again(model: &mut Model) {
    let selected = model.selected_run();
    let rows = model.run_rows();
    let row = rows.iter().find(|row| Some(row.run()) == selected);
    let years = row.and_then(|row| match row {
        RunRow::Known(run) => run.years.clone(),
        RunRow::Active(_) => None,
    });
    let kind = row.map(RunRow::kind);
    match kind.as_deref() {
        Some("download") => start(model, vec![JobKind::Download], None),
        Some("etl") => start(model, vec![JobKind::Etl], years),
        Some("report") => start(model, vec![JobKind::Report], None),
        Some(other) => model.say(format!("{other} is started by other commands")),
        None => model.say("no run is selected"),
    }
}

/// Goes to the selected run's log.
pub(super) fn logs(model: &mut Model) -> Vec<Effect> {
    let Some(run) = model.selected_run() else { return Vec::new() };
    model.logs.run = Some(run);
    model.logs.following = true;
    let mut effects = vec![super::logs::follow(model)];
    effects.extend(show(model, Screen::Logs));
    effects
}

/// The first letters of an id.
fn short(id: &str) -> &str {
    id.get(..8).unwrap_or(id)
}
