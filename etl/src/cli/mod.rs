//! The command line of `etl`, which is the image's program and, hidden, a part of `covidctl`: the same entry for both.
//!
//! Every setting is a flag and an environment variable. The functions here only settle them and say how it ended.

mod run;

use std::ffi::OsString;
use std::io::Write as _;
use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Args, Parser, Subcommand};
use uuid::Uuid;

use self::run::{RollbackArgs, RunArgs};
use crate::dataset::Dataset;
use crate::ecs_metadata::EcsTask;
use crate::log::{self, Format};
use crate::record::{Record, RunOrigin, RunStatus};
use crate::report::Language;
use crate::runs::RunKind;
use crate::signals::Signals;
use crate::store::Store;
use crate::{database, download, estimate, migrate, report, sample};
use common::failure::{Context as _, Exit, Failure, Result};
use common::terminal::visible;
use common::{env, terminal};

/// Loads the Argentine Covid-19 line list into PostgreSQL and writes its reports
#[derive(Debug, Parser)]
#[command(name = "etl", version, arg_required_else_help = true)]
struct Cli {
    #[command(subcommand)]
    command: Command,

    /// How the log looks; it goes to stderr
    #[arg(long, env = env::LOG_FORMAT, value_enum, default_value = "auto", global = true)]
    log_format: Format,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Load the datasets of the store: extract, clean, load, publish
    Run(RunArgs),
    /// Ask the questions and write the report to the store
    Report(ReportArgs),
    /// Fetch the datasets that are new into the store, each whole or not at all
    Download(DownloadArgs),
    /// Publish the release before the published one again
    Rollback(RollbackArgs),
    /// Bring the database's schema up to date
    Migrate(DatabaseArgs),
    /// Make a sample in the ministry's format, the same for the same seed
    Sample(SampleArgs),
    /// Estimate reproduction number, fatality or missing reports from counts in CSV files
    #[command(subcommand)]
    Estimate(estimate::Command),
}

#[derive(Debug, Args)]
struct DatabaseArgs {
    /// PostgreSQL, as `postgres://user:password@host:port/database`
    // Never shown: it holds a password.
    #[arg(long, env = env::DATABASE_URL, hide_env_values = true)]
    database_url: String,
}

#[derive(Debug, Args)]
struct ReportsArgs {
    /// Where reports and run records go; the store where it is not given
    #[arg(long, env = env::REPORTS_URL)]
    reports_url: Option<String>,
}

#[derive(Debug, Args)]
struct RunIdArgs {
    /// The id of this run; a new one where none is given
    #[arg(long, env = env::RUN_ID)]
    run_id: Option<Uuid>,

    /// Who started it, for its record
    #[arg(long, env = env::STARTED_BY, hide_env_values = true)]
    started_by: Option<String>,

    /// Where a container on ECS asks what it is
    #[arg(long, env = env::ECS_METADATA, hide = true)]
    ecs_metadata: Option<String>,
}

impl RunIdArgs {
    async fn origin(&self) -> RunOrigin {
        let task = EcsTask::fetch(self.ecs_metadata.as_deref()).await;
        RunOrigin { started_by: self.started_by.clone(), task }
    }
}

#[derive(Debug, Args)]
struct ReportArgs {
    #[command(flatten)]
    database: DatabaseArgs,

    /// Where the report goes, unless `--reports-url` says otherwise
    #[arg(long, env = env::STORE_URL, required_unless_present = "reports_url")]
    store_url: Option<String>,

    #[command(flatten)]
    reports: ReportsArgs,

    /// The language of the text
    #[arg(long = "lang", env = env::REPORT_LANG, value_enum, default_value_t)]
    language: Language,

    #[command(flatten)]
    id: RunIdArgs,
}

#[derive(Debug, Args)]
struct DownloadArgs {
    /// Where the datasets go: `file:///folder` or `s3://bucket/prefix`
    #[arg(long, env = env::STORE_URL)]
    store_url: String,

