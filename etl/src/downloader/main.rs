//! The Lambda function: downloads new datasets with [`etl::download`] and then starts the load.
//!
//! Shortly before its deadline it invokes itself with the state needed to resume, at most [`MAX_CONTINUATIONS`] times. Retries of an event
//! are idempotent: the download's id is derived from the event and recorded in the store, and the load's id is the client token of its
//! task. The load starts even if no dataset is new: it detects that within seconds, and a load that failed before is retried.

mod start_load;

use std::sync::Arc;
use std::time::{Duration, SystemTime};

use aws_config::{BehaviorVersion, SdkConfig};
use aws_sdk_lambda::primitives::Blob;
use aws_sdk_lambda::types::InvocationType;
use clap::Parser;
use common::env;
use common::failure::{Context as _, Failure, Result};
use etl::cli::SourceArgs;
use etl::download::{self, Ended, Options, Unfinished};
use etl::ecs_metadata::EcsTask;
use etl::log::{self, Format};
use etl::phases::PhaseName;
use etl::record::{Record, RunOrigin, RunStatus};
use etl::runs::RunKind;
use etl::store::Store;
use lambda_runtime::{Context, Error, LambdaEvent, service_fn};
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};
use tracing::Instrument as _;
use uuid::Uuid;

use crate::start_load::LoadTask;

/// Time reserved before the deadline to complete the part in flight and to invoke the next function.
const DEADLINE_MARGIN: Duration = Duration::from_secs(45);

/// Lambda's own loop detection stops a function after about sixteen invocations of itself.
const MAX_CONTINUATIONS: u32 = 12;

#[derive(Debug, Parser)]
#[command(name = "downloader", version)]
struct Settings {
    /// Store URL for the datasets
    #[arg(long, env = env::STORE_URL)]
    store_url: String,

    /// Store URL for run records [default: the store]
    #[arg(long, env = env::REPORTS_URL)]
    reports_url: Option<String>,

    #[command(flatten)]
    sources: SourceArgs,

    #[command(flatten)]
    load: LoadTask,
}

/// The payload: empty from the schedule, with ids and user from `covidctl`, with `unfinished` from the function itself.
#[derive(Debug, Serialize, Deserialize)]
#[serde(default)]
struct Payload {
    #[serde(skip_serializing_if = "Option::is_none")]
    download_id: Option<Uuid>,
    /// The id of the load.
    #[serde(skip_serializing_if = "Option::is_none")]
    run_id: Option<Uuid>,
    /// Whether to start a load after the download.
    load: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    started_by: Option<String>,
    hop: u32,
    #[serde(skip_serializing_if = "Option::is_none")]
    unfinished: Option<Unfinished>,
}

impl Default for Payload {
    fn default() -> Self {
        Self { download_id: None, run_id: None, load: true, started_by: None, hop: 0, unfinished: None }
    }
}

#[derive(Debug, Serialize)]
struct Response {
    download_id: Uuid,
    /// The id of the load.
    #[serde(skip_serializing_if = "Option::is_none")]
    run_id: Option<Uuid>,
    /// Whether another invocation continues the download.
    continued: bool,
    /// The number of new datasets.
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
    lambda_runtime::run(service_fn(|event: LambdaEvent<Payload>| async move {
        let (event, context) = (event.payload, event.context);
        // The request id is the same if Lambda retries an event.
        let id = event.download_id.or_else(|| context.request_id.parse().ok()).unwrap_or_else(Uuid::new_v4);
        let span = tracing::info_span!("download", download_id = %id);
        let response = async {
            let response = downloader.handle(id, event, &context).await;
            response.inspect_err(|failure| tracing::error!(hint = failure.hint_text(), "{failure}"))
        };
        response.instrument(span).await.map_err(Error::from)
    }))
    .await
}

struct Downloader {
    options: Options,
    load: LoadTask,
    store: Store,
    reports: Store,
    config: SdkConfig,
}

