//! The Lambda: downloads what is new and then starts the load.
//!
//! The download itself is `etl::download`; here is only what belongs to Lambda. Shortly before its time is over it invokes itself with
//! what is needed to go on, a bounded number of times. The download is a run like others, with a record in the store and an id that
//! stays the same when Lambda tries an event again: one that ended well is not done twice. The load is started with its id as client
//! token, so that a retry of the same event starts it once. It is started after a download that found nothing new as well: the load sees
//! that for itself in seconds, and one that failed yesterday gets its chance today.

mod again;
mod load;

use std::sync::Arc;
use std::time::{Duration, SystemTime};

use aws_config::{BehaviorVersion, SdkConfig};
use clap::Parser;
use common::env;
use common::failure::{Failure, Result};
use etl::cli::SourceArgs;
use etl::download::{self, Ended, Options, Unfinished};
use etl::ecs_metadata::EcsTask;
use etl::log::{self, Format};
use etl::record::{Record, RunOrigin, RunStatus};
use etl::runs::RunKind;
use etl::store::Store;
use lambda_runtime::{Context, Error, LambdaEvent, service_fn};
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};
use tracing::Instrument as _;
use uuid::Uuid;

use crate::load::Load;

/// What is left of the time when a download stops, to let the last part arrive and to pass on the rest.
const MARGIN: Duration = Duration::from_secs(45);

/// How often it goes on. Lambda itself takes a function that calls itself more than about sixteen times for a mistake.
const MOST_HOPS: u32 = 12;

/// The environment.
#[derive(Debug, Parser)]
#[command(name = "downloader", version)]
struct Settings {
    /// Where the datasets go
    #[arg(long, env = env::STORE_URL)]
    store_url: String,

    /// Where the records of runs go; the store where it is not given
    #[arg(long, env = env::REPORTS_URL)]
    reports_url: Option<String>,

    #[command(flatten)]
    sources: SourceArgs,

    #[command(flatten)]
    load: Load,
}

/// What it is invoked with: nothing by the schedule, ids and names by whoever wants to follow it, the rest by itself.
#[derive(Debug, Serialize, Deserialize)]
#[serde(default)]
struct Event {
    /// The download's.
    #[serde(skip_serializing_if = "Option::is_none")]
    download_id: Option<Uuid>,
    /// The load's.
    #[serde(skip_serializing_if = "Option::is_none")]
    run_id: Option<Uuid>,
    /// Whether a load comes after the download.
    load: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    started_by: Option<String>,
    hop: u32,
    #[serde(skip_serializing_if = "Option::is_none")]
    unfinished: Option<Unfinished>,
}

impl Default for Event {
    fn default() -> Self {
        Self { download_id: None, run_id: None, load: true, started_by: None, hop: 0, unfinished: None }
    }
}

/// What it answers.
#[derive(Debug, Serialize)]
struct Answer {
    /// The download's.
    download_id: Uuid,
    /// The load's.
    #[serde(skip_serializing_if = "Option::is_none")]
    run_id: Option<Uuid>,
    /// Whether another invocation goes on.
    continued: bool,
    /// How many datasets are new.
    replaced: usize,
}

#[tokio::main]
async fn main() -> Result<(), Error> {
    log::init(Format::Json);
    let settings = Settings::try_parse_from(["downloader"])?;
    let config = aws_config::load_defaults(BehaviorVersion::latest()).await;
    let store = Store::open(&settings.store_url)?;
    let reports = settings.reports_url.as_deref().map_or_else(|| Ok(store.clone()), Store::open)?;
    let (options, load) = (Options::from(settings.sources), settings.load);
    let downloader = &Downloader { options, load, store, reports, config };
    lambda_runtime::run(service_fn(|event: LambdaEvent<Event>| async move {
        let (event, context) = (event.payload, event.context);
        // The id of an event stays the same when Lambda tries it again.
        let id = event.download_id.or_else(|| context.request_id.parse().ok()).unwrap_or_else(Uuid::new_v4);
        // Every line says whose it is, so that the log of one download can be told from that of another.
        let span = tracing::info_span!("download", download_id = %id);
        let answer = async {
            let answer = downloader.handle(id, event, &context).await;
            answer.inspect_err(|failure| tracing::error!(hint = failure.hint_text(), "{failure}"))
        };
        answer.instrument(span).await.map_err(Error::from)
    }))
    .await
}

