//! The command line of `etl`, shared by the image's program and a hidden subcommand of `covidctl`.
//!
//! Every setting is a flag and an environment variable.

mod args;
mod run;

use std::ffi::OsString;
use std::io::Write as _;
use std::path::PathBuf;
use std::process::ExitCode;

use clap::builder::FalseyValueParser;
use clap::{Args, Parser, Subcommand};
use uuid::Uuid;

use self::args::{DatabaseArgs, ReportsArgs, RunIdArgs};
use self::run::{RollbackArgs, RunArgs};
use crate::database::Database;
use crate::dataset::Dataset;
use crate::interrupts::Interrupts;
use crate::log::{self, Format};
use crate::phases::PhaseName;
use crate::record::{Record, RunStatus};
use crate::report::Language;
use crate::runs::RunKind;
use crate::store::Store;
use crate::{backtest, download, estimate, migrate, report, sample};
use common::failure::{Context as _, Exit, Failure, Result};
use common::terminal::visible;
use common::{env, terminal};

/// Load the Argentine Covid-19 line list into PostgreSQL and write reports
#[derive(Debug, Parser)]
#[command(name = "etl", version, arg_required_else_help = true)]
struct Cli {
    #[command(subcommand)]
    command: Command,

    /// Log format; logs go to stderr
    #[arg(long, env = env::LOG_FORMAT, value_enum, default_value = "auto", global = true)]
    log_format: Format,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Extract, clean, load and publish the datasets in the store
    Run(RunArgs),
    /// Write a report on the published release
    Report(ReportArgs),
    /// Download new versions of the datasets into the store
    Download(DownloadArgs),
    /// Publish an earlier release again
    Rollback(RollbackArgs),
    /// Apply pending schema migrations
    Migrate(DatabaseArgs),
    /// Generate a reproducible synthetic dataset in the ministry's format
    Sample(SampleArgs),
    /// Estimate epidemic indicators from daily counts in CSV files
    #[command(subcommand)]
    Estimate(estimate::Command),
    /// Replay archived releases and measure how good nowcasts and reproduction numbers were
    Backtest(backtest::BacktestArgs),
}

#[derive(Debug, Args)]
struct ReportArgs {
    #[command(flatten)]
    database: DatabaseArgs,

    /// Store URL for the report; overridden by `--reports-url`
    #[arg(long, env = env::STORE_URL, required_unless_present = "reports_url")]
    store_url: Option<String>,

    #[command(flatten)]
    reports: ReportsArgs,

    /// Language of the report
    #[arg(long = "lang", env = env::REPORT_LANG, value_enum, default_value_t)]
    language: Language,

    #[command(flatten)]
    id: RunIdArgs,
}

#[derive(Debug, Args)]
struct DownloadArgs {
    /// Store URL for the datasets: `file:///folder` or `s3://bucket/prefix`
    #[arg(long, env = env::STORE_URL)]
    store_url: String,

    #[command(flatten)]
    sources: SourceArgs,

    #[command(flatten)]
    reports: ReportsArgs,

    #[command(flatten)]
    id: RunIdArgs,
}

#[derive(Debug, Args)]
pub struct SourceArgs {
    /// URL of `Covid19Casos.zip` [default: the health ministry's site]
    #[arg(long, env = env::CASES_URL, value_name = "URL")]
    cases_url: Option<String>,

    /// URL of `provincias.csv` [default: the national data portal]
    #[arg(long, env = env::PROVINCES_URL, value_name = "URL")]
    provinces_url: Option<String>,

    /// URL of `departamentos.csv` [default: the national data portal]
    #[arg(long, env = env::DEPARTMENTS_URL, value_name = "URL")]
    departments_url: Option<String>,

    /// URL of the optional `Covid19Determinaciones.zip` [default: the health ministry's site]
    #[arg(long, env = env::TESTS_URL, value_name = "URL")]
    tests_url: Option<String>,

