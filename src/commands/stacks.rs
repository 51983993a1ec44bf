//! `covidctl --target aws up` and `down`: shows the change, asks, and applies it.

use std::fmt;
use std::sync::Arc;

use common::failure::Result;
use serde::Serialize;

use super::confirm::{by_name, confirm};
use crate::cli::Up;
use crate::connect;
use crate::printer::Printer;
use crate::settings::Settings;
use aws::{KEPT, Plan, StackAction, Step};
use target::{Components as _, DataRetention, Location};

/// What would be done, for `--dry-run`.
#[derive(Debug, Serialize)]
struct Shown<'a> {
    place: &'a Location,
    stacks: &'a [Step],
}

pub(super) async fn up(args: &Up, settings: &Settings, printer: &Arc<Printer>) -> Result<()> {
    if !args.dry_run {
        settings.may_change("bring the target up")?;
    }
    let aws = connect::aws(settings, printer.tunnel_events())?;
    let place = aws.identify().await?;
    // What creates and changes a stack is a large future.
    let plan = aws.plan(&args.parameter, args.release.as_deref(), args.templates.as_deref());
    let plan = Box::pin(plan).await?;
    if args.dry_run {
        return printer.show(&Shown { place: &place, stacks: &plan.steps });
    }
    let work: Vec<&Step> = plan.steps.iter().filter(|step| step.is_work()).collect();
    if work.is_empty() {
        printer.note(&format!("{place}: no changes"));
        say_left_out(&plan, printer);
        return Ok(());
    }
    for step in &work {
        printer.note(&summary(step));
    }
    confirm(&question(&work, &place), settings).await?;
    let changed = Box::pin(aws.apply(&plan, printer.as_ref())).await?;
    match changed {
        0 => printer.note(&format!("{place}: no changes")),
        1 => printer.note(&format!("{place} is up; 1 stack has changed")),
        many => printer.note(&format!("{place} is up; {many} stacks have changed")),
    }
    say_left_out(&plan, printer);
    let has_new_database =
        work.iter().any(|step| step.stack == "database" && step.action != StackAction::Change);
    if has_new_database {
        printer.note("next: covidctl --target aws db init");
    }
    Ok(())
}

/// One line, where creating everything would be fifty.
fn summary(step: &Step) -> String {
    match step.action {
        StackAction::Create | StackAction::CreateAnew => {
            format!("{} {}: {} resources", step.stack, step.action, step.changes.len())
        }
        _ => step.to_string().trim_end().to_owned(),
    }
}

fn question(work: &[&Step], place: &Location) -> String {
    let names: Vec<&str> = work.iter().map(|step| step.stack.as_str()).collect();
    let creates =
        work.iter().any(|step| matches!(step.action, StackAction::Create | StackAction::CreateAnew));
    let price =
        if creates { " It costs money from then on; docs/guides/deploy.md has the prices." } else { "" };
    format!("Create or change the stacks {} of the target {place}?{price}", names.join(", "))
}

/// Those that lack the same are named together.
fn say_left_out(plan: &Plan, printer: &Printer) {
    let left_out: Vec<&Step> = plan.steps.iter().filter(|step| step.action == StackAction::LeftOut).collect();
    for together in left_out.chunk_by(|a, b| (&a.reason, &a.hint) == (&b.reason, &b.hint)) {
        let names: Vec<&str> = together.iter().map(|step| step.stack.as_str()).collect();
        let first = together[0];
        let (verb, reason) = (if names.len() == 1 { "is" } else { "are" }, first.reason.as_deref());
        printer.note(&format!(
            "{} {verb} left out: {}",
            names.join(", "),
            reason.unwrap_or("something is missing")
        ));
        if let Some(hint) = &first.hint {
            printer.note(&format!("  hint: {hint}"));
        }
    }
}

impl fmt::Display for Shown<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "target {}\n", self.place)?;
        self.stacks.iter().try_for_each(|step| write!(f, "{step}"))?;
        let work = self.stacks.iter().filter(|step| step.is_work()).count();
        match work {
            0 => writeln!(f, "\nno changes"),
            1 => writeln!(f, "\n1 stack would change; nothing was changed"),
            many => writeln!(f, "\n{many} stacks would change; nothing was changed"),
        }
    }
}

/// On AWS a name has to be typed: what is deleted there is not made again within a minute.
pub(super) async fn down(data: DataRetention, settings: &Settings, printer: &Arc<Printer>) -> Result<()> {
    let aws = connect::aws(settings, printer.tunnel_events())?;
    let place = aws.identify().await?;
    let names = aws.stacks_to_delete(data).await?;
    if names.is_empty() {
        printer.note(&format!("{place}: there is nothing to take down"));
        return Ok(());
    }
    let warning = match data {
        DataRetention::Keep => format!("{} stay, and cost what they cost.", KEPT.join(", ")),
        DataRetention::Delete => {
            "All data go with them: the database with its backups, the buckets, the images. Nothing of it can be had back.".to_owned()
        }
    };
    let question = format!("Delete the stacks {} of the target {place}? {warning}", names.join(", "));
    by_name(&question, &format!("covid19@{}", aws.account_id().await?), settings).await?;
    Box::pin(aws.remove(data, printer.as_ref())).await?;
    printer.note(&match data {
        DataRetention::Keep => {
            format!("{place} is down; its data stay, and with them the stacks {}", KEPT.join(", "))
        }
        DataRetention::Delete => format!("{place} is gone"),
    });
    Ok(())
}
