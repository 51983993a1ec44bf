//! `covidctl doctor`: a line per check as soon as it is known, or a JSON document at the end.

use std::net::Ipv4Addr;
use std::sync::{Arc, Mutex, PoisonError};

use chrono::{DateTime, Utc};
use common::failure::{Failure, Result};
use common::text::count;
use serde::Serialize;

use crate::ops;
use crate::printer::Printer;
use crate::settings::Settings;
use target::{Check, CheckOutcome, DoctorContext, Location};

#[derive(Debug, Serialize)]
struct Report {
    place: Location,
    checked_at: DateTime<Utc>,
    checks: Vec<Check>,
}

pub(super) async fn run(
    my_address: Option<Ipv4Addr>,
    settings: &Settings,
    printer: &Arc<Printer>,
) -> Result<()> {
    let target = super::target(settings)?;
    let checked_at = Utc::now();
    let checks = Mutex::new(Vec::new());
    let sink = |check: Check| {
        let hint = check.hint.as_deref().map(|hint| printer.for_target(hint).into_owned());
        let check = Check { hint, ..check };
        if !printer.json() {
            printer.text(&format!("{check}\n"));
        }
        checks.lock().unwrap_or_else(PoisonError::into_inner).push(check);
    };
    Box::pin(ops::doctor::diagnose(&target, &DoctorContext { my_address }, &sink)).await;
    let checks = checks.into_inner().unwrap_or_else(PoisonError::into_inner);
    let with = |outcome| checks.iter().filter(|check| check.outcome == outcome).count();
    let (failed, warnings) = (with(CheckOutcome::Failed), with(CheckOutcome::Warning));
    let place = target.location();
    if printer.json() {
        printer.document(&Report { place: place.clone(), checked_at, checks })?;
    }
    if failed > 0 {
        return Err(Failure::new(format!("{} failed on target {place}", count(failed, "check")))
            .hint("fix the first failed check, then run `covidctl doctor` again"));
    }
    match warnings {
        0 => printer.note(&format!("{place}: all checks passed")),
        warnings => printer.note(&format!("{place}: {}", count(warnings, "warning"))),
    }
    Ok(())
}
