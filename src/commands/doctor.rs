//! `covidctl doctor`: one line per check, as soon as it is known; as JSON one document at the end.

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
    let found = |check: Check| {
        if !printer.json() {
            printer.text(&format!("{check}\n"));
        }
        checks.lock().unwrap_or_else(PoisonError::into_inner).push(check);
    };
    let wanted = DoctorContext { my_address: args.my_address };
    Box::pin(ops::doctor::examine(&target, &wanted, &found)).await;
    let checks = checks.into_inner().unwrap_or_else(PoisonError::into_inner);
    let count = |outcome| checks.iter().filter(|check| check.outcome == outcome).count();
    let (failed, warnings) = (count(CheckOutcome::Failed), count(CheckOutcome::Warning));
    let place = target.location();
    if printer.json() {
        printer.show(&Report { place: place.clone(), checked_at, checks })?;
    }
    if failed > 0 {
        let checks = if failed == 1 { "1 check has".to_owned() } else { format!("{failed} checks have") };
        return Err(Failure::new(format!("{checks} failed on the target {place}"))
            .hint("each has its own hint; mend the first one first"));
    }
    match warnings {
        0 => printer.say(&format!("{place}: everything is as it should be")),
        1 => printer.say(&format!("{place}: nothing has failed; 1 warning")),
        many => printer.say(&format!("{place}: nothing has failed; {many} warnings")),
    }
    Ok(())
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.checks.iter().try_for_each(|check| writeln!(f, "{check}"))
    }
}
