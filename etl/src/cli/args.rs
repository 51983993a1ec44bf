//! Options that several commands have.

use std::time::Duration;

use clap::Args;
use common::failure::Result;
use common::{env, text};
use uuid::Uuid;

use crate::ecs_metadata::EcsTask;
use crate::interrupts::Interrupts;
use crate::record::{Record, RunOrigin, RunStatus};
use crate::runs::RunKind;
use crate::store::Store;

#[derive(Debug, Args)]
pub(super) struct DatabaseArgs {
    /// PostgreSQL connection URL: `postgres://user:password@host:port/database`
    // Hidden, because it contains a password.
    #[arg(long, env = env::DATABASE_URL, hide_env_values = true)]
    pub(super) database_url: String,
}

#[derive(Debug, Args)]
pub(super) struct ReportsArgs {
    /// Store URL for reports and run records [default: the store URL]
    #[arg(long, env = env::REPORTS_URL)]
    reports_url: Option<String>,
}

impl ReportsArgs {
    /// Opens the store of reports and run records, which is at `store_url` by default.
    pub(super) fn open(self, store_url: Option<String>) -> Result<Store> {
        Store::open_or_create(&self.reports_url.or(store_url).unwrap_or_default())
    }
}

#[derive(Debug, Args)]
pub(super) struct RunIdArgs {
    /// Run ID [default: a random UUID]
    #[arg(long, env = env::RUN_ID, default_value_t = Uuid::new_v4(), hide_default_value = true)]
    pub(super) run_id: Uuid,

    /// Time after which the run is stopped with exit code 124, such as `2h` [default: none]
    #[arg(long, env = env::TIME_LIMIT, value_name = "DURATION", value_parser = text::duration)]
    time_limit: Option<Duration>,

    /// User to record as the starter of the run
    #[arg(long, env = env::STARTED_BY, hide_env_values = true)]
    started_by: Option<String>,

    /// When the task of the run was requested
    #[arg(long, env = env::REQUESTED_AT, hide = true)]
    requested_at: Option<String>,

    /// Task metadata endpoint of ECS
    #[arg(long, env = env::ECS_METADATA, hide = true)]
    ecs_metadata: Option<String>,
}

impl RunIdArgs {
    /// Does the work of a run and writes its record at the start and at the end. `status` is that of a run that did not fail.
    pub(super) async fn recorded<T>(
        self,
        kind: RunKind,
        reports: &Store,
        work: impl AsyncFnOnce(&mut Record, &mut Interrupts) -> Result<T>,
        status: impl FnOnce(&T) -> RunStatus,
    ) -> Result<T> {
        let mut interrupts = Interrupts::listen(self.time_limit);
        let task = EcsTask::fetch(self.ecs_metadata.as_deref()).await;
        // A time that cannot be read costs a phase, not the run.
        let requested_at = self.requested_at.and_then(|time| time.parse().ok());
        let origin = RunOrigin { started_by: self.started_by, requested_at, task };
        let mut record = Record::open(self.run_id, kind, origin, reports).await?;
        let result = work(&mut record, &mut interrupts).await;
        record.end(&result, status);
        record.write(reports).await;
        result
    }
}
