//! Checks the read permissions of the operator by using them.
//!
//! Only denials count here; missing resources have checks of their own. Permissions that change something cannot be tried;
//! docs/reference/iam-operator.json lists them.

use std::error::Error;
use std::fmt::Debug;

use aws_smithy_runtime_api::client::result::SdkError;
use aws_smithy_types::error::metadata::ProvideErrorMetadata;
use futures_util::FutureExt as _;
use futures_util::future::{self, BoxFuture};

use super::images;
use crate::api_error::{ApiError, ApiErrorKind};
use crate::clients::Clients;
use crate::names::{Name, Names};
use target::Check;

pub(super) async fn check(clients: &Clients, names: &Names) -> Check {
    let name = |name| names.get(name).unwrap_or_default();
    let (logs, scaling, secrets) = (clients.logs(), clients.auto_scaling(), clients.secrets());
    let (ec2, databases, functions) = (clients.ec2(), clients.databases(), clients.functions());
    let (group, bastion, secret) = (name(Name::EtlGroup), name(Name::BastionGroup), name(Name::ReaderSecret));
    let tries = [
        refused("ecs:ListTasks", clients.tasks().list_tasks().cluster(name(Name::Cluster)).send()),
        refused("ecr:DescribeImages", clients.images().describe_images().repository_name(images::ETL).send()),
        refused("events:DescribeRule", clients.events().describe_rule().name(name(Name::Schedule)).send()),
        refused(
            "lambda:GetFunctionConfiguration",
            functions.get_function_configuration().function_name(name(Name::Download)).send(),
        ),
        refused("logs:DescribeLogStreams", logs.describe_log_streams().log_group_name(group).limit(1).send()),
        refused("logs:FilterLogEvents", logs.filter_log_events().log_group_name(group).limit(1).send()),
        refused(
            "rds:DescribeDBInstances",
            databases.describe_db_instances().db_instance_identifier(name(Name::Master)).send(),
        ),
        refused(
            "autoscaling:DescribeAutoScalingGroups",
            scaling.describe_auto_scaling_groups().auto_scaling_group_names(bastion).send(),
        ),
        refused("ec2:DescribeInstances", ec2.instances(&[])),
        refused("secretsmanager:GetSecretValue", secrets.get_secret_value().secret_id(secret).send()),
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

/// Returns the action if it is denied.
fn refused<'a, T, E, R>(
    action: &'static str,
    call: impl Future<Output = Result<T, SdkError<E, R>>> + Send + 'a,
) -> BoxFuture<'a, Option<&'static str>>
where
    E: ProvideErrorMetadata + Error + 'static,
    R: Debug,
{
    let is_denied = |result: Result<T, SdkError<E, R>>| {
        result.is_err_and(|error| ApiError::of(&error).kind == ApiErrorKind::Denied)
    };
    call.map(move |result| is_denied(result).then_some(action)).boxed()
}
