//! Sets up a new database: the schema with its roles, their passwords, and Metabase's own database.
//!
//! Everything can be repeated. Passwords come from secrets, are held in memory and leave it only as verifiers.

use common::failure::{Failure, Result};

use crate::db::{self, roles};
use target::{DatabaseAccess, Progress, Target};

/// As the master user, through the tunnel.
pub async fn init(target: &Target, progress: &dyn Progress) -> Result<()> {
    let Some(logins) = target.databases.logins().await? else {
        return Err(Failure::usage("this target has no logins to set up").hint(
            "`covidctl up` creates the local database; for the one on AWS: covidctl --target aws db init",
        ));
    };
    let database = target.databases.database(DatabaseAccess::ADMINISTER).await?;
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
