//! Requests to CloudFormation, one function each.

use std::time::Duration;

use aws_sdk_cloudformation::Client;
use aws_sdk_cloudformation::types::{
    Capability, ChangeAction, ChangeSetStatus, ChangeSetType, EventFilter, OperationEvent, Parameter,
    Replacement, ResourceStatus, StackDriftStatus, StackResource, Tag, TemplateStage,
};
use chrono::{DateTime, Utc};
use common::failure::{Failure, Result};

use super::change::{Change, ResourceAction};
use super::events::Event;
use super::parameters::Value;
use super::poll_interval::PollInterval;
use super::validation;
use crate::api_error::{ApiContext as _, ApiError};

/// How long CloudFormation may take to create a change set.
const CHANGE_SET_TIMEOUT: Duration = Duration::from_mins(5);

/// The tag of every resource, for cost allocation.
const TAG: (&str, &str) = ("project", "covid19");

/// An existing stack.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Stack {
    /// Identifies the stack even after its deletion.
    pub(super) id: String,
    pub(super) status: String,
    pub(super) reason: Option<String>,
    pub(super) parameters: Vec<(String, String)>,
    /// Result and time of the last drift detection.
    pub(super) drift: Option<(bool, DateTime<Utc>)>,
}

/// A created change set.
#[derive(Debug)]
pub(super) enum Proposal {
    /// No changes.
    Nothing,
    /// Executable, with these changes.
    Changes { id: String, changes: Vec<Change> },
}

/// The input of a change set.
#[derive(Debug)]
pub(super) struct Request<'a> {
    pub(super) stack: &'a str,
    pub(super) body: &'a str,
    pub(super) values: &'a [(String, Value)],
    pub(super) creates: bool,
}

#[derive(Debug)]
pub(super) struct Service {
    client: Client,
}

impl Service {
    pub(super) const fn new(client: Client) -> Self {
        Self { client }
    }

    /// Returns the stack with this name or id, if it exists.
    pub(super) async fn stack(&self, name: &str) -> Result<Option<Stack>> {
        let answer = self.client.describe_stacks().stack_name(name).send().await;
        let answer = match answer {
            Err(error) if is_absent(&ApiError::of(&error)) => return Ok(None),
            answer => answer.api_context("cloudformation:DescribeStacks", || {
                format!("cannot look at the stack `{name}`")
            })?,
        };
        let stack = answer.stacks().first().map(|stack| Stack {
            id: stack.stack_id().unwrap_or(name).to_owned(),
            status: stack.stack_status().map_or_else(String::new, |status| status.as_str().to_owned()),
            reason: stack.stack_status_reason().filter(|reason| !reason.is_empty()).map(str::to_owned),
            parameters: stack.parameters().iter().filter_map(parameter).collect(),
            drift: stack.drift_information().and_then(|drift| {
                let looked_at = drift.last_check_timestamp()?.to_millis().ok()?;
                let has_drifted = drift.stack_drift_status() == Some(&StackDriftStatus::Drifted);
                Some((has_drifted, DateTime::from_timestamp_millis(looked_at)?))
            }),
        });
        Ok(stack.filter(|stack| stack.status != "DELETE_COMPLETE"))
    }

