//! CloudFormation as the stacks need it: one function for each request, and what it answers in types of our own.
//!
//! Nothing is decided here. A stack that is not there is no error.

use std::time::Duration;

use aws_sdk_cloudformation::Client;
use aws_sdk_cloudformation::types::{
    Capability, ChangeAction, ChangeSetStatus, ChangeSetType, EventFilter, OperationEvent, Parameter,
    Replacement, ResourceStatus, StackDriftStatus, StackResource, Tag, TemplateStage,
};
use chrono::{DateTime, Utc};
use common::failure::{Failure, Result};

use super::change::{Action, Change};
use super::events::Event;
use super::pace::Pace;
use super::validation;
use super::values::Value;
use crate::trouble::{OrTrouble as _, Trouble};

/// How long CloudFormation may think about a change set.
const PATIENCE: Duration = Duration::from_mins(5);

/// The tag of every resource of the stacks, by which costs can be told apart.
const TAG: (&str, &str) = ("project", "covid19");

/// A stack that is there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Stack {
    /// By which it is known also after it was deleted.
    pub(super) id: String,
    pub(super) status: String,
    pub(super) reason: Option<String>,
    /// The parameters that it has, with their values.
    pub(super) parameters: Vec<(String, String)>,
    /// Whether it differed from its template when somebody last looked for that, and when that was.
    pub(super) drift: Option<(bool, DateTime<Utc>)>,
}

/// A change set that CloudFormation has thought about.
#[derive(Debug)]
pub(super) enum Proposal {
    /// There is nothing to change.
    Nothing,
    /// It can be executed, and would do this.
    Changes { id: String, changes: Vec<Change> },
}

/// What a change set is made from.
#[derive(Debug)]
pub(super) struct Request<'a> {
    pub(super) stack: &'a str,
    pub(super) body: &'a str,
    pub(super) values: &'a [(String, Value)],
    pub(super) creates: bool,
}

/// The service.
#[derive(Debug)]
pub(super) struct Service {
    client: Client,
}

impl Service {
    pub(super) const fn new(client: Client) -> Self {
        Self { client }
    }

