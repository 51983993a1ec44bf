//! Takes the stacks down, in the opposite order of their creation.
//!
//! Without being told to delete data, those that hold data stay, and so does what these stand on. With it, nothing may outlive its
//! stack: what the templates say to the contrary is taken back by an update, and buckets are emptied, before each stack goes.

use common::failure::{Failure, Result};
use regex::{Captures, Regex};

use super::follow::Operation;
use super::service::{Proposal, Request, Stack};
use super::templates::{self, stack_name};
use super::values::Value;
use super::{Stacks, cluster, follow, is_busy, is_whole, remains};
use crate::emptying;
use target::{DataRetention, Progress};

/// What holds data, and the network that the database stands in.
pub const KEPT: [&str; 4] = ["network", "database", "storage", "registry"];

/// A stack that would be deleted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Standing {
    /// `network`, …
    pub stack: &'static str,
    /// In CloudFormation's words.
    pub status: String,
}

impl Stacks<'_> {
    /// What is there and would go, in the order in which it goes.
    pub(crate) async fn standing(&self, data: DataRetention) -> Result<Vec<Standing>> {
        let states = self.states().await?.into_iter().rev();
        let states = states.filter(|state| data == DataRetention::Delete || !KEPT.contains(&state.name));
        Ok(states.filter_map(|state| Some(Standing { stack: state.name, status: state.status? })).collect())
    }

    /// Deletes them.
    pub(crate) async fn remove(&self, data: DataRetention, progress: &dyn Progress) -> Result<()> {
        for name in templates::names().rev() {
            if data == DataRetention::Delete || !KEPT.contains(&name) {
                self.remove_one(name, data, progress).await?;
            }
        }
        Ok(())
    }

    async fn remove_one(&self, name: &str, data: DataRetention, progress: &dyn Progress) -> Result<()> {
        let Some(mut stack) = self.service.stack(&stack_name(name)).await? else { return Ok(()) };
        if is_busy(&stack.status) {
            progress.step(&format!("{name}: {}, which is waited for", stack.status));
            let newest = self.service.newest_event(&stack.id).await?;
            let operation = Operation::InProgress(newest);
            match follow::to_end(&self.service, name, &stack.id, operation, progress).await? {
                Some(settled) => stack = settled,
                None => return Ok(()),
            }
        }
        if data == DataRetention::Delete {
            if is_whole(&stack.status) {
                self.let_go(name, &stack, progress).await?;
            } else {
                remains::unprotect(self.clients, &self.service, name, &stack, progress).await?;
            }
            for bucket in self.service.resources(&stack.id, "AWS::S3::Bucket").await? {
                progress.step(&format!("{name}: emptying the bucket `{bucket}`"));
                emptying::empty(self.clients, &bucket).await?;
            }
        }
        cluster::clear(self.clients, &self.service, name, &stack, progress).await?;
        progress.step(&format!("{name}: deleting"));
        let operation = Operation::Requested(self.service.newest_event(&stack.id).await?);
        self.service.delete(&stack.id, &stack_name(name)).await?;
        match follow::to_end(&self.service, name, &stack.id, operation, progress).await? {
            None => {
                progress.step(&format!("{name}: deleted"));
                Ok(())
            }
            Some(left) => Err(follow::explained(&self.service, name, &left, "deleted")
                .await
                .hint("mend it and type the same again: it goes on here")),
        }
    }

    /// An update after which the stack takes everything with it, and protects nothing any more.
    async fn let_go(&self, name: &str, stack: &Stack, progress: &dyn Progress) -> Result<()> {
        let full = stack_name(name);
        let body = self.service.template(&full).await?;
        let loose = without_retention(&body)?;
        let is_protected =
            stack.parameters.iter().any(|(name, value)| name == "DeletionProtection" && value == "true");
        if loose == body && !is_protected {
            return Ok(());
        }
        progress.step(&format!("{name}: nothing of it is kept or protected any more"));
        let value = |(name, _): &(String, String)| match name.as_str() {
            "DeletionProtection" => (name.clone(), Value::Set("false".to_owned())),
            _ => (name.clone(), Value::Previous),
        };
        let values: Vec<_> = stack.parameters.iter().map(value).collect();
        let request = Request { stack: &full, body: &loose, values: &values, creates: false };
        let Proposal::Changes { id, .. } = self.service.propose(&request).await? else { return Ok(()) };
        let operation = Operation::Requested(self.service.newest_event(&stack.id).await?);
        self.service.execute(&id, &full).await?;
        match follow::to_end(&self.service, name, &stack.id, operation, progress).await? {
            Some(changed) if !is_whole(&changed.status) || changed.status.contains("ROLLBACK") => {
                Err(follow::explained(&self.service, name, &changed, "changed")
                    .await
                    .hint("mend it and type the same again"))
            }
            _ => Ok(()),
        }
    }
}

/// The template with every resource going when its stack does. As text, because it has to stay the template that is there.
fn without_retention(body: &str) -> Result<String> {
    let pattern = r#"(DeletionPolicy"?\s*:\s*"?)(?:RetainExceptOnCreate|Retain|Snapshot)\b"#;
    let pattern =
        Regex::new(pattern).map_err(|error| Failure::new("cannot read a template").source(error))?;
    Ok(pattern.replace_all(body, |found: &Captures<'_>| format!("{}Delete", &found[1])).into_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_outlives_its_stack_goes_with_it() {
        let yaml = "A:\n  DeletionPolicy: RetainExceptOnCreate\n  UpdateReplacePolicy: Retain\nB: {DeletionPolicy: Snapshot}\nC:\n  DeletionPolicy: Delete\n";
        assert_eq!(
            without_retention(yaml).unwrap(),
            "A:\n  DeletionPolicy: Delete\n  UpdateReplacePolicy: Retain\nB: {DeletionPolicy: Delete}\nC:\n  DeletionPolicy: Delete\n"
        );
        let json = r#"{"DeletionPolicy": "Retain", "UpdateReplacePolicy": "Retain"}"#;
        assert_eq!(
            without_retention(json).unwrap(),
            r#"{"DeletionPolicy": "Delete", "UpdateReplacePolicy": "Retain"}"#
        );
    }

    #[test]
    fn every_template_that_keeps_something_is_known_to_hold_data() {
        for template in templates::all(None).unwrap() {
            let keeps = without_retention(&template.body).unwrap() != template.body;
            assert!(!keeps || KEPT.contains(&template.name.as_str()), "{}", template.name);
        }
    }
}
