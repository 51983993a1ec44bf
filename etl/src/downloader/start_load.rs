//! Starts the load as an ECS task.

use aws_config::SdkConfig;
use aws_sdk_ecs::operation::run_task::RunTaskError;
use aws_sdk_ecs::types::{
    AssignPublicIp, AwsVpcConfiguration, ContainerOverride, KeyValuePair, LaunchType, NetworkConfiguration,
    TaskOverride,
};
use chrono::Utc;
use clap::Args;
use common::env;
use common::failure::{Context as _, Exit, Failure, Result};
use uuid::Uuid;

/// The container's name in the task definition.
const CONTAINER: &str = "etl";

#[derive(Debug, Args)]
pub(super) struct LoadTask {
    /// ECS cluster
    #[arg(long, env = env::ETL_CLUSTER)]
    cluster: String,
    /// Task definition family; its latest revision runs
    #[arg(long, env = env::ETL_TASK_DEFINITION)]
    task_definition: String,
    /// Subnets of the task
    #[arg(long, env = env::ETL_SUBNETS, value_delimiter = ',', required = true)]
    subnets: Vec<String>,
    /// Security groups of the task
    #[arg(long, env = env::ETL_SECURITY_GROUPS, value_delimiter = ',', required = true)]
    security_groups: Vec<String>,
}

impl LoadTask {
    /// Starts the task, at most once for each `run_id`.
    pub(super) async fn start(
        &self,
        config: &SdkConfig,
        run_id: Uuid,
        started_by: Option<&str>,
    ) -> Result<()> {
        let context = || format!("cannot start the load `{}`", self.task_definition);
        let network = AwsVpcConfiguration::builder()
            .set_subnets(Some(self.subnets.clone()))
            .set_security_groups(Some(self.security_groups.clone()))
            .assign_public_ip(AssignPublicIp::Disabled)
            .build()
            .context(context)?;
        let pair = |name: &str, value: &str| KeyValuePair::builder().name(name).value(value).build();
        let mut container = ContainerOverride::builder()
            .name(CONTAINER)
            .environment(pair(env::RUN_ID, &run_id.to_string()))
            .environment(pair(env::REQUESTED_AT, &Utc::now().to_rfc3339()));
        if let Some(user) = started_by {
            container = container.environment(pair(env::STARTED_BY, user));
        }
        let response = aws_sdk_ecs::Client::new(config)
            .run_task()
            .cluster(&self.cluster)
            .task_definition(&self.task_definition)
            .launch_type(LaunchType::Fargate)
            .network_configuration(NetworkConfiguration::builder().awsvpc_configuration(network).build())
            .overrides(TaskOverride::builder().container_overrides(container.build()).build())
            .client_token(run_id.to_string())
            .started_by(run_id.to_string())
            .send()
            .await;
        // The task was started before, by a request at another time: Lambda has retried the event.
        let is_repeated = |error: &RunTaskError| error.is_conflict_exception();
        if response.as_ref().is_err_and(|error| error.as_service_error().is_some_and(is_repeated)) {
            return Ok(());
        }
        let response = response.context(context).map_err(|failure| {
            failure
                .hint("allow ecs:RunTask on the family and iam:PassRole on its roles in the function's role")
        })?;
        // A response with status 200 may still report a failure.
        match response.failures().first() {
            None => Ok(()),
            Some(failure) => {
                let reason = failure.reason().unwrap_or("no reason given").to_owned();
                Err(Failure::new(context())
                    .source(reason)
                    .hint("run `covidctl run etl`")
                    .exit_code(Exit::NotStarted))
            }
        }
    }
}
