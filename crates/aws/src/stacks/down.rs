//! `down`: deletes the stacks in reverse order.
//!
//! By default, stacks with data and those they depend on are kept. With `--delete-data`, retention policies are removed by an update and
//! buckets are emptied before each stack is deleted.

use common::failure::Result;

use super::operation::StackOperation;
use super::{Stacks, is_busy, is_complete, templates};
use crate::{Aws, purge_bucket};
use target::{DataRetention, Progress};

/// Stacks with data, and the network of the database.
pub const KEPT: [&str; 4] = ["network", "database", "storage", "registry"];

fn is_deleted(stack: &str, data: DataRetention) -> bool {
    data == DataRetention::Delete || !KEPT.contains(&stack)
}

impl Aws {
    /// Returns the stacks that would be deleted, in order.
    pub async fn stacks_to_delete(&self, data: DataRetention) -> Result<Vec<&'static str>> {
        let stacks = Stacks::new(&self.account().await?.clients).all().await?.into_iter().rev();
        let deleted = stacks.filter(|(name, stack)| stack.is_some() && is_deleted(name, data));
        Ok(deleted.map(|(name, _)| name).collect())
    }

    /// Deletes the stacks.
    pub async fn remove(&self, data: DataRetention, progress: &dyn Progress) -> Result<()> {
        let stacks = &Stacks::new(&self.account().await?.clients);
        for name in templates::names().rev().filter(|name| is_deleted(name, data)) {
            StackOperation { stacks, name, progress }.remove(data).await?;
        }
        Ok(())
    }
}

impl StackOperation<'_> {
    async fn remove(&self, data: DataRetention) -> Result<()> {
        let Some(mut stack) = self.stacks.stack(&self.full_name()).await? else { return Ok(()) };
        if is_busy(&stack.status) {
            match self.wait(&stack).await? {
                Some(current) => stack = current,
                None => return Ok(()),
            }
        }
        if data == DataRetention::Delete {
            if is_complete(&stack.status) {
                self.remove_retention(&stack).await?;
            } else {
                self.unprotect(&stack).await?;
            }
            for bucket in self.stacks.resources(&stack.id, "AWS::S3::Bucket").await? {
                self.report(format_args!("emptying the bucket `{bucket}`"));
                purge_bucket::purge(self.stacks.clients, &bucket).await?;
            }
        }
        self.stop_tasks(&stack).await?;
        self.report("deleting");
        self.delete(&stack).await?;
        self.report("deleted");
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::super::obstacles::without_retention;
    use super::*;

    #[test]
    fn templates_with_retention_are_kept_stacks() {
        for template in templates::all(None).unwrap() {
            let keeps = without_retention(&template.body).unwrap() != template.body;
            assert!(!keeps || KEPT.contains(&template.name.as_str()), "{}", template.name);
        }
    }
}
