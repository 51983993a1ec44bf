//! `up`: makes a plan, which the caller shows and lets the operator confirm, and executes it. Each stack is read again before it is changed.

use std::path::Path;

use aws_sdk_cloudformation::types::ChangeSetType;
use common::failure::{Failure, Result};
use futures_util::future;

use super::change::{StackAction, Step};
use super::events;
use super::operation::StackOperation;
use super::parameters::{LeftOut, ParameterOverrides, Value};
use super::stack::{Stack, Tags, tags_after};
use super::templates::{self, Template};
use super::{Stacks, engine_version, is_busy, is_complete, is_failed_creation};
use crate::Aws;
use target::Progress;

/// Part of the error of ECS while it creates its service-linked role for the first cluster of an account.
const NO_SERVICE_ROLE: &str = "service linked role";

/// A plan with everything needed to execute it.
#[derive(Debug)]
pub struct Plan {
    pub steps: Vec<Step>,
    templates: Vec<Template>,
    given: ParameterOverrides,
    tags: Tags,
}

/// What `up` is told.
#[derive(Debug, Clone, Copy, Default)]
pub struct UpOptions<'a> {
    /// Parameters by `NAME` or `STACK.NAME`.
    pub parameters: &'a [(String, String)],
    /// The software release.
    pub release: Option<&'a str>,
    /// Folder of the templates to use instead of the embedded ones.
    pub templates: Option<&'a Path>,
    /// Tags of every resource; a stack keeps its others.
    pub tags: &'a [(String, String)],
}

impl Aws {
    /// Returns the plan of `up`: from change sets for existing stacks, from templates for the others. Changes nothing.
    pub async fn plan(&self, options: UpOptions<'_>) -> Result<Plan> {
        // Invalid options are reported before any request.
        let templates = templates::all(options.templates)?;
        let given =
            ParameterOverrides::new(&self.settings.stacks, options.parameters, options.release, &templates)?;
        let tags: Tags = options.tags.iter().cloned().collect();
        let stacks = Stacks::new(&self.account().await?.clients);
        let steps =
            future::join_all(templates.iter().map(|template| stacks.step(template, &given, &tags))).await;
        let steps = steps.into_iter().collect::<Result<Vec<_>>>()?;
        // The following stacks need the first one.
        if let Some(first) = steps.first().filter(|step| step.action == StackAction::LeftOut) {
            let failure = Failure::usage(first.to_string().lines().next().unwrap_or_default());
            return Err(failure.hint(first.hint.clone().unwrap_or_default()));
        }
        Ok(Plan { steps, templates, given, tags })
    }

    /// Executes a plan; returns the number of changed stacks.
    pub async fn apply(&self, plan: &Plan, progress: &dyn Progress) -> Result<usize> {
        let stacks = &Stacks::new(&self.account().await?.clients);
        let mut changed = 0;
        for (step, template) in plan.steps.iter().zip(&plan.templates) {
            let is_settled = step.action == StackAction::Unchanged && changed == 0;
            if is_settled || step.action == StackAction::LeftOut {
                continue;
            }
            let operation = StackOperation { stacks, name: &template.name, progress };
            changed += usize::from(operation.reconcile(template, plan).await?);
        }
        Ok(changed)
    }
}

impl Stacks<'_> {
    async fn step(&self, template: &Template, given: &ParameterOverrides, tags: &Tags) -> Result<Step> {
        let name = templates::stack_name(&template.name);
        let stack = self.stack(&name).await?;
        let step = |action, changes| Step {
            stack: template.name.clone(),
            action,
            changes,
            reason: None,
            hint: None,
        };
        if let Some(stack) = stack.as_ref().filter(|stack| is_busy(&stack.status)) {
            return Ok(Step { reason: Some(stack.status.clone()), ..step(StackAction::Wait, Vec::new()) });
        }
        let values = match given.resolve(template, stack.as_ref()) {
            Ok(values) => values,
            Err(LeftOut { reason, hint }) => {
                let (reason, hint) = (Some(reason), Some(hint));
                return Ok(Step { reason, hint, ..step(StackAction::LeftOut, Vec::new()) });
            }
        };
        let is_whole = stack.as_ref().is_some_and(|stack| is_complete(&stack.status));
        if !is_whole {
            engine_version::check(self.clients, template, &values).await?;
        }
        match stack {
            Some(stack) if self.has_failed_creation(&stack).await? => {
                Ok(step(StackAction::CreateAnew, template.resources.clone()))
            }
            Some(stack) if is_whole => {
                let tags = tags_after(Some(&stack), tags);
                match self.propose(&name, ChangeSetType::Update, &template.body, &values, &tags).await? {
                    None => Ok(step(StackAction::Unchanged, Vec::new())),
                    Some(change_set) => {
                        self.withdraw(&change_set.id, &name).await?;
                        Ok(step(StackAction::Change, change_set.changes))
                    }
                }
            }
            Some(stack) if stack.status != "REVIEW_IN_PROGRESS" => Err(stuck(&name, &stack)),
            _ => Ok(step(StackAction::Create, template.resources.clone())),
        }
    }

    /// Returns whether the stack was never complete.
    async fn has_failed_creation(&self, stack: &Stack) -> Result<bool> {
        if stack.status != "DELETE_FAILED" {
            return Ok(is_failed_creation(&stack.status));
        }
        let events = self.events(&stack.id, None).await?;
        let mut of_stack = events.iter().filter(|event| events::is_of_stack(event));
        Ok(!of_stack.any(|event| events::status(event) == "CREATE_COMPLETE"))
    }
}

