//! Planning, applying and deleting the stacks. The caller shows the plan and asks for confirmation.

use common::failure::Result;

use super::stacks::{Plan, StackSummary, Stacks, UpOptions, UpRequest};
use super::{Account, Aws};
use target::{DataRetention, Progress};

impl Aws {
    /// Returns the plan of `up`. Changes nothing.
    pub async fn plan(&self, wanted: &UpOptions<'_>) -> Result<Plan> {
        let order = UpRequest::new(wanted, &self.settings)?;
        let Account { clients, .. } = self.account().await?;
        Stacks::new(clients).plan(order).await
    }

    /// Executes a plan; returns the number of changed stacks.
    pub async fn apply(&self, plan: &Plan, progress: &dyn Progress) -> Result<usize> {
        let Account { clients, .. } = self.account().await?;
        Stacks::new(clients).apply(plan, progress).await
    }

    /// Returns the stacks that `down` would delete, in order.
    pub async fn stacks_to_delete(&self, data: DataRetention) -> Result<Vec<StackSummary>> {
        let Account { clients, .. } = self.account().await?;
        Stacks::new(clients).stacks_to_delete(data).await
    }

    /// Deletes the stacks.
    pub async fn remove(&self, data: DataRetention, progress: &dyn Progress) -> Result<()> {
        let Account { clients, .. } = self.account().await?;
        Stacks::new(clients).remove(data, progress).await
    }

    /// Returns the account id.
    pub async fn account_id(&self) -> Result<&str> {
        Ok(&self.account().await?.id)
    }
}
