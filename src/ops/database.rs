//! Sets up a new database: the schema with its roles, their passwords, and Metabase's own database.
//!
//! Everything can be repeated. Passwords come from secrets, are held in memory and leave it only as verifiers.

use common::failure::Result;

use crate::backend::aws::Aws;
use crate::backend::{Access, Backend as _, Progress};
use crate::db::{self, roles};

/// As the master user, through the tunnel.
pub async fn init(aws: &Aws, progress: &dyn Progress) -> Result<()> {
    let logins = aws.logins().await?;
    let database = aws.database_for(Access::ADMINISTER).await?;
    let mut session = db::connect(&database).await?;
    match etl::migrate::migrate(&mut session).await? {
        0 => progress.step("the schema is up to date"),
        applied => progress.step(&format!("{applied} migrations were applied")),
    }
    // The migrations were made as the owner; roles are the administrator's own business.
    roles::as_oneself(&mut session).await?;
    for login in &logins {
        let is_new = roles::ensure_login(&mut session, &login.username, &login.password).await?;
        let created = if is_new { "was created and " } else { "" };
        progress.step(&format!("`{}` {created}has the password of its secret", login.username));
    }
    let [.., metabase] = &logins;
    let owner = &metabase.username;
    // Metabase's database is called as its login.
    if roles::ensure_database(&mut session, owner, owner).await? {
        progress.step(&format!("the database `{owner}` was created"));
    }
    Ok(())
}