impl StackOperation<'_> {
    /// Creates or updates the stack, whatever its state; returns whether anything changed.
    async fn reconcile(&self, template: &Template, plan: &Plan) -> Result<bool> {
        let Plan { given, tags, .. } = plan;
        let name = self.full_name();
        // The values of a failed creation are lost when it is deleted.
        let mut had = None;
        let mut has_waited_for_role = false;
        loop {
            let stack = self.stacks.stack(&name).await?;
            match &stack {
                Some(there) if is_busy(&there.status) => drop(self.wait(there).await?),
                Some(there) if self.stacks.has_failed_creation(there).await? => {
                    self.report("deleting what an attempt that failed has left");
                    had = Some(given.resolve(template, stack.as_ref()));
                    self.unprotect(there).await?;
                    self.delete(there).await?;
                }
                Some(there) if !is_complete(&there.status) && there.status != "REVIEW_IN_PROGRESS" => {
                    return Err(stuck(&name, there));
                }
                _ => {
                    let resolved = had.take().unwrap_or_else(|| given.resolve(template, stack.as_ref()));
                    let Ok(values) = resolved else { return Ok(false) };
                    match self.change(template, stack.as_ref(), &values, tags).await {
                        // The first attempt makes ECS create the role; it is there a moment later (ECS Developer Guide, "Using
                        // service-linked roles for Amazon ECS").
                        Err(failure)
                            if !has_waited_for_role && failure.to_string().contains(NO_SERVICE_ROLE) =>
                        {
                            self.report("ECS creates its service-linked role in this account; trying again");
                            has_waited_for_role = true;
                        }
                        result => return result,
                    }
                }
            }
        }
    }

    async fn change(
        &self,
        template: &Template,
        stack: Option<&Stack>,
        values: &[(String, Value)],
        tags: &Tags,
    ) -> Result<bool> {
        let name = self.full_name();
        let (kind, verb, done) = if stack.is_some_and(|stack| is_complete(&stack.status)) {
            (ChangeSetType::Update, "changing", "changed")
        } else {
            (ChangeSetType::Create, "creating", "created")
        };
        let tags = tags_after(stack, tags);
        if stack.is_some() {
            self.stacks.withdraw_leftovers(&name).await?;
        }
        let Some(change_set) = self.stacks.propose(&name, kind, &template.body, values, &tags).await? else {
            self.report("no changes");
            return Ok(false);
        };
        self.report(format_args!("{verb} {} resources", change_set.changes.len()));
        // The change set has created the stack.
        let id = self.stacks.stack(&name).await?.map_or(name, |stack| stack.id);
        self.execute(&change_set.id, &id, done).await?;
        self.report(done);
        Ok(true)
    }
}

/// Returns the error for a status that allows neither an update nor a new creation.
fn stuck(name: &str, stack: &Stack) -> Failure {
    let failure = Failure::new(format!("the stack `{name}` is {}", stack.status));
    let failure = match &stack.reason {
        Some(reason) => failure.source(reason.clone()),
        None => failure,
    };
    failure.hint(match stack.status.as_str() {
        "UPDATE_ROLLBACK_FAILED" => {
            format!("aws cloudformation continue-update-rollback --stack-name {name}, then the same again")
        }
        _ => "covidctl down goes on deleting it".to_owned(),
    })
}
