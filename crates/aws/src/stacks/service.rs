//! Requests to CloudFormation, one method each.

use std::time::Duration;

use aws_sdk_cloudformation::operation::describe_change_set::DescribeChangeSetOutput;
use aws_sdk_cloudformation::operation::list_change_sets::ListChangeSetsOutput;
use aws_sdk_cloudformation::types::{
    Capability, ChangeAction, ChangeSetStatus, ChangeSetType, EventFilter, OperationEvent, Parameter,
    Replacement, ResourceChange, ResourceStatus, StackDriftStatus, StackEvent, Tag, TemplateStage,
};
use chrono::Utc;
use common::failure::{Failure, Result};

use super::change::{Change, ResourceAction};
use super::parameters::Value;
use super::poll_interval::PollInterval;
use super::stack::{Stack, Tags};
use super::{Stacks, validation};
use crate::api_error::{ApiContext as _, ApiError};
use crate::utc;

/// How long CloudFormation may take to create a change set.
const CHANGE_SET_TIMEOUT: Duration = Duration::from_mins(5);

/// Prefix of the names of change sets.
const CHANGE_SET_PREFIX: &str = "covidctl-";

/// An executable change set.
#[derive(Debug)]
pub(super) struct ChangeSet {
    pub(super) id: String,
    pub(super) changes: Vec<Change>,
}

impl Stacks<'_> {
    /// Returns the stack with this name or id, if it exists.
    pub(super) async fn stack(&self, name: &str) -> Result<Option<Stack>> {
        let answer = self.client.describe_stacks().stack_name(name).send().await;
        let what = || format!("cannot look at the stack `{name}`");
        let answer = answer.api_context_optional("cloudformation:DescribeStacks", what)?;
        let stack = answer.as_ref().and_then(|answer| answer.stacks().first()).map(|stack| Stack {
            id: stack.stack_id().unwrap_or(name).to_owned(),
            status: stack.stack_status().map_or_else(String::new, |status| status.as_str().to_owned()),
            reason: stack.stack_status_reason().filter(|reason| !reason.is_empty()).map(str::to_owned),
            parameters: stack.parameters().iter().filter_map(parameter).collect(),
            tags: stack.tags().iter().filter_map(tag).collect(),
            drift: stack.drift_information().and_then(|drift| {
                let has_drifted = drift.stack_drift_status() == Some(&StackDriftStatus::Drifted);
                Some((has_drifted, drift.last_check_timestamp().and_then(utc)?))
            }),
        });
        Ok(stack.filter(|stack| stack.status != "DELETE_COMPLETE"))
    }

    /// Creates a change set and waits until it is ready; returns `None` if nothing changes.
    pub(super) async fn propose(
        &self,
        stack: &str,
        kind: ChangeSetType,
        body: &str,
        values: &[(String, Value)],
        tags: &Tags,
    ) -> Result<Option<ChangeSet>> {
        let what = || format!("cannot find out what would change in the stack `{stack}`");
        let answer = self
            .client
            .create_change_set()
            .stack_name(stack)
            .change_set_name(format!("{CHANGE_SET_PREFIX}{}", uuid::Uuid::new_v4().simple()))
            .change_set_type(kind)
            .template_body(body)
            .set_parameters(Some(values.iter().map(set).collect()))
            .set_capabilities(Some(capabilities(body)))
            .set_tags(Some(
                tags.iter().map(|(key, value)| Tag::builder().key(key).value(value).build()).collect(),
            ))
            .send()
            .await;
        let answer = match answer {
            Err(error) if is_nothing(&ApiError::of(&error).message) => return Ok(None),
            answer => answer.api_context("cloudformation:CreateChangeSet", what)?,
        };
        let id = answer.id().unwrap_or_default().to_owned();
        let mut interval = PollInterval::new(CHANGE_SET_TIMEOUT);
        loop {
            let (status, reason, changes) = self.look_at(&id, stack).await?;
            match status {
                ChangeSetStatus::CreateComplete => return Ok(Some(ChangeSet { id, changes })),
                ChangeSetStatus::Failed if is_nothing(&reason) => {
                    self.withdraw(&id, stack).await?;
                    return Ok(None);
                }
                ChangeSetStatus::Failed => {
                    // Before the change set is deleted with its events.
                    let problems = validation::problems(&self.validation_events(&id).await, body);
                    self.withdraw(&id, stack).await?;
                    let reason = if problems.is_empty() { reason } else { problems.join("; ") };
                    return Err(Failure::new(what()).source(reason));
                }
                _ => interval.wait().await.map_err(|failure| failure.source(what()))?,
            }
        }
    }

    /// Returns status, reason and changes of a change set.
    pub(super) async fn look_at(
        &self,
        id: &str,
        stack: &str,
    ) -> Result<(ChangeSetStatus, String, Vec<Change>)> {
        let pages = self.client.describe_change_set().change_set_name(id).stack_name(stack).into_paginator();
        let pages =
            pages.send().try_collect().await.api_context("cloudformation:DescribeChangeSet", || {
                format!("cannot read what would change in `{stack}`")
            })?;
        let last = pages.last();
        let status = last.and_then(DescribeChangeSetOutput::status);
        let reason = last.and_then(DescribeChangeSetOutput::status_reason).unwrap_or_default().to_owned();
        let changes = pages.iter().flat_map(DescribeChangeSetOutput::changes);
        let changes = changes.filter_map(|change| self::change(change.resource_change()?)).collect();
        Ok((status.cloned().unwrap_or(ChangeSetStatus::CreatePending), reason, changes))
    }

    /// Returns the validation errors of a change set, or none if they cannot be read.
    async fn validation_events(&self, id: &str) -> Vec<OperationEvent> {
        let failed = EventFilter::builder().failed_events(true).build();
        let pages = self.client.describe_events().change_set_name(id).filters(failed).into_paginator();
        let pages = pages.send().try_collect().await.unwrap_or_default();
        pages.into_iter().flat_map(|page| page.operation_events.unwrap_or_default()).collect()
    }

    pub(super) async fn withdraw(&self, id: &str, stack: &str) -> Result<()> {
        let request = self.client.delete_change_set().change_set_name(id).stack_name(stack);
        let what = || format!("cannot forget a change set of the stack `{stack}`");
        request.send().await.api_context("cloudformation:DeleteChangeSet", what).map(drop)
    }

    /// Deletes change sets that interrupted commands have left. Those of the last minutes may be another operator's.
    pub(super) async fn withdraw_leftovers(&self, stack: &str) -> Result<()> {
        let pages = self.client.list_change_sets().stack_name(stack).into_paginator().send();
        let pages = pages.try_collect().await.api_context("cloudformation:ListChangeSets", || {
            format!("cannot list the change sets of the stack `{stack}`")
        })?;
        let oldest = Utc::now() - 2 * CHANGE_SET_TIMEOUT;
        for summary in pages.iter().flat_map(ListChangeSetsOutput::summaries) {
            let is_own = summary.change_set_name().is_some_and(|name| name.starts_with(CHANGE_SET_PREFIX));
            let is_old = summary.creation_time().and_then(utc).is_some_and(|time| time < oldest);
            if let (true, Some(id)) = (is_own && is_old, summary.change_set_id()) {
                self.withdraw(id, stack).await?;
            }
        }
        Ok(())
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
        let what = || format!("cannot delete the stack `{name}`");
        request.send().await.api_context("cloudformation:DeleteStack", what).map(drop)
    }

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
        let of_kind =
            answer.stack_resources().iter().filter(|resource| resource.resource_type() == Some(kind));
        let there = of_kind.filter(|resource| {
            use ResourceStatus::{CreateFailed, DeleteComplete};
            !matches!(resource.resource_status(), Some(CreateFailed | DeleteComplete))
        });
        Ok(there.filter_map(|resource| resource.physical_resource_id().map(str::to_owned)).collect())
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
    pub(super) async fn events(&self, id: &str, after: Option<&str>) -> Result<Vec<StackEvent>> {
        let mut pages = self.client.describe_stack_events().stack_name(id).into_paginator().send();
        let mut events = Vec::new();
        let what = || format!("cannot read what happens in `{id}`");
        'pages: while let Some(page) = pages.next().await {
            let page = page.api_context_optional("cloudformation:DescribeStackEvents", what)?;
            let Some(page) = page else { break };
            // Newest first.
            for event in page.stack_events.unwrap_or_default() {
                if after.is_some() && after == event.event_id() {
                    break 'pages;
                }
                events.push(event);
            }
        }
        events.reverse();
        Ok(events)
    }
}

