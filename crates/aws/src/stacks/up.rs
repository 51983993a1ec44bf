//! `up`: makes a plan and executes it. Each stack is read again before it is changed.

use common::failure::{Exit, Failure, Result};
use futures_util::future;

use super::change::{Change, ResourceAction, StackAction, Step};
use super::follow::Operation;
use super::parameters::{DeployedParameters, ParameterOverrides, ResolvedParameters, Value};
use super::service::{Proposal, Request, Service, Stack};
use super::templates::{Template, stack_name};
use super::{Plan, Stacks, UpRequest, engine_version, failed_creation, follow, is_busy, is_complete};
use crate::clients::Clients;
use target::Progress;

/// Part of the error of ECS while it creates its service-linked role for the first cluster of an account.
const NO_SERVICE_ROLE: &str = "service linked role";

impl Stacks<'_> {
    /// Returns the plan: from change sets for existing stacks, from templates for the others.
    pub(crate) async fn plan(&self, order: UpRequest) -> Result<Plan> {
        let UpRequest { templates, given } = &order;
        let steps = future::join_all(
            templates.iter().map(|template| step(self.clients, &self.service, template, given)),
        )
        .await;
        let steps = steps.into_iter().collect::<Result<Vec<_>>>()?;
        // The following stacks need these.
        if let Some(first) = steps.first().filter(|step| step.action == StackAction::LeftOut) {
            let failure = Failure::usage(first.to_string().lines().next().unwrap_or_default());
            return Err(failure.hint(first.hint.clone().unwrap_or_default()));
        }
        Ok(Plan { steps, order })
    }

    /// Executes a plan; returns the number of changed stacks.
    pub(crate) async fn apply(&self, plan: &Plan, progress: &dyn Progress) -> Result<usize> {
        let mut changed = 0;
        for (step, template) in plan.steps.iter().zip(&plan.order.templates) {
            let is_settled = step.action == StackAction::Unchanged && changed == 0;
            if is_settled || step.action == StackAction::LeftOut {
                continue;
            }
            if reconcile(self.clients, &self.service, template, &plan.order.given, progress).await? {
                changed += 1;
            }
        }
        Ok(changed)
    }
}

async fn step(
    clients: &Clients,
    service: &Service,
    template: &Template,
    given: &ParameterOverrides,
) -> Result<Step> {
    let name = stack_name(&template.name);
    let stack = service.stack(&name).await?;
    let step =
        |action, changes| Step { stack: template.name.clone(), action, changes, reason: None, hint: None };
    if let Some(stack) = stack.as_ref().filter(|stack| is_busy(&stack.status)) {
        return Ok(Step { reason: Some(stack.status.clone()), ..step(StackAction::Wait, Vec::new()) });
    }
    let values = match resolve(template, given, stack.as_ref()) {
        ResolvedParameters::Values(values) => values,
        ResolvedParameters::Missing(names) => {
            let (name, stack) = (&names[0], &template.name);
            return Ok(Step {
                reason: Some(format!("missing parameter `{}`", names.join("`, `"))),
                hint: Some(format!(
                    "--parameter {stack}.{name}=…, or `{name} = \"…\"` under [aws.stacks.{stack}] in the settings"
                )),
                ..step(StackAction::LeftOut, Vec::new())
            });
        }
        ResolvedParameters::NeedsRelease => {
            return Ok(Step {
                reason: Some("there is no release yet that could run".to_owned()),
                hint: Some("make one (docs/guides/deploy.md, step 3), then covidctl --target aws up --release v0.1.0".to_owned()),
                ..step(StackAction::LeftOut, Vec::new())
            });
        }
    };
    let is_whole_already = stack.as_ref().is_some_and(|stack| is_complete(&stack.status));
    if !is_whole_already {
        engine_version::check(clients, template, &values).await?;
    }
    match stack {
        Some(stack) if failed_creation::only(service, &stack).await? => {
            Ok(step(StackAction::CreateAnew, all_resources(template)))
        }
        Some(stack) if is_complete(&stack.status) => {
            match service
                .propose(&Request { stack: &name, body: &template.body, values: &values, creates: false })
                .await?
            {
                Proposal::Nothing => Ok(step(StackAction::Unchanged, Vec::new())),
                Proposal::Changes { id, changes } => {
                    service.withdraw(&id, &name).await?;
                    Ok(step(StackAction::Change, changes))
                }
            }
        }
        Some(stack) if stack.status != "REVIEW_IN_PROGRESS" => Err(stuck(&name, &stack)),
        _ => Ok(step(StackAction::Create, all_resources(template))),
    }
}

fn resolve(template: &Template, given: &ParameterOverrides, stack: Option<&Stack>) -> ResolvedParameters {
    let there = stack.map(|stack| DeployedParameters {
        parameters: &stack.parameters,
        is_failed_creation: !is_complete(&stack.status),
    });
    // A stack in REVIEW_IN_PROGRESS has no resources.
    given.resolve(template, there.filter(|there| !there.parameters.is_empty() || !there.is_failed_creation))
}

