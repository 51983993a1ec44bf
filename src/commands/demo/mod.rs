//! `covidctl demo`: the whole pipeline on this machine in one command.
//!
//! It uses the data directory of the local target, so that `status`, `runs` and `psql` show its results. PostgreSQL is stopped when the
//! demo ends, unless `covidctl up` started it.

mod summary;

use std::cell::RefCell;
use std::rc::Rc;
use std::sync::Arc;

use common::env;
use common::failure::{Failure, Result};
use uuid::Uuid;

use self::summary::Summary;
use super::{screens, warnings_only};
use crate::cli::Demo;
use crate::connect;
use crate::db;
use crate::local::{Lease, Local, SamplePlan};
use crate::ops::follow::Following;
use crate::ops::{datasets, reports, up};
use crate::printer::Printer;
use crate::settings::Format;
use crate::settings::Settings;
use crate::tui;
use logs::LogLine;
use target::{DatabaseAccess, Job, JobKind, Progress, Target};

pub(super) async fn run(args: &Demo, settings: &Settings, printer: &Arc<Printer>) -> Result<()> {
    settings.may_change("run the demo")?;
    let local = Arc::new(connect::local(settings)?);
    if !args.headless && printer.format() == Format::Text && screens::is_possible() {
        return with_screens(local, args.rows, settings, printer).await;
    }
    let progress: Arc<dyn Progress> = Arc::<Printer>::clone(printer);
    let lease = local.lease(Arc::clone(&progress)).await?;
    let demo = Pipeline {
        local: &local,
        target: &local.clone().target(),
        progress,
        printer: Some(printer),
        detach: false,
    };
    let etl = demo.run(args.rows).await?;
    let summary = summarize(&local.target(), etl, &lease, settings).await?;
    printer.show(&summary)
}

/// Runs the demo while the screens show it. PostgreSQL runs until they are closed, even if a step fails; it stays up for a load that is
/// still running then.
async fn with_screens(
    local: Arc<Local>,
    rows: Option<u64>,
    settings: &Settings,
    printer: &Arc<Printer>,
) -> Result<()> {
    let lease: Rc<RefCell<Option<Lease>>> = Rc::default();
    let (worker, kept) = (Arc::clone(&local), Rc::clone(&lease));
    let work = |progress: Arc<dyn Progress>| {
        let work = async move {
            let taken = worker.lease(Arc::clone(&progress)).await?;
            kept.replace(Some(taken));
            let demo = Pipeline {
                local: &worker,
                target: &worker.clone().target(),
                progress,
                printer: None,
                detach: true,
            };
            demo.run(rows).await.map(drop)
        };
        Some(Box::pin(work) as tui::Work)
    };
    let left = tui::run(settings, local.target(), work).await?;
    screens::report_exit(left, printer);
    Ok(())
}

/// The steps of the demo while PostgreSQL runs.
struct Pipeline<'a> {
    local: &'a Local,
    target: &'a Target,
    progress: Arc<dyn Progress>,
    /// Prints the logs of jobs; the screens read them themselves.
    printer: Option<&'a Printer>,
    /// Whether loads and reports go on when the demo ends.
    detach: bool,
}

impl Pipeline<'_> {
    /// Runs all steps and returns the id of the load.
    async fn run(&self, rows: Option<u64>) -> Result<Uuid> {
        up::migrate(self.target, self.progress.as_ref(), &mut |line| self.warn(line)).await?;
        let is_sample = self.sample(rows).await?;
        self.progress.step("loading the datasets");
        // A sample that is smaller than the previous one is no anomaly.
        let load = Job::new(JobKind::Etl).with(env::ACCEPT_ANOMALIES, is_sample.to_string());
        let etl = self.job(&load, &mut |line| self.log(line)).await?;
        self.progress.step("writing the report");
        self.job(&Job::new(JobKind::Report), &mut |line| self.log(line)).await?;
        Ok(etl)
    }

    /// Writes a sample unless there are datasets; returns whether the datasets are a sample.
    async fn sample(&self, rows: Option<u64>) -> Result<bool> {
        let present = datasets::list(&self.target.storage.datasets().await?).await?;
        let present: Vec<_> = present.into_iter().map(|dataset| (dataset.name, dataset.size)).collect();
        let rows = match self.local.samples().plan(&present, rows)? {
            SamplePlan::UseDatasets => {
                self.progress.step("using the datasets in storage");
                return Ok(false);
            }
            SamplePlan::UseSample(rows) => {
                self.progress.step(&format!("using the existing sample of {rows} rows"));
                return Ok(true);
            }
            SamplePlan::Make(rows) => rows,
        };
        self.progress.step(&format!("writing a sample of {rows} rows"));
        let folder = self.local.samples().new_folder()?;
        let mut make = Job::new(JobKind::Sample);
        let words = ["--rows", &rows.to_string(), "--seed", "1", "--out", &folder.display().to_string()];
        make.arguments = words.map(str::to_owned).into();
        self.job(&make, &mut |line| self.warn(line)).await?;
        self.local.samples().adopt(rows)?;
        Ok(true)
    }

    fn log(&self, line: &LogLine) {
        if let Some(printer) = self.printer {
            printer.log(line);
        }
    }

    fn warn(&self, line: &LogLine) {
        if let Some(printer) = self.printer {
            warnings_only(printer)(line);
        }
    }

    /// Runs a job to its end. It is stopped with the demo, unless it may detach.
    async fn job(&self, job: &Job, show: &mut (dyn FnMut(&LogLine) + Send)) -> Result<Uuid> {
        let following = Following::start(self.target, job).await?;
        let run = following.run();
        let may_detach = self.detach && job.kind != JobKind::Sample;
        let _attached = (!may_detach).then(|| self.local.attach(run));
        following.to_end(self.target, show).await?;
        Ok(run)
    }
}

async fn summarize(target: &Target, etl: Uuid, lease: &Lease, settings: &Settings) -> Result<Summary> {
    let database = target.databases.database(DatabaseAccess::READ).await?;
    let mut connection = db::connect(&database).await?;
    let run = db::runs::find(&mut connection, &etl.to_string()).await?;
    let already_loaded = run.status == "skipped";
    let loaded = if already_loaded { db::runs::published(&mut connection).await? } else { Some(run) };
    let loaded = loaded.ok_or_else(|| Failure::new("no release is published"))?;
    let issues = db::runs::issues(&mut connection, loaded.run_id).await?;
    let store = target.storage.reports().await?;
    let report = reports::text(&store, &reports::find(&store, reports::LATEST).await?).await?;
    let stays_up = lease.is_kept()?;
    Ok(Summary::new(target.location(), already_loaded, loaded, issues, report, stays_up, settings))
}