impl Downloader {
    async fn handle(&self, id: Uuid, event: Payload, context: &Context) -> Result<Response> {
        let mut record = match Record::read(id, &self.reports).await {
            Ok(Some((record, _))) if matches!(record.status, RunStatus::Succeeded | RunStatus::Skipped) => {
                tracing::info!("download already completed");
                return Ok(Response { download_id: id, run_id: event.run_id, continued: false, replaced: 0 });
            }
            // Retries a failed download, or marks a continued one as alive.
            Ok(Some((record, _))) => Record {
                status: RunStatus::Running,
                finished_at: None,
                exit_code: None,
                error: None,
                ..record
            },
            // An unreadable record does not stop the download.
            Ok(None) | Err(_) => {
                let log_stream = Some(context.env_config.log_stream.clone());
                let task = EcsTask { log_stream, ..EcsTask::default() };
                let origin = RunOrigin { started_by: event.started_by.clone(), requested_at: None, task };
                let mut record = Record::begin(id, RunKind::Download, origin);
                record.phases.begin(PhaseName::Download);
                record
            }
        };
        record.write(&self.reports).await;
        let result = self.download(id, event, context).await;
        if !matches!(&result, Ok(response) if response.continued) {
            record.end(&result, |response| match response.replaced {
                0 => RunStatus::Skipped,
                _ => RunStatus::Succeeded,
            });
            record.write(&self.reports).await;
        }
        result
    }

    async fn download(&self, id: Uuid, event: Payload, context: &Context) -> Result<Response> {
        let options = self.options.clone();
        let stop = Arc::clone(&options.stop);
        let left = context.deadline().duration_since(SystemTime::now()).unwrap_or_default();
        let clock = tokio::spawn(async move {
            tokio::time::sleep(left.saturating_sub(DEADLINE_MARGIN)).await;
            stop.notify_one();
        });
        let ended = download::run(&options, &self.store, event.unfinished).await;
        clock.abort();
        match ended? {
            Ended::Complete { replaced } => {
                let run_id = event.load.then(|| event.run_id.unwrap_or_else(|| load_id(id)));
                if let Some(run_id) = run_id {
                    self.load.start(&self.config, run_id, event.started_by.as_deref()).await?;
                    tracing::info!(%run_id, replaced, "load started");
                }
                Ok(Response { download_id: id, run_id, continued: false, replaced })
            }
            Ended::Unfinished(unfinished) if event.hop >= MAX_CONTINUATIONS => {
                download::discard(&unfinished, &self.store).await;
                let what = format!("the download is incomplete after {MAX_CONTINUATIONS} continuations");
                Err(Failure::new(what)
                    .hint("the server is too slow; the store is unchanged, try again later"))
            }
            Ended::Unfinished(unfinished) => {
                let hop = event.hop + 1;
                let next = Payload { download_id: Some(id), hop, unfinished: Some(unfinished), ..event };
                reinvoke(&self.config, &context.env_config.function_name, &next).await?;
                tracing::info!(hop, "download continues in another invocation");
                Ok(Response { download_id: id, run_id: next.run_id, continued: true, replaced: 0 })
            }
        }
    }
}

/// Invokes this Lambda function again, asynchronously.
async fn reinvoke(config: &SdkConfig, function: &str, event: &Payload) -> Result<()> {
    let payload = serde_json::to_vec(event).context(|| "cannot encode the event".to_owned())?;
    aws_sdk_lambda::Client::new(config)
        .invoke()
        .function_name(function)
        .invocation_type(InvocationType::Event)
        .payload(Blob::new(payload))
        .send()
        .await
        .map(drop)
        .context(|| format!("cannot invoke `{function}`"))
        .map_err(|failure| failure.hint("allow lambda:InvokeFunction on the function in its role"))
}

/// Derives the id of the load from that of the download, so that it is the same for all retries.
fn load_id(download: Uuid) -> Uuid {
    let digest = Sha256::new().chain_update(b"load after ").chain_update(download.as_bytes()).finalize();
    let mut bytes = [0; 16];
    bytes.copy_from_slice(&digest[..16]);
    // RFC 9562, version 8: custom.
    uuid::Builder::from_custom_bytes(bytes).into_uuid()
}