    /// The stack of this name, or the one with this id, which may be gone by now.
    pub(super) async fn stack(&self, name: &str) -> Result<Option<Stack>> {
        let answer = self.client.describe_stacks().stack_name(name).send().await;
        let answer = match answer {
            Err(error) if is_absent(&Trouble::of(&error)) => return Ok(None),
            answer => answer.or_trouble("cloudformation:DescribeStacks", || {
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

    /// Asks what would change, and waits for the answer.
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
            Err(error) if is_nothing(Trouble::of(&error).message()) => return Ok(Proposal::Nothing),
            answer => answer.or_trouble("cloudformation:CreateChangeSet", what)?,
        };
        let id = answer.id().unwrap_or_default().to_owned();
        let mut pace = Pace::new(PATIENCE);
        loop {
            let (status, reason, changes) = self.look_at(&id, stack).await?;
            match status {
                ChangeSetStatus::CreateComplete => return Ok(Proposal::Changes { id, changes }),
                ChangeSetStatus::Failed if is_nothing(&reason) => {
                    self.withdraw(&id, stack).await?;
                    return Ok(Proposal::Nothing);
                }
                ChangeSetStatus::Failed => {
                    // They are events of the change set, and gone with it.
                    let problems = validation::problems(&self.validation_events(&id).await, body);
                    self.withdraw(&id, stack).await?;
                    let reason = if problems.is_empty() { reason } else { problems.join("; ") };
                    return Err(Failure::new(what()).source(reason));
                }
                _ => pace.wait().await.map_err(|failure| failure.source(what()))?,
            }
        }
    }

    /// A change set's state, why it failed, and what it would change.
    async fn look_at(&self, id: &str, stack: &str) -> Result<(ChangeSetStatus, String, Vec<Change>)> {
        let mut token = None;
        let mut changes = Vec::new();
        loop {
            let page =
                self.client.describe_change_set().change_set_name(id).stack_name(stack).set_next_token(token);
            let page = page.send().await.or_trouble("cloudformation:DescribeChangeSet", || {
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

    /// What was found in the template of a change set. What cannot be read is left out: the change set's own reason remains.
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

    /// Forgets a change set.
    pub(super) async fn withdraw(&self, id: &str, stack: &str) -> Result<()> {
        let request = self.client.delete_change_set().change_set_name(id).stack_name(stack);
        let what = || format!("cannot forget a change set of the stack `{stack}`");
        request.send().await.or_trouble("cloudformation:DeleteChangeSet", what).map(drop)
    }

    /// Begins to carry it out.
    pub(super) async fn execute(&self, id: &str, stack: &str) -> Result<()> {
        let request = self.client.execute_change_set().change_set_name(id).stack_name(stack);
        let what = || format!("cannot change the stack `{stack}`");
        request.send().await.or_trouble("cloudformation:ExecuteChangeSet", what).map(drop)
    }

    /// Begins to delete a stack.
    pub(super) async fn delete(&self, id: &str, name: &str) -> Result<()> {
        let request = self.client.delete_stack().stack_name(id);
        request
            .send()
            .await
            .or_trouble("cloudformation:DeleteStack", || format!("cannot delete the stack `{name}`"))
            .map(drop)
    }

    /// The template that a stack was made from.
    pub(super) async fn template(&self, name: &str) -> Result<String> {
        let request = self.client.get_template().stack_name(name).template_stage(TemplateStage::Original);
        let answer = request.send().await.or_trouble("cloudformation:GetTemplate", || {
            format!("cannot read the template of the stack `{name}`")
        })?;
        Ok(answer.template_body().unwrap_or_default().to_owned())
    }

    /// The real names of a stack's resources of one kind. One that could not be created is not the stack's: another owner may have its
    /// name.
    pub(super) async fn resources(&self, name: &str, kind: &str) -> Result<Vec<String>> {
        let answer = self.client.describe_stack_resources().stack_name(name).send().await;
        let answer = answer.or_trouble("cloudformation:DescribeStackResources", || {
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

    /// The newest event of a stack, after which new ones are asked for.
    pub(super) async fn newest_event(&self, id: &str) -> Result<Option<String>> {
        let answer = self.client.describe_stack_events().stack_name(id).send().await;
        let answer = answer.or_trouble("cloudformation:DescribeStackEvents", || {
            format!("cannot read what happens in `{id}`")
        })?;
        Ok(answer.stack_events().first().and_then(|event| event.event_id().map(str::to_owned)))
    }

    /// What happened to a stack after the event with this id, the oldest first; with `None`, everything.
    pub(super) async fn events(&self, id: &str, after: Option<&str>) -> Result<Vec<Event>> {
        let mut pages = self.client.describe_stack_events().stack_name(id).into_paginator().send();
        let mut events = Vec::new();
        'pages: while let Some(page) = pages.next().await {
            let page = match page {
                Err(error) if is_absent(&Trouble::of(&error)) => break,
                page => page.or_trouble("cloudformation:DescribeStackEvents", || {
                    format!("cannot read what happens in `{id}`")
                })?,
            };
            // The newest comes first.
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

/// CloudFormation has no code of its own for a stack that is not there.
fn is_absent(trouble: &Trouble) -> bool {
    trouble.is("ValidationError") && trouble.message().contains("does not exist")
}

/// Nor for a change set without a change.
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
        ChangeAction::Add | ChangeAction::Import => Action::Add,
        ChangeAction::Remove => Action::Remove,
        _ => match change.replacement() {
            Some(Replacement::True) => Action::Replace,
            Some(Replacement::Conditional) => Action::PerhapsReplace,
            _ => Action::Modify,
        },
    };
    Some(Change {
        action,
        resource: change.logical_resource_id()?.to_owned(),
        kind: change.resource_type().unwrap_or_default().to_owned(),
        condition: None,
    })
}
