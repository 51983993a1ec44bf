//! Starting and stopping runs, their details and their logs.

use uuid::Uuid;

use super::requests;
use crate::tui::domain::{JobKind, Run};
use crate::tui::model::overlay::Overlay;
use crate::tui::model::{Cursor, Effect, Model, Remote, Request, Screen, UserError};
use crate::tui::text::{pad, sanitize, short_id};
use common::text::{maybe_thousands, or_dash, span};

/// Opens the details of the selected run.
pub(super) fn open(model: &mut Model) -> Option<Effect> {
    let run = model.runs.selected()?;
    let runs = &mut model.runs;
    (runs.page, runs.details, runs.page_cursor) = (Some(run), Remote::default(), Cursor::default());
    Some(requests::start(model, Request::RunDetails(run)))
}

/// Asks for confirmation to start jobs, unless one of them cannot run beside an active run.
pub(super) fn start(model: &mut Model, kinds: Vec<JobKind>, years: Option<String>) {
    let excluded = |kind: &JobKind| kinds.iter().any(|start| start.excludes(kind));
    if let Some(active) = model.runs.active.items().iter().find(|active| excluded(&active.kind)) {
        let message = format!("{} {} is already running", active.kind, short_id(&active.run));
        return model
            .notify_error(UserError::new(message, "wait for it, or stop it with S on the Runs screen"));
    }
    let question = match kinds.as_slice() {
        _ if !model.location.capabilities.releases => "Start this job?",
        [JobKind::Download] => "Download new datasets?",
        [JobKind::Etl] => "Load the datasets?",
        [JobKind::Report] => "Write a report?",
        [_] => "Start this job?",
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
        other @ ("rollback" | "migrate" | "sample") => {
            model.notify(format!("{other} runs are started on the command line"));
        }
        kind => {
            let kind = JobKind::from(kind.to_owned());
            start(model, vec![kind], row.record.and_then(|run| run.years.clone()));
        }
    }
}

/// Follows the logs of one run, or of all.
pub(super) fn follow(model: &mut Model, run: Option<Uuid>) -> Vec<Effect> {
    model.logs.run = run;
    model.logs.following |= run.is_some();
    model.show(Screen::Logs);
    vec![requests::follow_logs(model)]
}

/// Compares the selected run with the last good one of its kind before it.
pub(super) fn compare(model: &mut Model) -> Option<Effect> {
    let Some(after) = model.runs.selected() else {
        model.notify("no run is selected");
        return None;
    };
    let Some(before) = model.runs.last_good_before(after).map(|run| run.run_id) else {
        model.notify("there is no earlier successful run of this kind");
        return None;
    };
    model.runs.compared = Some((before, after));
    model.notify(format!("comparing {} with {}", short_id(&after), short_id(&before)));
    Some(requests::start(model, Request::CompareRuns { before, after }))
}

/// Shows two runs side by side, unless the user does something else by now.
pub(super) fn show_comparison(model: &mut Model) {
    let runs = &model.runs;
    let Some((before, after)) = runs.compared else { return };
    let run = |id: Uuid| runs.history.items().iter().find(|run| run.run_id == id);
    let (Some(left), Some(right)) = (run(before), run(after)) else { return };
    if model.screen != Screen::Runs || model.overlay.is_some() {
        return;
    }
    let row = |name: &str, of: &dyn Fn(&Run) -> String| {
        format!("{}{}{}", pad(name, 12), pad(&sanitize(&of(left)), 24), sanitize(&of(right)))
    };
    let mut lines = vec![
        row("run", &|run| short_id(&run.run_id)),
        row("status", &|run| run.status.clone()),
        row("took", &|run| or_dash(run.duration().map(span))),
        row("read", &|run| maybe_thousands(run.rows_read)),
        row("loaded", &|run| maybe_thousands(run.rows_loaded)),
        row("rejected", &|run| maybe_thousands(run.rows_rejected)),
        row("repaired", &|run| maybe_thousands(run.rows_repaired)),
        String::new(),
    ];
    let changes = runs.comparison.value.as_deref().unwrap_or_default();
    if changes.is_empty() {
        lines.push("both logged the same patterns, about equally often".to_owned());
    }
    for change in changes {
        let ((before, after), pattern) = (change.counts(), change.pattern());
        let level = pattern.level.map_or("", crate::tui::domain::Severity::name);
        let template = sanitize(&pattern.template);
        lines.push(format!("{:<4} {level:<5} {before:>6} → {after:<6} {template}", change.name()));
        lines.extend(pattern.example.lines().next().map(|line| format!("     {}", sanitize(line))));
    }
    let title = format!("{} and the last good run", short_id(&after));
    model.overlay = Some(Overlay::text(title, lines));
}
