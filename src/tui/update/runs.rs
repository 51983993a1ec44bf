//! Starting and stopping runs, their details and their logs.

use uuid::Uuid;

use super::requests;
use crate::tui::domain::JobKind;
use crate::tui::model::{Cursor, Effect, Model, Remote, Request, Screen, UserError};
use crate::tui::text::short_id;

/// Opens the details of the selected run.
pub(super) fn open(model: &mut Model) -> Option<Effect> {
    let run = model.runs.selected()?;
    let runs = &mut model.runs;
    (runs.page, runs.details, runs.page_cursor) = (Some(run), Remote::default(), Cursor::default());
    Some(requests::start(model, Request::RunDetails(run)))
}

/// Asks for confirmation to start jobs, unless one of them cannot run beside an active run.
pub(super) fn start(model: &mut Model, kinds: Vec<JobKind>, years: Option<String>) {
    let excluded = |kind: JobKind| kinds.iter().any(|start| start.excludes(kind));
    if let Some(active) = model.runs.active.items().iter().find(|active| excluded(active.kind)) {
        let message = format!("{} {} is already running", active.kind, short_id(&active.run));
        return model
            .notify_error(UserError::new(message, "wait for it, or stop it with S on the Runs screen"));
    }
    let question = match kinds.as_slice() {
        [JobKind::Download] => "Download new datasets?",
        [JobKind::Etl] => "Load the datasets?",
        [JobKind::Report] => "Write a report?",
        _ => "Download new datasets, load them, and write a report?",
    };
    let names: Vec<String> = kinds.iter().map(ToString::to_string).collect();
    let mut details = vec![("runs", names.join(", then "))];
    details.extend(years.clone().map(|years| ("years", years)));
    model.confirm(question, details, vec![Effect::StartJobs { kinds, years }]);
}

/// Asks for confirmation to stop the selected run.
pub(super) fn stop(model: &mut Model) {
    let Some(run) = model.runs.selected().filter(|run| model.runs.is_active(*run)) else {
        return model.notify("the selected run is not active");
    };
    let kind = model.runs.row(run).map(|row| row.kind.into_owned()).unwrap_or_default();
    let details = vec![("run", run.to_string()), ("kind", kind)];
    model.confirm("Stop this run?", details, vec![Effect::StopRun(run)]);
}

/// Starts the job of the selected run again, a load with the same years.
pub(super) fn rerun(model: &mut Model) {
    let Some(row) = model.runs.selected().and_then(|run| model.runs.row(run)) else {
        return model.notify("no run is selected");
    };
    match &*row.kind {
        "download" => start(model, vec![JobKind::Download], None),
        "etl" => start(model, vec![JobKind::Etl], row.record.and_then(|run| run.years.clone())),
        "report" => start(model, vec![JobKind::Report], None),
        other => model.notify(format!("{other} runs are started on the command line")),
    }
}

/// Follows the logs of one run, or of all.
pub(super) fn follow(model: &mut Model, run: Option<Uuid>) -> Vec<Effect> {
    model.logs.run = run;
    model.logs.following |= run.is_some();
    model.show(Screen::Logs);
    vec![requests::follow_logs(model)]
}
