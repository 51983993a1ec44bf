//! `covidctl demo`: the whole pipeline on this machine in one command.
//!
//! It uses the data directory of the local target, so that `status`, `runs` and `psql` show its results. PostgreSQL is stopped when the
//! demo ends, unless `covidctl up` started it.

mod summary;

use std::cell::RefCell;
use std::rc::Rc;
use std::sync::Arc;

use common::env;
use common::failure::Result;
use uuid::Uuid;

use super::{screens, warnings_only};
use crate::connect;
use crate::local::{Lease, Local, SamplePlan};
use crate::ops::follow::Following;
use crate::ops::{datasets, up};
use crate::printer::Printer;
use crate::settings::{Format, Settings};
use crate::tui;
use logs::LogLine;
use target::{Job, JobKind, Progress, Target};

pub(super) async fn run(
    rows: Option<u64>,
    headless: bool,
    settings: &Settings,
    printer: &Arc<Printer>,
) -> Result<()> {
    settings.may_change("run the demo")?;
    let local = Arc::new(connect::local(settings)?);
    if !headless && printer.format() == Format::Text && screens::is_possible() {
        return with_screens(local, rows, settings, printer).await;
    }
    let lease = local.lease(false, Arc::<Printer>::clone(printer)).await?;
    let target = Arc::clone(&local).target();
    let demo = Pipeline { local, target, progress: Arc::<Printer>::clone(printer), printer: Some(printer) };
    let etl = demo.run(rows).await?;
    printer.show(&summary::summarize(&demo.target, etl, &lease, settings).await?)
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
            let taken = worker.lease(false, Arc::clone(&progress)).await?;
            kept.replace(Some(taken));
            let target = Arc::clone(&worker).target();
            Pipeline { local: worker, target, progress, printer: None }.run(rows).await.map(drop)
        };
        Some(Box::pin(work) as tui::Work)
    };
    let left = tui::run(settings, local.target(), work).await?;
    screens::report_exit(left, printer);
    Ok(())
}

/// The steps of the demo while PostgreSQL runs.
struct Pipeline<'a> {
    local: Arc<Local>,
    target: Target,
    progress: Arc<dyn Progress>,
    /// Prints the logs of jobs. The screens read logs themselves, and loads and reports go on when they are closed.
    printer: Option<&'a Printer>,
}

impl Pipeline<'_> {
    /// Runs all steps and returns the id of the load.
    async fn run(&self, rows: Option<u64>) -> Result<Uuid> {
        up::migrate(&self.target, self.progress.as_ref(), &mut |line| self.log(&JobKind::Migrate, line))
            .await?;
        let is_sample = self.sample(rows).await?;
        self.progress.step("loading the datasets");
        // A sample that is smaller than the previous one is no anomaly.
        let load = Job::new(JobKind::Etl).with(env::ACCEPT_ANOMALIES, is_sample.to_string());
        let etl = self.job(&load).await?;
        self.progress.step("writing the report");
        self.job(&Job::new(JobKind::Report)).await?;
        Ok(etl)
    }

    /// Writes a sample unless there are datasets; returns whether the datasets are a sample.
    async fn sample(&self, rows: Option<u64>) -> Result<bool> {
        let present = datasets::list(&self.target.storage.datasets().await?).await?;
        let present: Vec<_> = present.into_iter().map(|dataset| (dataset.name, dataset.size)).collect();
        let rows = match self.local.plan_sample(&present, rows)? {
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
        let folder = self.local.new_sample_folder()?;
        let mut make = Job::new(JobKind::Sample);
        let words = ["--rows", &rows.to_string(), "--seed", "1", "--out", &folder.display().to_string()];
        make.arguments = words.map(str::to_owned).into();
        self.job(&make).await?;
        self.local.adopt_sample(rows)?;
        Ok(true)
    }

    /// Prints the whole log of loads and reports, and the warnings of other jobs.
    fn log(&self, kind: &JobKind, line: &LogLine) {
        match (self.printer, kind) {
            (None, _) => {}
            (Some(printer), JobKind::Etl | JobKind::Report) => printer.log(line),
            (Some(printer), _) => warnings_only(printer)(line),
        }
    }

    /// Runs a job to its end. It is stopped with the demo, unless it may detach.
    async fn job(&self, job: &Job) -> Result<Uuid> {
        let following = Following::start(&self.target, job).await?;
        let run = following.run;
        let may_detach = self.printer.is_none() && job.kind != JobKind::Sample;
        let _attached = (!may_detach).then(|| self.local.attach(run));
        following.to_end(&self.target, &mut |line| self.log(&job.kind, line)).await?;
        Ok(run)
    }
}
