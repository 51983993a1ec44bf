//! Brings the stacks up: plans, and carries the plan out.
//!
//! Between plan and execution the world may change, so each stack is looked at again before it is touched.

use common::failure::{Exit, Failure, Result};
use futures_util::future;

use super::change::{Action, Change, Fate, Step};
use super::follow::Operation;
use super::service::{Proposal, Request, Service, Stack};
use super::templates::{Template, stack_name};
use super::values::{Given, Resolved, There, Value};
use super::{Order, Plan, Stacks, engine, follow, is_busy, is_whole, remains};
use crate::clients::Clients;
use target::Progress;

/// What ECS answers while it creates its service-linked role for the first cluster of an account.
const NO_SERVICE_ROLE: &str = "service linked role";

impl Stacks<'_> {
    /// Finds out what would be done. CloudFormation is asked about stacks that exist; of the others, the templates say it.
    pub(crate) async fn plan(&self, order: Order) -> Result<Plan> {
        let Order { templates, given } = &order;
        let steps = future::join_all(
            templates.iter().map(|template| step(self.clients, &self.service, template, given)),
        )
        .await;
        let steps = steps.into_iter().collect::<Result<Vec<_>>>()?;
        // Without these nothing that follows can be made.
        if let Some(first) = steps.first().filter(|step| step.action == Fate::LeftOut) {
            let failure = Failure::usage(first.to_string().lines().next().unwrap_or_default());
            return Err(failure.hint(first.hint.clone().unwrap_or_default()));
        }
        Ok(Plan { steps, order })
    }

    /// Carries a plan out; says how many stacks are others than before.
    pub(crate) async fn apply(&self, plan: &Plan, progress: &dyn Progress) -> Result<usize> {
        let mut changed = 0;
        for (step, template) in plan.steps.iter().zip(&plan.order.templates) {
            let is_settled = step.action == Fate::Unchanged && changed == 0;
            if is_settled || step.action == Fate::LeftOut {
                continue;
            }
            if bring(self.clients, &self.service, template, &plan.order.given, progress).await? {
                changed += 1;
            }
        }
        Ok(changed)
    }
}

async fn step(clients: &Clients, service: &Service, template: &Template, given: &Given) -> Result<Step> {
    let name = stack_name(&template.name);
    let stack = service.stack(&name).await?;
    let step =
        |action, changes| Step { stack: template.name.clone(), action, changes, reason: None, hint: None };
    if let Some(stack) = stack.as_ref().filter(|stack| is_busy(&stack.status)) {
        return Ok(Step { reason: Some(stack.status.clone()), ..step(Fate::Wait, Vec::new()) });
    }
    let values = match resolve(template, given, stack.as_ref()) {
        Resolved::Values(values) => values,
        Resolved::Missing(names) => {
            let (name, stack) = (&names[0], &template.name);
            return Ok(Step {
                reason: Some(format!("nobody says its parameter `{}`", names.join("`, `"))),
                hint: Some(format!(
                    "--parameter {stack}.{name}=…, or `{name} = \"…\"` under [aws.stacks.{stack}] in the settings"
                )),
                ..step(Fate::LeftOut, Vec::new())
            });
        }
        Resolved::NeedsRelease => {
            return Ok(Step {
                reason: Some("there is no release yet that could run".to_owned()),
                hint: Some("make one (docs/guides/deploy.md, step 3), then covidctl --target aws up --release v0.1.0".to_owned()),
                ..step(Fate::LeftOut, Vec::new())
            });
        }
    };
    let is_whole_already = stack.as_ref().is_some_and(|stack| is_whole(&stack.status));
    if !is_whole_already {
        engine::check(clients, template, &values).await?;
    }
    match stack {
        Some(stack) if remains::only(service, &stack).await? => {
            Ok(step(Fate::CreateAnew, everything(template)))
        }
        Some(stack) if is_whole(&stack.status) => {
            match service
                .propose(&Request { stack: &name, body: &template.body, values: &values, creates: false })
                .await?
            {
                Proposal::Nothing => Ok(step(Fate::Unchanged, Vec::new())),
                Proposal::Changes { id, changes } => {
                    service.withdraw(&id, &name).await?;
                    Ok(step(Fate::Change, changes))
                }
            }
        }
        Some(stack) if stack.status != "REVIEW_IN_PROGRESS" => Err(stuck(&name, &stack)),
        _ => Ok(step(Fate::Create, everything(template))),
    }
}

fn resolve(template: &Template, given: &Given, stack: Option<&Stack>) -> Resolved {
    let there = stack.map(|stack| There { parameters: &stack.parameters, is_ruin: !is_whole(&stack.status) });
    // One that a change set has only thought of has nothing.
    given.resolve(template, there.filter(|there| !there.parameters.is_empty() || !there.is_ruin))
}

fn everything(template: &Template) -> Vec<Change> {
    let add = |resource: &super::templates::Resource| Change {
        action: Action::Add,
        resource: resource.name.clone(),
        kind: resource.kind.clone(),
        condition: resource.condition.clone(),
    };
    template.resources.iter().map(add).collect()
}

/// Makes one stack what it should be, whatever state it is in; says whether anything was done.
async fn bring(
    clients: &Clients,
    service: &Service,
    template: &Template,
    given: &Given,
    progress: &dyn Progress,
) -> Result<bool> {
    let name = stack_name(&template.name);
    // What a ruin was given is known until it is deleted.
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
            Some(there) if remains::only(service, there).await? => {
                progress.step(&format!("{}: deleting what an attempt that failed has left", template.name));
                had = Some(resolve(template, given, stack.as_ref()));
                remains::unprotect(clients, service, &template.name, there, progress).await?;
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
            Some(there) if !is_whole(&there.status) && there.status != "REVIEW_IN_PROGRESS" => {
                return Err(stuck(&name, there));
            }
            _ => {
                let resolved = had.take().unwrap_or_else(|| resolve(template, given, stack.as_ref()));
                let Resolved::Values(values) = resolved else { return Ok(false) };
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
    let creates = !stack.is_some_and(|stack| is_whole(&stack.status));
    let proposal = service.propose(&Request { stack: &name, body: &template.body, values, creates }).await?;
    let Proposal::Changes { id: change_set, changes } = proposal else {
        progress.step(&format!("{}: no changes", template.name));
        return Ok(false);
    };
    let (verb, done) = if creates { ("creating", "created") } else { ("changing", "changed") };
    progress.step(&format!("{}: {verb} {} resources", template.name, changes.len()));
    // The stack exists by now: the change set has made it.
    let made = service.stack(&name).await?;
    let id = made.map_or_else(|| name.clone(), |stack| stack.id);
    let operation = Operation::Requested(service.newest_event(&id).await?);
    service.execute(&change_set, &name).await?;
    match follow::to_end(service, &template.name, &id, operation, progress).await? {
        Some(stack) if is_whole(&stack.status) && !stack.status.contains("ROLLBACK") => {
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

/// A state in which neither an update nor a new beginning is possible.
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