    /// Creates a change set and waits until it is ready.
    pub(super) async fn propose(&self, request: &Request<'_>) -> Result<Proposal> {
        let Request { stack, body, values, creates } = request;
        let what = || format!("cannot find out what would change in the stack `{stack}`");
        let kind = if *creates { ChangeSetType::Create } else { ChangeSetType::Update };
        let answer = self
            .client
            .create_change_set()
            .stack_name(*stack)
            .change_set_name(format!("covidctl-{}", uuid::Uuid::new_v4().simple()))
            .change_set_type(kind)
            .template_body(*body)
            .set_parameters(Some(values.iter().map(set).collect()))
            .capabilities(Capability::CapabilityNamedIam)
            .tags(Tag::builder().key(TAG.0).value(TAG.1).build())
            .send()
            .await;
        let answer = match answer {
            Err(error) if is_nothing(ApiError::of(&error).message()) => return Ok(Proposal::Nothing),
            answer => answer.api_context("cloudformation:CreateChangeSet", what)?,
        };
        let id = answer.id().unwrap_or_default().to_owned();
        let mut pace = PollInterval::new(CHANGE_SET_TIMEOUT);
        loop {
            let (status, reason, changes) = self.look_at(&id, stack).await?;
            match status {
                ChangeSetStatus::CreateComplete => return Ok(Proposal::Changes { id, changes }),
                ChangeSetStatus::Failed if is_nothing(&reason) => {
                    self.withdraw(&id, stack).await?;
                    return Ok(Proposal::Nothing);
                }
                ChangeSetStatus::Failed => {
                    // Before the change set is deleted with its events.
                    let problems = validation::problems(&self.validation_events(&id).await, body);
                    self.withdraw(&id, stack).await?;
                    let reason = if problems.is_empty() { reason } else { problems.join("; ") };
                    return Err(Failure::new(what()).source(reason));
                }
                _ => pace.wait().await.map_err(|failure| failure.source(what()))?,
            }
        }
    }

    /// Returns status, reason and changes of a change set.
    async fn look_at(&self, id: &str, stack: &str) -> Result<(ChangeSetStatus, String, Vec<Change>)> {
        let mut token = None;
        let mut changes = Vec::new();
        loop {
            let page =
                self.client.describe_change_set().change_set_name(id).stack_name(stack).set_next_token(token);
            let page = page.send().await.api_context("cloudformation:DescribeChangeSet", || {
                format!("cannot read what would change in `{stack}`")
            })?;
            changes
                .extend(page.changes().iter().filter_map(|change| self::change(change.resource_change()?)));
            let status = page.status().cloned().unwrap_or(ChangeSetStatus::CreatePending);
            match page.next_token() {
                Some(next) if !next.is_empty() => token = Some(next.to_owned()),
                _ => return Ok((status, page.status_reason().unwrap_or_default().to_owned(), changes)),
            }
        }
    }

    /// Returns the validation errors of a change set, or none if they cannot be read.
    async fn validation_events(&self, id: &str) -> Vec<OperationEvent> {
        let failed = EventFilter::builder().failed_events(true).build();
        let mut pages =
            self.client.describe_events().change_set_name(id).filters(failed).into_paginator().send();
        let mut events = Vec::new();
        while let Some(Ok(page)) = pages.next().await {
            events.extend(page.operation_events.unwrap_or_default());
        }
        events
    }

    /// Deletes a change set.
    pub(super) async fn withdraw(&self, id: &str, stack: &str) -> Result<()> {
        let request = self.client.delete_change_set().change_set_name(id).stack_name(stack);
        let what = || format!("cannot forget a change set of the stack `{stack}`");
        request.send().await.api_context("cloudformation:DeleteChangeSet", what).map(drop)
    }

    /// Starts the execution of a change set.
    pub(super) async fn execute(&self, id: &str, stack: &str) -> Result<()> {
        let request = self.client.execute_change_set().change_set_name(id).stack_name(stack);
        let what = || format!("cannot change the stack `{stack}`");
        request.send().await.api_context("cloudformation:ExecuteChangeSet", what).map(drop)
    }

    /// Starts the deletion of a stack.
    pub(super) async fn delete(&self, id: &str, name: &str) -> Result<()> {
        let request = self.client.delete_stack().stack_name(id);
        request
            .send()
            .await
            .api_context("cloudformation:DeleteStack", || format!("cannot delete the stack `{name}`"))
            .map(drop)
    }

    /// Returns the template of a stack.
    pub(super) async fn template(&self, name: &str) -> Result<String> {
        let request = self.client.get_template().stack_name(name).template_stage(TemplateStage::Original);
        let answer = request.send().await.api_context("cloudformation:GetTemplate", || {
            format!("cannot read the template of the stack `{name}`")
        })?;
        Ok(answer.template_body().unwrap_or_default().to_owned())
    }