    /// URL of the optional `Covid19VacunasAgrupadas.csv.zip` [default: the health ministry's site]
    #[arg(long, env = env::VACCINATIONS_URL, value_name = "URL")]
    vaccinations_url: Option<String>,

    /// Download the optional `datos_nomivac_covid19.zip`, too: a row for each dose, 119 million rows
    #[arg(long, env = env::DOSES, value_parser = FalseyValueParser::new(), action = clap::ArgAction::SetTrue)]
    doses: bool,

    /// URL of `datos_nomivac_covid19.zip`; implies `--doses` [default: the health ministry's site]
    #[arg(long, env = env::DOSES_URL, value_name = "URL")]
    doses_url: Option<String>,

    /// Follow redirects to other hosts, or from HTTPS to HTTP
    #[arg(long, env = env::ALLOW_REDIRECTS, value_parser = FalseyValueParser::new(), action = clap::ArgAction::SetTrue)]
    allow_redirects: bool,

    /// Largest size of a file in GB
    #[arg(long, env = env::MAX_DOWNLOAD_GB, value_name = "N", default_value_t = download::DEFAULT_MAX_GIGABYTES)]
    #[arg(value_parser = clap::value_parser!(u64).range(1..1_000_000))]
    max_download_gb: u64,
}

impl From<SourceArgs> for download::Options {
    fn from(arguments: SourceArgs) -> Self {
        let limits = download::Limits {
            allow_redirects: arguments.allow_redirects,
            max_size: arguments.max_download_gb * 1_000_000_000,
        };
        let options = Self::new(|dataset| match dataset {
            Dataset::Provinces => arguments.provinces_url.clone(),
            Dataset::Departments => arguments.departments_url.clone(),
            Dataset::Cases => arguments.cases_url.clone(),
            Dataset::Tests => arguments.tests_url.clone(),
            Dataset::Vaccinations => arguments.vaccinations_url.clone(),
            Dataset::Doses => {
                let url = arguments.doses_url.clone().filter(|url| !url.is_empty());
                url.or_else(|| arguments.doses.then(|| dataset.url()))
            }
        });
        Self { limits, ..options }
    }
}

#[derive(Debug, Args)]
struct SampleArgs {
    /// Number of rows in the line list
    #[arg(long, default_value_t = 300_000)]
    rows: u64,

    /// Seed of the random number generator
    #[arg(long, default_value_t = 1)]
    seed: u64,

    /// Share of rows with a defect, from 0 to 1
    #[arg(long, default_value_t = 0.0)]
    dirty: f64,

    /// Number of rows in the optional register of doses; none is written without it
    #[arg(long, value_name = "N", default_value_t = 0, hide_default_value = true)]
    doses: u64,

    /// Output folder
    #[arg(long)]
    out: PathBuf,
}

/// Returns the definition of the command line.
pub fn command() -> clap::Command {
    <Cli as clap::CommandFactory>::command()
}

/// Runs the command line (the first argument is the program's name); returns its exit code.
pub fn main(arguments: impl IntoIterator<Item = OsString>) -> ExitCode {
    let cli = match Cli::try_parse_from(arguments) {
        Ok(cli) => cli,
        Err(error) => {
            drop(error.print());
            return ExitCode::from(if error.use_stderr() { Exit::Usage.code() } else { 0 });
        }
    };
    log::init(cli.log_format);
    let format = cli.log_format;
    match dispatch(cli) {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            report_failure(&failure, format);
            ExitCode::from(failure.exit().code())
        }
    }
}

fn dispatch(cli: Cli) -> Result<()> {
    let log_format = cli.log_format;
    match cli.command {
        Command::Run(arguments) => in_runtime(run::run(arguments, log_format)),
        Command::Rollback(arguments) => in_runtime(run::rollback(arguments)),
        Command::Report(arguments) => in_runtime(report(arguments)),
        Command::Download(arguments) => in_runtime(download(arguments)),
        Command::Sample(arguments) => sample(arguments),
        Command::Migrate(arguments) => in_runtime(migrate(arguments)),
        Command::Estimate(command) => print("the estimates", &estimate::run(&command)?),
        Command::Backtest(arguments) => {
            let scores = in_runtime(async {
                Interrupts::listen(None).or_interrupted(backtest::run(&arguments)).await
            });
            print("the scores", &scores?)
        }
    }
}

