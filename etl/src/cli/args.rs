//! Options that several commands have.

use clap::Args;
use common::env;
use uuid::Uuid;

use crate::ecs_metadata::EcsTask;
use crate::record::RunOrigin;

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
    pub(super) reports_url: Option<String>,
}

#[derive(Debug, Args)]
pub(super) struct RunIdArgs {
    /// Run ID [default: a random UUID]
    #[arg(long, env = env::RUN_ID)]
    pub(super) run_id: Option<Uuid>,

    /// User to record as the starter of the run
    #[arg(long, env = env::STARTED_BY, hide_env_values = true)]
    started_by: Option<String>,

    /// Task metadata endpoint of ECS
    #[arg(long, env = env::ECS_METADATA, hide = true)]
    ecs_metadata: Option<String>,
}

impl RunIdArgs {
    pub(super) async fn origin(&self) -> RunOrigin {
        let task = EcsTask::fetch(self.ecs_metadata.as_deref()).await;
        RunOrigin { started_by: self.started_by.clone(), task }
    }
}
