//! What a task definition says about the container that does the work, and where its log goes.

use aws_sdk_ecs::types::{ContainerDefinition, LogDriver, TaskDefinition};
use common::failure::{Failure, Result};

use super::api_error::{ApiContext as _, ApiError, ApiErrorKind};
use super::clients::Clients;

/// The container of a job, and its log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct MainContainer {
    pub(super) name: String,
    /// The log group, if the log goes to CloudWatch.
    pub(super) log_group: Option<String>,
    /// The prefix of its log streams.
    pub(super) stream_prefix: String,
}

impl MainContainer {
    /// Returns a container of which only the name is known.
    pub(super) fn named(name: &str) -> Self {
        Self { name: name.to_owned(), log_group: None, stream_prefix: name.to_owned() }
    }

    /// Returns the log stream of a task, as the log driver `awslogs` names it.
    pub(super) fn log_stream(&self, task: &str) -> String {
        format!("{}/{}/{task}", self.stream_prefix, self.name)
    }
}

/// Reads a task definition, the newest revision of a family. The container that it names is returned unseen if it may not be read or does
/// not exist.
pub(super) async fn main_container(
    clients: &Clients,
    definition: &str,
    named: Option<&str>,
) -> Result<MainContainer> {
    let answer = clients.tasks().describe_task_definition().task_definition(definition).send().await;
    let what = || format!("cannot look at the task definition `{definition}`");
    let found = match answer {
        Err(error) if named.is_some() && !is_fatal(ApiError::of(&error).kind) => None,
        answer => {
            let answer = answer.api_context("ecs:DescribeTaskDefinition", what)?;
            answer.task_definition().and_then(|definition| main_of(definition, named))
        }
    };
    found.or_else(|| named.map(MainContainer::named)).ok_or_else(|| {
        Failure::new(what())
            .source("it has no container")
            .hint("set `container` of the job in the configuration file")
    })
}

/// Returns whether further requests will fail, too.
fn is_fatal(kind: ApiErrorKind) -> bool {
    matches!(kind, ApiErrorKind::Credentials | ApiErrorKind::Unreachable | ApiErrorKind::Throttled)
}

/// Returns the container with the name, else the first essential one: the others are agents beside it.
pub(super) fn main_of(definition: &TaskDefinition, name: Option<&str>) -> Option<MainContainer> {
    let containers = definition.container_definitions();
    let named = name.and_then(|name| containers.iter().find(|container| container.name() == Some(name)));
    // `essential` is true unless the definition says otherwise (ECS API Reference, ContainerDefinition).
    let essential = || containers.iter().find(|container| container.essential().unwrap_or(true));
    let container = named.or_else(essential).or(containers.first())?;
    let name = container.name()?;
    let (log_group, stream_prefix) = log_of(container);
    Some(MainContainer {
        log_group,
        stream_prefix: stream_prefix.unwrap_or_else(|| name.to_owned()),
        name: name.to_owned(),
    })
}

/// Returns group and stream prefix.
fn log_of(container: &ContainerDefinition) -> (Option<String>, Option<String>) {
    let log = container.log_configuration().filter(|log| *log.log_driver() == LogDriver::Awslogs);
    let option = |name: &str| log?.options()?.get(name).cloned();
    (option("awslogs-group"), option("awslogs-stream-prefix"))
}

#[cfg(test)]
mod tests {
    use aws_sdk_ecs::types::LogConfiguration;

    use super::*;

    fn container(name: &str, essential: bool, group: &str) -> ContainerDefinition {
        let log = LogConfiguration::builder()
            .log_driver(LogDriver::Awslogs)
            .options("awslogs-group", group)
            .options("awslogs-stream-prefix", "ecs");
        ContainerDefinition::builder()
            .name(name)
            .essential(essential)
            .log_configuration(log.build().unwrap())
            .build()
    }

    #[test]
    fn main_container_is_the_named_or_the_first_essential_one() {
        let sidecar = container("datadog-agent", false, "/agents");
        let foreign = container("python-etl", true, "/ecs/data-pipeline-cluster");
        let definition = |containers: &[&ContainerDefinition]| {
            let containers = containers.iter().map(|container| (*container).clone()).collect();
            TaskDefinition::builder().set_container_definitions(Some(containers)).build()
        };
        let main = main_of(&definition(&[&sidecar, &foreign]), None).unwrap();
        assert_eq!(
            (main.name.as_str(), main.log_group.as_deref()),
            ("python-etl", Some("/ecs/data-pipeline-cluster"))
        );
        assert_eq!(main.log_stream("0a"), "ecs/python-etl/0a");
        let own = container("etl", true, "/ecs/covid19-etl");
        assert_eq!(main_of(&definition(&[&foreign, &own]), Some("etl")).unwrap().name, "etl");
        assert_eq!(main_of(&definition(&[]), Some("etl")), None);
    }
}
