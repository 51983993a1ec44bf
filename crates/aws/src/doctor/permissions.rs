//! Checks the read permissions of the operator by using them.
//!
//! Only denials count here; missing resources have checks of their own. Permissions that change something cannot be tried;
//! docs/reference/iam-operator.json lists them.

use std::error::Error;
use std::fmt::Debug;

use aws_smithy_runtime_api::client::result::SdkError;
use aws_smithy_types::error::metadata::ProvideErrorMetadata;
use futures_util::{FutureExt as _, future};

use super::images;
use crate::api_error::ApiError;
use crate::clients::Clients;
use crate::names::{Name, Names};
use target::Check;

pub(super) async fn check(clients: &Clients, names: &Names) -> Check {
    let name = |name| names.get(name).unwrap_or_default();
    let tries = [
        refused("ecs:ListTasks", clients.tasks().list_tasks().cluster(name(Name::Cluster)).send()).boxed(),
        refused("ecr:DescribeImages", clients.images().describe_images().repository_name(images::ETL).send())
            .boxed(),
        refused("events:DescribeRule", clients.events().describe_rule().name(name(Name::Schedule)).send())
            .boxed(),
        refused(
            "lambda:GetFunctionConfiguration",
            clients.functions().get_function_configuration().function_name(name(Name::Download)).send(),
        )
        .boxed(),
        refused(
            "logs:DescribeLogStreams",
            clients.logs().describe_log_streams().log_group_name(name(Name::EtlGroup)).limit(1).send(),
        )
        .boxed(),
        refused(
            "logs:FilterLogEvents",
            clients.logs().filter_log_events().log_group_name(name(Name::EtlGroup)).limit(1).send(),
        )
        .boxed(),
        refused(
            "rds:DescribeDBInstances",
            clients.databases().describe_db_instances().db_instance_identifier(name(Name::Master)).send(),
        )
        .boxed(),
        refused(
            "autoscaling:DescribeAutoScalingGroups",
            clients
                .auto_scaling()
                .describe_auto_scaling_groups()
                .auto_scaling_group_names(name(Name::BastionGroup))
                .send(),
        )
        .boxed(),
        refused("ec2:DescribeInstances", clients.instances().describe_instances().max_results(5).send())
            .boxed(),
        refused(
            "secretsmanager:GetSecretValue",
            clients.secrets().get_secret_value().secret_id(name(Name::ReaderSecret)).send(),
        )
        .boxed(),
    ];
    let count = tries.len();
    let refused = future::join_all(tries).await.into_iter().flatten();
    let refused: Vec<String> = refused.map(|action| format!("`{action}`")).collect();
    if refused.is_empty() {
        return Check::ok("permissions", format!("all {count} that were tried are there"));
    }
    Check::failed(
        "permissions",
        format!("not allowed: {}", refused.join(", ")),
        "ask for the rights in docs/reference/iam-operator.json",
    )
}

/// Returns the action if it was denied.
async fn refused<T, E, R>(
    action: &'static str,
    call: impl Future<Output = Result<T, SdkError<E, R>>>,
) -> Option<&'static str>
where
    E: ProvideErrorMetadata + Error + 'static,
    R: Debug,
{
    call.await.err().filter(|error| ApiError::of(error).is_denial()).map(|_| action)
}
