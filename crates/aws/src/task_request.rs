//! What an ECS task is started with: its command and its network.

use aws_sdk_ecs::types::{AssignPublicIp, AwsVpcConfiguration, NetworkConfiguration};
use common::failure::{Failure, Result};

use super::account::Account;
use target::description::TaskDescription;
use target::{Job, JobKind};

/// Returns the command that overrides that of the task definition.
pub(super) fn command(job: &Job, is_of_stacks: bool) -> Option<Vec<String>> {
    let is_own = !is_of_stacks || matches!(job.kind, JobKind::Etl | JobKind::Report);
    if is_own && job.arguments.is_empty() {
        return None;
    }
    Some(std::iter::once(job.kind.subcommand()).chain(job.arguments.iter().cloned()).collect())
}

/// Returns where the task is in the network; `None` for the network of a container instance.
pub(super) async fn network(
    account: &Account,
    task: &TaskDescription,
) -> Result<Option<NetworkConfiguration>> {
    let subnets = account.texts(&task.subnets).await?;
    let security_groups = account.texts(&task.security_groups).await?;
    if subnets.is_empty() {
        return Ok(None);
    }
    let public_ip = if task.assign_public_ip { AssignPublicIp::Enabled } else { AssignPublicIp::Disabled };
    let network = AwsVpcConfiguration::builder()
        .set_subnets(Some(subnets))
        .set_security_groups(Some(security_groups))
        .assign_public_ip(public_ip)
        .build()
        .map_err(|error| Failure::new("invalid network of the task").source(error))?;
    Ok(Some(NetworkConfiguration::builder().awsvpc_configuration(network).build()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn command_replaces_that_of_the_task_definition_only_for_other_jobs() {
        for kind in [JobKind::Etl, JobKind::Report] {
            assert_eq!(command(&Job::new(kind.clone()), true), None, "{kind}");
        }
        let arguments = ["--to", "3"].map(str::to_owned).into();
        let rollback = Job { arguments, ..Job::new(JobKind::Rollback) };
        assert_eq!(command(&rollback, true).unwrap(), ["rollback", "--to", "3"]);
        assert_eq!(command(&Job::new(JobKind::Named("nightly".into())), false), None);
    }
}
