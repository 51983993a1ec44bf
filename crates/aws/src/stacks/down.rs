//! `down`: deletes the stacks in reverse order.
//!
//! By default, stacks with data and those they depend on are kept. With `--delete-data`, retention policies are removed by an update and
//! buckets are emptied before each stack is deleted.

use common::failure::{Failure, Result};
use regex::{Captures, Regex};

use super::follow::Operation;
use super::parameters::Value;
use super::service::{Proposal, Request, Stack};
use super::templates::{self, stack_name};
use super::{Stacks, cluster, failed_creation, follow, is_busy, is_complete};
use crate::purge_bucket;
use target::{DataRetention, Progress};

/// Stacks with data, and the network of the database.
pub const KEPT: [&str; 4] = ["network", "database", "storage", "registry"];

/// A stack to delete.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StackSummary {
    pub stack: &'static str,
    /// The status of CloudFormation.
    pub status: String,
}

impl Stacks<'_> {
    /// Returns the stacks that would be deleted, in order.
    pub(crate) async fn stacks_to_delete(&self, data: DataRetention) -> Result<Vec<StackSummary>> {
        let states = self.states().await?.into_iter().rev();
        let states = states.filter(|state| data == DataRetention::Delete || !KEPT.contains(&state.name));
        Ok(states
            .filter_map(|state| Some(StackSummary { stack: state.name, status: state.status? }))
            .collect())
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
                Some(current) => stack = current,
                None => return Ok(()),
            }
        }
        if data == DataRetention::Delete {
            if is_complete(&stack.status) {
                self.remove_retention(name, &stack, progress).await?;
            } else {
                failed_creation::unprotect(self.clients, &self.service, name, &stack, progress).await?;
            }
            for bucket in self.service.resources(&stack.id, "AWS::S3::Bucket").await? {
                progress.step(&format!("{name}: emptying the bucket `{bucket}`"));
                purge_bucket::purge(self.clients, &bucket).await?;
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

    /// Updates the stack so that its deletion deletes every resource.
    async fn remove_retention(&self, name: &str, stack: &Stack, progress: &dyn Progress) -> Result<()> {
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
            Some(changed) if !is_complete(&changed.status) || changed.status.contains("ROLLBACK") => {
                Err(follow::explained(&self.service, name, &changed, "changed")
                    .await
                    .hint("mend it and type the same again"))
            }
            _ => Ok(()),
        }
    }
}

/// Removes retention policies and deletion protection from a template, as text, so that nothing else changes.
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
    fn without_retention_removes_policies_and_protection() {
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
    fn templates_with_retention_are_kept_stacks() {
        for template in templates::all(None).unwrap() {
            let keeps = without_retention(&template.body).unwrap() != template.body;
            assert!(!keeps || KEPT.contains(&template.name.as_str()), "{}", template.name);
        }
    }
}