/// Returns the capabilities that a template needs: one with macros needs one more (CloudFormation User Guide, "Using macros").
fn capabilities(body: &str) -> Vec<Capability> {
    let more = has_macros(body).then_some(Capability::CapabilityAutoExpand);
    [Capability::CapabilityNamedIam].into_iter().chain(more).collect()
}

/// Returns whether a template has the key `Transform` or `Fn::Transform`, in any spelling of YAML and JSON, or the tag `!Transform`.
fn has_macros(body: &str) -> bool {
    body.match_indices("Transform").any(|(at, word)| {
        let (before, after) = (&body[..at], &body[at + word.len()..]);
        let after = after.trim_start_matches(['"', '\'']).trim_start();
        let is_whole_word = !before.ends_with(char::is_alphanumeric);
        before.ends_with('!') || is_whole_word && after.starts_with(':')
    })
}

/// Returns whether the reason means that there are no changes, for which CloudFormation has no code.
fn is_nothing(reason: &str) -> bool {
    reason.contains("didn't contain changes") || reason.contains("No updates are to be performed")
}

fn parameter(parameter: &Parameter) -> Option<(String, String)> {
    Some((parameter.parameter_key()?.to_owned(), parameter.parameter_value().unwrap_or_default().to_owned()))
}

fn tag(tag: &Tag) -> Option<(String, String)> {
    Some((tag.key()?.to_owned(), tag.value().unwrap_or_default().to_owned()))
}

fn set((name, value): &(String, Value)) -> Parameter {
    let parameter = Parameter::builder().parameter_key(name);
    match value {
        Value::Set(value) => parameter.parameter_value(value),
        Value::Previous => parameter.use_previous_value(true),
    }
    .build()
}

fn change(change: &ResourceChange) -> Option<Change> {
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn template_with_macros_gets_their_capability() {
        for body in [
            "Transform: AWS::LanguageExtensions\nResources: {}",
            "{\"Transform\": \"AWS::Serverless-2016-10-31\",\n\"Resources\": {}}",
            "Resources:\n  A:\n    Fn::Transform: {Name: AWS::Include}",
            "{\"AWSTemplateFormatVersion\": \"2010-09-09\", \"Transform\": \"AWS::LanguageExtensions\"}",
            "'Transform' : AWS::LanguageExtensions",
            "Resources: {A: {'Fn::Transform': {Name: AWS::Include}}}",
            "Resources:\n  - Fn::Transform: {Name: AWS::Include}",
            "Resources: !Transform {Name: AWS::Include}",
        ] {
            assert!(capabilities(body).contains(&Capability::CapabilityAutoExpand), "{body}");
        }
        for body in [
            "Resources: {}",
            "Description: Transforms nothing\nResources: {}",
            "InputTransformer: {}",
            "DataTransform: {}",
        ] {
            assert_eq!(capabilities(body), [Capability::CapabilityNamedIam], "{body}");
        }
    }
}
