//! `covidctl demo`: the whole pipeline on this machine, in one command.
//!
//! It works in the same folder as the local target, so that `status`, `runs` and `psql` show what it did. PostgreSQL runs for
//! as long as the demo does and is stopped on every way out, unless `covidctl up` had it running before.

mod summary;

use std::sync::Arc;

use etl::failure::{Failure, Result};
use uuid::Uuid;

use self::summary::Summary;
use super::quietly;
use crate::backend::local::{Lease, Local, Plan};
use crate::backend::{self, Backend as _, Job, Kind, Progress};
use crate::cli::Demo;
use crate::db;
use crate::ops::follow::Following;
use crate::ops::log_line::LogLine;
use crate::ops::{datasets, reports, up};
use crate::printer::Printer;
use crate::settings::Settings;

pub(super) async fn run(args: &Demo, settings: &Settings, printer: &Arc<Printer>) -> Result<()> {
    settings.may_change("run the demo")?;
    let local = backend::local(settings)?;
    let progress: Arc<dyn Progress> = Arc::<Printer>::clone(printer);
    // Until the end of this function, whichever way it ends.
    let lease = local.lease(progress).await?;
    up::migrate(&local, printer.as_ref(), &mut quietly(printer)).await?;
    sample(&local, args.rows, printer).await?;
    printer.step("loading the datasets");
    let etl = job(&local, &Job::new(Kind::Etl), &mut |line| printer.log(line)).await?;
    printer.step("writing the report");
    job(&local, &Job::new(Kind::Report), &mut |line| printer.log(line)).await?;
    let summary = summarise(&local, etl, &lease, settings).await?;
    show(&summary, args, printer)
}

/// Where a terminal gets the screens; without one, and with `--headless`, the summary is printed.
fn show(summary: &Summary, _args: &Demo, printer: &Printer) -> Result<()> {
    printer.show(summary)
}

async fn sample(local: &Local, rows: Option<u64>, printer: &Printer) -> Result<()> {
    let present = datasets::list(&local.store()?).await?;
    let present: Vec<_> = present.into_iter().map(|dataset| (dataset.name, dataset.size)).collect();
    let rows = match local.plan_sample(&present, rows)? {
        Plan::UseTheirs => {
            printer.step("taking the datasets that are in the store");
            return Ok(());
        }
        Plan::UseSample(rows) => {
            printer.step(&format!("taking the sample of {rows} rows that is in the store"));
            return Ok(());
        }
        Plan::Make(rows) => rows,
    };
    printer.step(&format!("making a sample of {rows} rows"));
    let folder = local.new_sample_folder()?;
    let mut make = Job::new(Kind::Sample);
    let words = ["--rows", &rows.to_string(), "--seed", "1", "--out", &folder.display().to_string()];
    make.arguments = words.map(str::to_owned).into();
    job(local, &make, &mut quietly(printer)).await?;
    local.adopt_sample(rows)
}

/// Runs one job to its end; it does not outlive us.
async fn job(local: &Local, job: &Job, show: &mut dyn FnMut(&LogLine)) -> Result<Uuid> {
    let following = Following::start(local, job).await?;
    let run = following.run();
    let _attached = local.attach(run);
    following.to_end(local, show).await?;
    Ok(run)
}

async fn summarise(local: &Local, etl: Uuid, lease: &Lease, settings: &Settings) -> Result<Summary> {
    let database = local.database().await?;
    let mut connection = db::connect(&database).await?;
    let run = db::runs::find(&mut connection, &etl.to_string()).await?;
    let already_loaded = run.status == "skipped";
    let loaded = if already_loaded { db::runs::published(&mut connection).await? } else { Some(run) };
    let loaded = loaded.ok_or_else(|| Failure::new("the database does not say what is loaded"))?;
    let issues = db::runs::issues(&mut connection, loaded.run_id).await?;
    let report = reports::text(&local.store()?, reports::LATEST).await?;
    let stays_up = lease.is_kept()?;
    Ok(Summary::new(local.place(), already_loaded, loaded, issues, report, stays_up, settings))
}
