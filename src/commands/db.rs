//! `covidctl db`

use std::fmt;
use std::sync::Arc;

use common::failure::Result;
use serde::Serialize;

use crate::cli::Db;
use crate::db::{
    self,
    migrations::{self, AppliedMigration},
};
use crate::ops;
use crate::printer::Printer;
use crate::settings::Settings;
use common::text::table;
use target::{DatabaseAccess, Target};

#[derive(Debug, Serialize)]
struct Schema {
    /// Migrations of this program that the database lacks.
    pending: usize,
    applied: Vec<AppliedMigration>,
}

pub(super) async fn run(command: Db, settings: &Settings, printer: &Arc<Printer>) -> Result<()> {
    let target = super::target(settings)?;
    match command {
        Db::Init => {
            settings.may_change("set up the database")?;
            ops::database::init(&target, printer.as_ref()).await
        }
        Db::Migrate => {
            settings.may_change("migrate the database")?;
            if !target.databases.migrates_by_job() {
                return migrate_directly(&target, printer).await;
            }
            ops::up::migrate(&target, printer.as_ref(), &mut |line| printer.log(line)).await
        }
        Db::Status => {
            let database = target.databases.database(DatabaseAccess::READ).await?;
            let mut connection = db::connect(&database).await?;
            let pending = etl::migrate::schema_state(&mut connection).await?.pending;
            printer.show(&Schema { pending, applied: migrations::applied(&mut connection).await? })
        }
    }
}

/// Applies pending migrations from this machine, for targets without a migration job.
async fn migrate_directly(target: &Target, printer: &Printer) -> Result<()> {
    let database = target.databases.database(DatabaseAccess::WRITE).await?;
    let mut session = db::connect(&database).await?;
    etl::database::become_owner(&mut session).await?;
    match etl::migrate::migrate(&mut session).await? {
        0 => printer.note("the schema is up to date"),
        applied => printer.note(&format!("applied {applied} migrations")),
    }
    Ok(())
}

impl fmt::Display for Schema {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let row = |applied: &AppliedMigration| {
            vec![
                applied.version.to_string(),
                applied.description.clone(),
                applied.applied_at.format("%Y-%m-%d %H:%M:%S").to_string(),
                (if applied.success { "applied" } else { "failed" }).to_owned(),
            ]
        };
        let rows: Vec<_> = self.applied.iter().map(row).collect();
        f.write_str(&table(&["VERSION", "MIGRATION", "APPLIED (UTC)", "STATE"], &rows))?;
        match self.pending {
            0 => writeln!(f, "\nno pending migrations"),
            pending => writeln!(f, "\npending migrations: {pending}"),
        }
    }
}