    /// Returns the physical ids of a stack's resources of a type, without those whose creation failed: another owner may have their name.
    pub(super) async fn resources(&self, name: &str, kind: &str) -> Result<Vec<String>> {
        let answer = self.client.describe_stack_resources().stack_name(name).send().await;
        let answer = answer.api_context("cloudformation:DescribeStackResources", || {
            format!("cannot list what is in the stack `{name}`")
        })?;
        let is_there = |resource: &StackResource| {
            !matches!(
                resource.resource_status(),
                Some(ResourceStatus::CreateFailed | ResourceStatus::DeleteComplete)
            )
        };
        let wanted = answer
            .stack_resources()
            .iter()
            .filter(|resource| resource.resource_type() == Some(kind) && is_there(resource));
        Ok(wanted.filter_map(|resource| resource.physical_resource_id().map(str::to_owned)).collect())
    }

    /// Returns the id of the newest event of a stack.
    pub(super) async fn newest_event(&self, id: &str) -> Result<Option<String>> {
        let answer = self.client.describe_stack_events().stack_name(id).send().await;
        let answer = answer.api_context("cloudformation:DescribeStackEvents", || {
            format!("cannot read what happens in `{id}`")
        })?;
        Ok(answer.stack_events().first().and_then(|event| event.event_id().map(str::to_owned)))
    }

    /// Returns the events of a stack after the event with this id, or all, oldest first.
    pub(super) async fn events(&self, id: &str, after: Option<&str>) -> Result<Vec<Event>> {
        let mut pages = self.client.describe_stack_events().stack_name(id).into_paginator().send();
        let mut events = Vec::new();
        'pages: while let Some(page) = pages.next().await {
            let page = match page {
                Err(error) if is_absent(&ApiError::of(&error)) => break,
                page => page.api_context("cloudformation:DescribeStackEvents", || {
                    format!("cannot read what happens in `{id}`")
                })?,
            };
            // Newest first.
            for event in page.stack_events() {
                let id = event.event_id().unwrap_or_default().to_owned();
                if after == Some(id.as_str()) {
                    break 'pages;
                }
                events.push(Event {
                    is_of_stack: event.physical_resource_id().is_some()
                        && event.physical_resource_id() == event.stack_id(),
                    id,
                    resource: event.logical_resource_id().unwrap_or_default().to_owned(),
                    kind: event.resource_type().unwrap_or_default().to_owned(),
                    status: event
                        .resource_status()
                        .map_or_else(String::new, |status| status.as_str().to_owned()),
                    reason: event
                        .resource_status_reason()
                        .filter(|reason| !reason.is_empty())
                        .map(str::to_owned),
                });
            }
        }
        events.reverse();
        Ok(events)
    }
}

/// Returns whether the error means that the stack does not exist, for which CloudFormation has no code.
fn is_absent(trouble: &ApiError) -> bool {
    trouble.is("ValidationError") && trouble.message().contains("does not exist")
}

/// Returns whether the reason means that there are no changes, for which CloudFormation has no code.
fn is_nothing(reason: &str) -> bool {
    reason.contains("didn't contain changes") || reason.contains("No updates are to be performed")
}

fn parameter(parameter: &Parameter) -> Option<(String, String)> {
    Some((parameter.parameter_key()?.to_owned(), parameter.parameter_value().unwrap_or_default().to_owned()))
}

fn set((name, value): &(String, Value)) -> Parameter {
    let parameter = Parameter::builder().parameter_key(name);
    match value {
        Value::Set(value) => parameter.parameter_value(value),
        Value::Previous => parameter.use_previous_value(true),
    }
    .build()
}

fn change(change: &aws_sdk_cloudformation::types::ResourceChange) -> Option<Change> {
    let action = match change.action()? {
        ChangeAction::Add | ChangeAction::Import => ResourceAction::Add,
        ChangeAction::Remove => ResourceAction::Remove,
        _ => match change.replacement() {
            Some(Replacement::True) => ResourceAction::Replace,
            Some(Replacement::Conditional) => ResourceAction::PerhapsReplace,
            _ => ResourceAction::Modify,
        },
    };
    Some(Change {
        action,
        resource: change.logical_resource_id()?.to_owned(),
        kind: change.resource_type().unwrap_or_default().to_owned(),
        condition: None,
    })
}