/// Runs on a runtime with two threads for I/O; CPU-bound work has its own threads.
fn in_runtime<T>(work: impl Future<Output = Result<T>>) -> Result<T> {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build();
    let runtime = runtime.context(|| "cannot start the runtime".to_owned())?;
    let result = runtime.block_on(work);
    // Does not wait for threads that block on a store.
    runtime.shutdown_background();
    result
}

async fn report(arguments: ReportArgs) -> Result<()> {
    let reports = arguments.reports.open(arguments.store_url)?;
    let (language, run_id) = (arguments.language, arguments.id.run_id);
    let work = async |record: &mut Record, interrupts: &mut Interrupts| {
        let options = report::Options { language, run_id, started_at: record.started_at };
        record.phases.begin(PhaseName::Report);
        let written = report::run(&options, &arguments.database.database_url, &reports, interrupts).await?;
        record.report = Some(written.folder.clone());
        Ok(written)
    };
    let written = arguments.id.recorded(RunKind::Report, &reports, work, |_| RunStatus::Succeeded).await?;
    let Some(width) = terminal::width() else { return Ok(()) };
    let document = serde_json::from_slice(&written.document).ok();
    let text = document.and_then(|document| report::text_of(&document, width)).unwrap_or(written.text);
    print("the report", &common::ascii::in_locale(&text))
}

/// Prints text to stdout; a closed pipe, such as that of a pager, is no error.
fn print(what: &str, text: &str) -> Result<()> {
    let mut out = std::io::stdout().lock();
    match out.write_all(text.as_bytes()).and_then(|()| out.flush()) {
        Err(error) if error.kind() == std::io::ErrorKind::BrokenPipe => Ok(()),
        written => written.context(|| format!("cannot print {what}")),
    }
}

async fn download(arguments: DownloadArgs) -> Result<()> {
    let store = Store::open_or_create(&arguments.store_url)?;
    let reports = arguments.reports.open(Some(arguments.store_url))?;
    let options = download::Options::from(arguments.sources);
    let work = async |record: &mut Record, interrupts: &mut Interrupts| {
        record.phases.begin(PhaseName::Download);
        interrupts.or_interrupted(download::run(&options, &store, None)).await
    };
    let status = |ended: &download::Ended| match ended {
        download::Ended::Complete { replaced: 0 } => RunStatus::Skipped,
        _ => RunStatus::Succeeded,
    };
    arguments.id.recorded(RunKind::Download, &reports, work, status).await.map(drop)
}

fn sample(arguments: SampleArgs) -> Result<()> {
    let options = sample::Options {
        rows: arguments.rows,
        seed: arguments.seed,
        dirty: arguments.dirty,
        doses: arguments.doses,
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
    let database = Database::new(&arguments.database_url, Uuid::new_v4());
    let migrate = async { migrate::migrate(&mut *database.connect().await?).await };
    match Interrupts::listen(None).or_interrupted(database.watched(migrate)).await? {
        0 => tracing::info!("schema is up to date"),
        applied => tracing::info!(applied, "schema migrated"),
    }
    Ok(())
}

/// Prints the error and its hint as text, or logs them as JSON.
fn report_failure(failure: &Failure, format: Format) {
    if format.is_text() {
        let hint = failure.hint_text().map_or_else(String::new, |hint| format!("\nhint: {hint}\n"));
        drop(writeln!(std::io::stderr(), "{}", visible(&format!("error: {failure}\n{hint}"))));
    } else {
        tracing::error!(hint = failure.hint_text(), exit_code = failure.exit().code(), "{failure}");
    }
}
