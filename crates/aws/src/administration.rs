//! What an administrator does on AWS and nowhere else: creating and deleting the stacks, and the logins of a new database.
//!
//! Nothing is asked here: whoever calls has shown what will happen, and was told to go on.

use common::failure::Result;

use super::stacks::{Order, Plan, Stacks, Standing, Wanted};
use super::{Account, Aws};
use target::{DataRetention, Progress};

impl Aws {
    /// What bringing the stacks up would do. Changes nothing.
    pub async fn plan(&self, wanted: &Wanted<'_>) -> Result<Plan> {
        let order = Order::new(wanted, &self.settings)?;
        let Account { clients, .. } = self.account().await?;
        Stacks::new(clients).plan(order).await
    }

    /// Carries a plan out; says how many stacks are others than before.
    pub async fn apply(&self, plan: &Plan, progress: &dyn Progress) -> Result<usize> {
        let Account { clients, .. } = self.account().await?;
        Stacks::new(clients).apply(plan, progress).await
    }

    /// The stacks that taking the target down would delete, in that order.
    pub async fn standing(&self, data: DataRetention) -> Result<Vec<Standing>> {
        let Account { clients, .. } = self.account().await?;
        Stacks::new(clients).standing(data).await
    }

    /// Deletes them.
    pub async fn remove(&self, data: DataRetention, progress: &dyn Progress) -> Result<()> {
        let Account { clients, .. } = self.account().await?;
        Stacks::new(clients).remove(data, progress).await
    }

    /// The account's number.
    pub async fn account_id(&self) -> Result<&str> {
        Ok(&self.account().await?.id)
    }
}