    #[command(flatten)]
    sources: SourceArgs,

    #[command(flatten)]
    reports: ReportsArgs,

    #[command(flatten)]
    id: RunIdArgs,
}

/// Where the datasets are published.
#[derive(Debug, Args)]
#[expect(clippy::struct_field_names, reason = "the names of the flags")]
pub struct SourceArgs {
    /// Where `Covid19Casos.zip` is published [default: the health ministry's site]
    #[arg(long, env = env::CASES_URL, value_name = "URL")]
    cases_url: Option<String>,

    /// Where `provincias.csv` is published [default: the national data portal]
    #[arg(long, env = env::PROVINCES_URL, value_name = "URL")]
    provinces_url: Option<String>,

    /// Where `departamentos.csv` is published [default: the national data portal]
    #[arg(long, env = env::DEPARTMENTS_URL, value_name = "URL")]
    departments_url: Option<String>,

    /// Where `Covid19Determinaciones.zip` is published, which is optional [default: the health ministry's site]
    #[arg(long, env = env::TESTS_URL, value_name = "URL")]
    tests_url: Option<String>,

    /// Where `Covid19VacunasAgrupadas.csv.zip` is published, which is optional [default: the health ministry's site]
    #[arg(long, env = env::VACCINATIONS_URL, value_name = "URL")]
    vaccinations_url: Option<String>,
}

impl From<SourceArgs> for download::Options {
    fn from(arguments: SourceArgs) -> Self {
        Self::new(|dataset| match dataset {
            Dataset::Provinces => arguments.provinces_url.clone(),
            Dataset::Departments => arguments.departments_url.clone(),
            Dataset::Cases => arguments.cases_url.clone(),
            Dataset::Tests => arguments.tests_url.clone(),
            Dataset::Vaccinations => arguments.vaccinations_url.clone(),
        })
    }
}

#[derive(Debug, Args)]
struct SampleArgs {
    /// How many rows the line list has
    #[arg(long, default_value_t = 300_000)]
    rows: u64,

    /// Another seed makes another sample
    #[arg(long, default_value_t = 1)]
    seed: u64,

    /// The share of rows that are spoiled in one of the ways that the rules know, 0 to 1
    #[arg(long, default_value_t = 0.0)]
    dirty: f64,

    /// The folder for the files
    #[arg(long)]
    out: PathBuf,
}

/// Parses the arguments (the first is the program's name), does the work, says how it ended.
pub fn main(arguments: impl IntoIterator<Item = OsString>) -> ExitCode {
    let cli = match Cli::try_parse_from(arguments) {
        Ok(cli) => cli,
        Err(error) => {
            // Nothing is left to be done where even this cannot be printed.
            drop(error.print());
            return ExitCode::from(if error.use_stderr() { Exit::Usage.code() } else { 0 });
        }
    };
    log::init(cli.log_format);
    let format = cli.log_format;
    match perform(cli) {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            say(&failure, format);
            ExitCode::from(failure.exit().code())
        }
    }
}

fn perform(cli: Cli) -> Result<()> {
    let log_format = cli.log_format;
    match cli.command {
        Command::Run(arguments) => in_runtime(run::run(arguments, log_format)),
        Command::Rollback(arguments) => in_runtime(run::rollback(arguments)),
        Command::Report(arguments) => in_runtime(report(arguments)),
        Command::Download(arguments) => in_runtime(download(arguments)),
        Command::Sample(arguments) => sample(arguments),
        Command::Migrate(arguments) => in_runtime(migrate(arguments)),
        Command::Estimate(command) => estimate::run(&command),
    }
}

/// Two threads serve the network; the work that needs a processor has threads of its own.
fn in_runtime<T>(work: impl Future<Output = Result<T>>) -> Result<T> {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build();
    let runtime = runtime.context(|| "cannot start the runtime".to_owned())?;
    let result = runtime.block_on(work);
    // A thread that still waits for a store must not hold the exit back.
    runtime.shutdown_background();
    result
}

