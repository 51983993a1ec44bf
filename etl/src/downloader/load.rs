//! Starts the load as a task of ECS.

use aws_config::SdkConfig;
use aws_sdk_ecs::types::{
    AssignPublicIp, AwsVpcConfiguration, ContainerOverride, KeyValuePair, LaunchType, NetworkConfiguration,
    TaskOverride,
};
use clap::Args;
use common::env;
use common::failure::{Context as _, Exit, Failure, Result};
use uuid::Uuid;

/// The container of the task definition.
const CONTAINER: &str = "etl";

/// Where the load runs.
#[derive(Debug, Args)]
pub(super) struct Load {
    /// The cluster
    #[arg(long, env = env::ETL_CLUSTER)]
    cluster: String,
    /// The task definition's family: its newest revision runs
    #[arg(long, env = env::ETL_TASK_DEFINITION)]
    task_definition: String,
    /// Its subnets
    #[arg(long, env = env::ETL_SUBNETS, value_delimiter = ',', required = true)]
    subnets: Vec<String>,
    /// Its security groups
    #[arg(long, env = env::ETL_SECURITY_GROUPS, value_delimiter = ',', required = true)]
    security_groups: Vec<String>,
}

impl Load {
    /// Starts it, once for each id; its record says who wanted it.
    pub(super) async fn start(
        &self,
        config: &SdkConfig,
        run_id: Uuid,
        started_by: Option<&str>,
    ) -> Result<()> {
        let what = || format!("cannot start the load `{}`", self.task_definition);
        let network = AwsVpcConfiguration::builder()
            .set_subnets(Some(self.subnets.clone()))
            .set_security_groups(Some(self.security_groups.clone()))
            .assign_public_ip(AssignPublicIp::Disabled)
            .build()
            .context(what)?;
        let pair = |name: &str, value: &str| KeyValuePair::builder().name(name).value(value).build();
        let mut container =
            ContainerOverride::builder().name(CONTAINER).environment(pair(env::RUN_ID, &run_id.to_string()));
        if let Some(who) = started_by {
            container = container.environment(pair(env::STARTED_BY, who));
        }
        let answer = aws_sdk_ecs::Client::new(config)
            .run_task()
            .cluster(&self.cluster)
            .task_definition(&self.task_definition)
            .launch_type(LaunchType::Fargate)
            .network_configuration(NetworkConfiguration::builder().awsvpc_configuration(network).build())
            .overrides(TaskOverride::builder().container_overrides(container.build()).build())
            .client_token(run_id.to_string())
            .started_by(run_id.to_string())
            .send()
            .await
            .context(what)
            .map_err(|failure| {
                failure.hint("its role needs ecs:RunTask on the family and iam:PassRole on its roles")
            })?;
        // An answer with 200 may still say that nothing was started.
        match answer.failures().first() {
            None => Ok(()),
            Some(failure) => {
                let reason = failure.reason().unwrap_or("no reason given").to_owned();
                Err(Failure::new(what())
                    .source(reason)
                    .hint("start it by hand: covidctl run etl")
                    .exit_code(Exit::NotStarted))
            }
        }
    }
}
