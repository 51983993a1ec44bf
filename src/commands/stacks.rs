//! `covidctl up` and `down`: shows the change, asks, and applies it.

use std::sync::Arc;

use common::failure::Result;
use common::text::count;
use serde_json::json;

use super::confirm::{by_name, confirm};
use crate::cli::Up;
use crate::connect;
use crate::printer::Printer;
use crate::settings::Settings;
use aws::{KEPT, Plan, StackAction, Step, UpOptions};
use target::{Components as _, DataRetention, Location};

pub(super) async fn up(args: &Up, settings: &Settings, printer: &Arc<Printer>) -> Result<()> {
    if !args.dry_run {
        settings.may_change("bring the target up")?;
    }
    let aws = connect::aws(settings, printer.tunnel_events())?;
    let place = aws.identify().await?;
    // The futures that create and change stacks are large.
    let plan = aws.plan(UpOptions {
        parameters: &args.parameter,
        release: args.release.as_deref(),
        templates: args.templates.as_deref(),
        tags: &args.tag,
    });
    let plan = Box::pin(plan).await?;
    if args.dry_run {
        let document = json!({ "place": place, "stacks": plan.steps });
        return printer.show_as(&document, |_| dry_run(&place, &plan.steps));
    }
    let work: Vec<&Step> = plan.steps.iter().filter(|step| step.is_work()).collect();
    let mut changed = 0;
    if !work.is_empty() {
        for step in &work {
            printer.note(&summary(step));
        }
        confirm(&question(&work, &place), settings).await?;
        changed = Box::pin(aws.apply(&plan, printer.as_ref())).await?;
    }
    match changed {
        0 => printer.note(&format!("{place}: no changes")),
        changed => printer.note(&format!("{place} is up; {} changed", count(changed, "stack"))),
    }
    note_left_out(&plan, printer);
    if work.iter().any(|step| step.stack == "database" && step.action != StackAction::Change) {
        printer.note("next: covidctl db init");
    }
    Ok(())
}

/// Returns one line for a new stack, whose resources would be up to fifty lines, and all lines of a change.
fn summary(step: &Step) -> String {
    if creates(step) {
        return format!("{} {}: {} resources", step.stack, step.action, step.changes.len());
    }
    step.to_string().trim_end().to_owned()
}

const fn creates(step: &Step) -> bool {
    matches!(step.action, StackAction::Create | StackAction::CreateAnew)
}

fn question(work: &[&Step], place: &Location) -> String {
    let names: Vec<&str> = work.iter().map(|step| step.stack.as_str()).collect();
    let price = if work.iter().any(|step| creates(step)) {
        " It costs money from then on; docs/guides/deploy.md has the prices."
    } else {
        ""
    };
    format!("Create or change the stacks {} of the target {place}?{price}", names.join(", "))
}

/// Names the stacks that are left out, those for the same reason together.
fn note_left_out(plan: &Plan, printer: &Printer) {
    let left_out: Vec<&Step> = plan.steps.iter().filter(|step| step.action == StackAction::LeftOut).collect();
    for together in left_out.chunk_by(|a, b| (&a.reason, &a.hint) == (&b.reason, &b.hint)) {
        let names: Vec<&str> = together.iter().map(|step| step.stack.as_str()).collect();
        let first = together[0];
        let verb = if names.len() == 1 { "is" } else { "are" };
        let reason = first.reason.as_deref().unwrap_or("something is missing");
        printer.note(&format!("{} {verb} left out: {reason}", names.join(", ")));
        if let Some(hint) = &first.hint {
            printer.note(&format!("  hint: {hint}"));
        }
    }
}

/// Describes what would be done, for `--dry-run`.
fn dry_run(place: &Location, steps: &[Step]) -> String {
    let shown: String = steps.iter().map(Step::to_string).collect();
    let outcome = match steps.iter().filter(|step| step.is_work()).count() {
        0 => "no changes".to_owned(),
        work => format!("{} would change; nothing was changed", count(work, "stack")),
    };
    format!("target {place}\n\n{shown}\n{outcome}")
}

/// Asks for the name of the deployment instead of `y`, because stacks take long to create again.
pub(super) async fn down(data: DataRetention, settings: &Settings, printer: &Arc<Printer>) -> Result<()> {
    let aws = connect::aws(settings, printer.tunnel_events())?;
    let place = aws.identify().await?;
    let names = aws.stacks_to_delete(data).await?;
    if names.is_empty() {
        printer.note(&format!("{place}: there is nothing to take down"));
        return Ok(());
    }
    let kept = KEPT.join(", ");
    let (warning, outcome) = match data {
        DataRetention::Keep => (
            format!("{kept} are kept and continue to be billed."),
            format!("is down; its data are kept, and with them the stacks {kept}"),
        ),
        DataRetention::Delete => (
            "All data are deleted, too: the database with its backups, the buckets, the images. They cannot be restored.".to_owned(),
            "is deleted".to_owned(),
        ),
    };
    let question = format!("Delete the stacks {} of the target {place}? {warning}", names.join(", "));
    by_name(&question, &format!("covid19@{}", aws.account_id().await?), settings).await?;
    Box::pin(aws.remove(data, printer.as_ref())).await?;
    printer.note(&format!("{place} {outcome}"));
    Ok(())
}