/// Everything that stays the same from one event to the next.
struct Downloader {
    options: Options,
    load: Load,
    store: Store,
    reports: Store,
    config: SdkConfig,
}

impl Downloader {
    async fn handle(&self, id: Uuid, event: Event, context: &Context) -> Result<Answer> {
        let mut record = match Record::read(id, &self.reports).await {
            Ok(Some((record, _))) if matches!(record.status, RunStatus::Succeeded | RunStatus::Skipped) => {
                tracing::info!("this download is done already");
                return Ok(Answer { download_id: id, run_id: event.run_id, continued: false, replaced: 0 });
            }
            // One that failed before gets its next try; one that goes on is touched, which says that it lives.
            Ok(Some((record, _))) => Record {
                status: RunStatus::Running,
                finished_at: None,
                exit_code: None,
                error: None,
                ..record
            },
            // What cannot be read is no reason to let the data grow old.
            Ok(None) | Err(_) => {
                let task = EcsTask { arn: None, log_stream: Some(context.env_config.log_stream.clone()) };
                Record::begin(id, Kind::Download, RunOrigin { started_by: event.started_by.clone(), task })
            }
        };
        record.write(&self.reports).await;
        let result = self.download(id, event, context).await;
        if !matches!(&result, Ok(answer) if answer.continued) {
            record.end(&result, |answer| match answer.replaced {
                0 => RunStatus::Skipped,
                _ => RunStatus::Succeeded,
            });
            record.write(&self.reports).await;
        }
        result
    }

    async fn download(&self, id: Uuid, event: Event, context: &Context) -> Result<Answer> {
        let options = self.options.clone();
        let stop = Arc::clone(&options.stop);
        let left = time_left(context);
        let clock = tokio::spawn(async move {
            tokio::time::sleep(left).await;
            stop.notify_one();
        });
        let ended = download::run(&options, &self.store, event.unfinished).await;
        clock.abort();
        match ended? {
            Ended::Whole { replaced } => {
                let run_id = event.load.then(|| event.run_id.unwrap_or_else(|| load_of(id)));
                if let Some(run_id) = run_id {
                    self.load.start(&self.config, run_id, event.started_by.as_deref()).await?;
                    tracing::info!(%run_id, replaced, "the load is started");
                }
                Ok(Answer { download_id: id, run_id, continued: false, replaced })
            }
            Ended::Unfinished(unfinished) if event.hop >= MOST_HOPS => {
                download::forget(&unfinished, &self.store).await;
                Err(Failure::new(format!("the download was not done after {MOST_HOPS} continuations"))
                    .hint("the source is too slow today; what is in the store stays"))
            }
            Ended::Unfinished(unfinished) => {
                let hop = event.hop + 1;
                let next = Event { download_id: Some(id), hop, unfinished: Some(unfinished), ..event };
                again::invoke(&self.config, &context.env_config.function_name, &next).await?;
                tracing::info!(hop, "another invocation goes on");
                Ok(Answer { download_id: id, run_id: next.run_id, continued: true, replaced: 0 })
            }
        }
    }
}

/// The id of the load after a download, where nobody gave it one: the same however often the event is tried.
fn load_of(download: Uuid) -> Uuid {
    let digest = Sha256::new().chain_update(b"load after ").chain_update(download.as_bytes()).finalize();
    let mut bytes = [0; 16];
    bytes.copy_from_slice(&digest[..16]);
    // RFC 9562, version 8: made in a way of our own.
    uuid::Builder::from_custom_bytes(bytes).into_uuid()
}

fn time_left(context: &Context) -> Duration {
    context.deadline().duration_since(SystemTime::now()).unwrap_or_default().saturating_sub(MARGIN)
}