async fn report(arguments: ReportArgs) -> Result<()> {
    let run_id = arguments.id.run_id.unwrap_or_else(Uuid::new_v4);
    let url = arguments.reports.reports_url.or(arguments.store_url).unwrap_or_default();
    let reports = Store::open_or_create(&url)?;
    let origin = arguments.id.origin().await;
    let mut record = Record::open(run_id, RunKind::Report, origin, &reports).await?;
    let options = report::Options { language: arguments.language, run_id, started_at: record.started_at };
    let result = report::run(&options, &arguments.database.database_url, &reports).await;
    record.end(&result, |_| RunStatus::Succeeded);
    record.report = result.as_ref().ok().map(|written| written.folder.clone());
    record.write(&reports).await;
    show(&result?)
}

/// Prints a report for whoever sits at a terminal; a program finds it in the store.
fn show(written: &report::Written) -> Result<()> {
    let Some(width) = terminal::width() else { return Ok(()) };
    let text = serde_json::from_slice(&written.document)
        .ok()
        .and_then(|document| report::text_of(&document, width))
        .unwrap_or_else(|| written.text.clone());
    let mut out = std::io::stdout().lock();
    match out.write_all(text.as_bytes()).and_then(|()| out.flush()) {
        // Whoever read it had seen enough.
        Err(error) if error.kind() == std::io::ErrorKind::BrokenPipe => Ok(()),
        written => written.context(|| "cannot print the report".to_owned()),
    }
}

async fn download(arguments: DownloadArgs) -> Result<()> {
    let store = Store::open_or_create(&arguments.store_url)?;
    let reports =
        arguments.reports.reports_url.as_deref().map_or_else(|| Ok(store.clone()), Store::open_or_create)?;
    let run_id = arguments.id.run_id.unwrap_or_else(Uuid::new_v4);
    let origin = arguments.id.origin().await;
    let mut record = Record::open(run_id, RunKind::Download, origin, &reports).await?;
    let options = download::Options::from(arguments.sources);
    let mut signals = Signals::listen();
    let result = signals.or_interrupted(download::run(&options, &store, None)).await;
    record.end(&result, |ended| match ended {
        download::Ended::Whole { replaced: 0 } => RunStatus::Skipped,
        _ => RunStatus::Succeeded,
    });
    record.write(&reports).await;
    result.map(drop)
}

fn sample(arguments: SampleArgs) -> Result<()> {
    let options = sample::Options {
        rows: arguments.rows,
        seed: arguments.seed,
        dirty: arguments.dirty,
        out: arguments.out,
    };
    let written = sample::write(&options, &|_| {})?;
    tracing::info!(
        rows = written.rows,
        csv_bytes = written.csv_bytes,
        zip_bytes = written.zip_bytes,
        folder = %options.out.display(),
        "sample written"
    );
    Ok(())
}

async fn migrate(arguments: DatabaseArgs) -> Result<()> {
    let mut session = database::connect(&arguments.database_url, Uuid::new_v4()).await?;
    match migrate::migrate(&mut session).await? {
        0 => tracing::info!("the schema is up to date"),
        applied => tracing::info!(applied, "the schema was brought up to date"),
    }
    Ok(())
}

/// The last thing that a failed run says: a log line for machines, two lines for people.
fn say(failure: &Failure, format: Format) {
    if format.is_text() {
        let hint = failure.hint_text().map_or_else(String::new, |hint| format!("\nhint: {hint}\n"));
        // Nothing is left to be done where even this cannot be printed.
        drop(writeln!(std::io::stderr(), "{}", visible(&format!("error: {failure}\n{hint}"))));
    } else {
        tracing::error!(hint = failure.hint_text(), exit_code = failure.exit().code(), "{failure}");
    }
}
