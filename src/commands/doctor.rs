//! `covidctl doctor`: a line per check as soon as it is known, or a JSON document at the end.

use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};

use chrono::{DateTime, Utc};
use common::failure::{Failure, Result};
use serde::Serialize;

use crate::cli::Doctor;
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

pub(super) async fn run(args: &Doctor, settings: &Settings, printer: &Arc<Printer>) -> Result<()> {
    let target = super::target(settings)?;
    let checked_at = Utc::now();
    let checks = Mutex::new(Vec::new());
    let sink = |check: Check| {
        if !printer.json() {
            printer.text(&format!("{check}\n"));
        }
        checks.lock().unwrap_or_else(PoisonError::into_inner).push(check);
    };
    let context = DoctorContext { my_address: args.my_address };
    Box::pin(ops::doctor::diagnose(&target, &context, &sink)).await;
    let checks = checks.into_inner().unwrap_or_else(PoisonError::into_inner);
    let count = |outcome| checks.iter().filter(|check| check.outcome == outcome).count();
    let (failed, warnings) = (count(CheckOutcome::Failed), count(CheckOutcome::Warning));
    let place = target.location();
    if printer.json() {
        printer.show(&Report { place: place.clone(), checked_at, checks })?;
    }
    if failed > 0 {
        let checks = if failed == 1 { "1 check".to_owned() } else { format!("{failed} checks") };
        return Err(Failure::new(format!("{checks} failed on target {place}"))
            .hint("fix the first failed check, then run `covidctl doctor` again"));
    }
    match warnings {
        0 => printer.note(&format!("{place}: all checks passed")),
        1 => printer.note(&format!("{place}: 1 warning")),
        many => printer.note(&format!("{place}: {many} warnings")),
    }
    Ok(())
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.checks.iter().try_for_each(|check| writeln!(f, "{check}"))
    }
}
