//! The Lambda: downloads what is new and then starts the load.
//!
//! The download itself is `etl::download`; here is only what belongs to Lambda. Shortly before its time is over it invokes itself with
//! what is needed to go on, a bounded number of times. The load is started with the run's id as client token, so that a retry of the same
//! event starts it once. It is started after a download that found nothing new as well: the load sees that for itself in seconds, and
//! one that failed yesterday gets its chance today.

mod again;
mod load;

use std::sync::Arc;
use std::time::{Duration, SystemTime};

use aws_config::{BehaviorVersion, SdkConfig};
use clap::Parser;
use etl::cli::SourceArgs;
use etl::download::{self, Ended, Options, Unfinished};
use etl::env;
use etl::failure::{Failure, Result};
use etl::log::{self, Format};
use etl::store::Store;
use lambda_runtime::{Context, Error, LambdaEvent, service_fn};
use serde::{Deserialize, Serialize};
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

    #[command(flatten)]
    sources: SourceArgs,

    #[command(flatten)]
    load: Load,
}

/// What it is invoked with: nothing by the schedule, an id by whoever wants to follow the load, the rest by itself.
#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(default)]
struct Event {
    #[serde(skip_serializing_if = "Option::is_none")]
    run_id: Option<Uuid>,
    hop: u32,
    #[serde(skip_serializing_if = "Option::is_none")]
    unfinished: Option<Unfinished>,
}

/// What it answers.
#[derive(Debug, Serialize)]
struct Answer {
    /// The load's.
    run_id: Uuid,
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
    let (options, load) = (Options::from(settings.sources), settings.load);
    let (options, load, store, config) = (&options, &load, &store, &config);
    lambda_runtime::run(service_fn(|event: LambdaEvent<Event>| async move {
        let answer = handle(event.payload, &event.context, options, load, store, config).await;
        answer
            .inspect_err(|failure| tracing::error!(hint = failure.hint_text(), "{failure}"))
            .map_err(Error::from)
    }))
    .await
}

async fn handle(
    event: Event,
    context: &Context,
    options: &Options,
    load: &Load,
    store: &Store,
    config: &SdkConfig,
) -> Result<Answer> {
    // The id of an event stays the same when Lambda tries it again.
    let run_id = event.run_id.or_else(|| context.request_id.parse().ok()).unwrap_or_else(Uuid::new_v4);
    let options = options.clone();
    let stop = Arc::clone(&options.stop);
    let left = time_left(context);
    let clock = tokio::spawn(async move {
        tokio::time::sleep(left).await;
        stop.notify_one();
    });
    let ended = download::run(&options, store, event.unfinished).await;
    clock.abort();
    match ended? {
        Ended::Whole { replaced } => {
            load.start(config, run_id).await?;
            tracing::info!(%run_id, replaced, "the load is started");
            Ok(Answer { run_id, continued: false, replaced })
        }
        Ended::Unfinished(unfinished) if event.hop >= MOST_HOPS => {
            download::forget(&unfinished, store).await;
            Err(Failure::new(format!("the download was not done after {MOST_HOPS} continuations"))
                .hint("the source is too slow today; what is in the store stays"))
        }
        Ended::Unfinished(unfinished) => {
            let next = Event { run_id: Some(run_id), hop: event.hop + 1, unfinished: Some(unfinished) };
            again::invoke(config, &context.env_config.function_name, &next).await?;
            tracing::info!(%run_id, hop = next.hop, "another invocation goes on");
            Ok(Answer { run_id, continued: true, replaced: 0 })
        }
    }
}

fn time_left(context: &Context) -> Duration {
    context.deadline().duration_since(SystemTime::now()).unwrap_or_default().saturating_sub(MARGIN)
}