fn all_resources(template: &Template) -> Vec<Change> {
    let add = |resource: &super::templates::Resource| Change {
        action: ResourceAction::Add,
        resource: resource.name.clone(),
        kind: resource.kind.clone(),
        condition: resource.condition.clone(),
    };
    template.resources.iter().map(add).collect()
}

/// Creates or updates a stack, whatever its state; returns whether anything changed.
async fn reconcile(
    clients: &Clients,
    service: &Service,
    template: &Template,
    given: &ParameterOverrides,
    progress: &dyn Progress,
) -> Result<bool> {
    let name = stack_name(&template.name);
    // The values of a failed creation are lost when it is deleted.
    let mut had = None;
    let mut has_waited_for_role = false;
    loop {
        let stack = service.stack(&name).await?;
        match &stack {
            Some(there) if is_busy(&there.status) => {
                progress.step(&format!("{}: {}, which is waited for", template.name, there.status));
                let newest = service.newest_event(&there.id).await?;
                let operation = Operation::InProgress(newest);
                follow::to_end(service, &template.name, &there.id, operation, progress).await?;
            }
            Some(there) if failed_creation::only(service, there).await? => {
                progress.step(&format!("{}: deleting what an attempt that failed has left", template.name));
                had = Some(resolve(template, given, stack.as_ref()));
                failed_creation::unprotect(clients, service, &template.name, there, progress).await?;
                let operation = Operation::Requested(service.newest_event(&there.id).await?);
                service.delete(&there.id, &name).await?;
                if let Some(left) =
                    follow::to_end(service, &template.name, &there.id, operation, progress).await?
                {
                    return Err(follow::explained(service, &template.name, &left, "deleted")
                        .await
                        .hint("covidctl --target aws up"));
                }
            }
            Some(there) if !is_complete(&there.status) && there.status != "REVIEW_IN_PROGRESS" => {
                return Err(stuck(&name, there));
            }
            _ => {
                let resolved = had.take().unwrap_or_else(|| resolve(template, given, stack.as_ref()));
                let ResolvedParameters::Values(values) = resolved else { return Ok(false) };
                match change(service, template, stack.as_ref(), &values, progress).await {
                    // The first attempt makes ECS create the role; it is there a moment later (ECS Developer Guide, "Using
                    // service-linked roles for Amazon ECS").
                    Err(failure) if !has_waited_for_role && failure.to_string().contains(NO_SERVICE_ROLE) => {
                        progress.step(&format!(
                            "{}: ECS creates its service-linked role in this account; trying again",
                            template.name
                        ));
                        has_waited_for_role = true;
                    }
                    result => return result,
                }
            }
        }
    }
}

async fn change(
    service: &Service,
    template: &Template,
    stack: Option<&Stack>,
    values: &[(String, Value)],
    progress: &dyn Progress,
) -> Result<bool> {
    let name = stack_name(&template.name);
    let creates = !stack.is_some_and(|stack| is_complete(&stack.status));
    let proposal = service.propose(&Request { stack: &name, body: &template.body, values, creates }).await?;
    let Proposal::Changes { id: change_set, changes } = proposal else {
        progress.step(&format!("{}: no changes", template.name));
        return Ok(false);
    };
    let (verb, done) = if creates { ("creating", "created") } else { ("changing", "changed") };
    progress.step(&format!("{}: {verb} {} resources", template.name, changes.len()));
    // The change set has created the stack.
    let made = service.stack(&name).await?;
    let id = made.map_or_else(|| name.clone(), |stack| stack.id);
    let operation = Operation::Requested(service.newest_event(&id).await?);
    service.execute(&change_set, &name).await?;
    match follow::to_end(service, &template.name, &id, operation, progress).await? {
        Some(stack) if is_complete(&stack.status) && !stack.status.contains("ROLLBACK") => {
            progress.step(&format!("{}: {done}", template.name));
            Ok(true)
        }
        Some(stack) => Err(follow::explained(service, &template.name, &stack, done)
            .await
            .hint("mend it and type the same again: what is done stays, and it goes on here")),
        None => Err(Failure::new(format!("the stack `{name}` was deleted while it was {done}"))
            .hint("covidctl --target aws up")),
    }
}

/// Returns the error for a status that allows neither an update nor a new creation.
fn stuck(name: &str, stack: &Stack) -> Failure {
    let failure = Failure::new(format!("the stack `{name}` is {}", stack.status));
    let failure = match &stack.reason {
        Some(reason) => failure.source(reason.clone()),
        None => failure,
    };
    failure.exit_code(Exit::Failed).hint(match stack.status.as_str() {
        "UPDATE_ROLLBACK_FAILED" => {
            format!("aws cloudformation continue-update-rollback --stack-name {name}, then the same again")
        }
        _ => "covidctl --target aws down goes on deleting it".to_owned(),
    })
}
