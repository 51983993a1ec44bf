//! Sets up a new database: schema, roles with their passwords, and Metabase's database.
//!
//! Every step is idempotent. Passwords come from secrets and are sent as SCRAM verifiers only.

use common::failure::{Failure, Result};

use crate::db::{self, roles};
use target::{DatabaseAccess, Progress, Target};

/// Sets up the database as its administrator.
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
        applied => progress.step(&format!("applied {applied} migrations")),
    }
    // Migrations run as the owner; roles are created by the administrator.
    roles::reset_role(&mut session).await?;
    for login in &logins {
        let is_new = roles::ensure_login(&mut session, &login.username, &login.password).await?;
        let done = if is_new { "created role" } else { "set the password of role" };
        progress.step(&format!("{done} `{}`", login.username));
    }
    let [.., metabase] = &logins;
    let owner = &metabase.username;
    // Metabase's database has the name of its role.
    if roles::ensure_database(&mut session, owner, owner).await? {
        progress.step(&format!("created database `{owner}`"));
    }
    Ok(())
}
