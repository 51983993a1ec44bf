//! `covidctl db`

use std::sync::Arc;

use common::failure::Result;
use common::text;
use serde::Serialize;

use crate::cli::Db;
use crate::db::{self, AppliedMigration};
use crate::ops;
use crate::printer::Printer;
use crate::settings::Settings;
use target::{DatabaseAccess, Target};

#[derive(Debug, Serialize)]
struct Schema {
    /// Migrations of this program that the database lacks.
    pending: usize,
    applied: Vec<AppliedMigration>,
}

pub(super) async fn run(command: Db, settings: &Settings, printer: &Arc<Printer>) -> Result<()> {
    let target = super::target(settings)?;
    target.ensure_releases()?;
    match command {
        Db::Init => {
            settings.may_change("set up the database")?;
            ops::up::init_database(&target, printer.as_ref()).await
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
            let applied = db::applied_migrations(&mut connection).await?;
            printer.show_as(&Schema { pending, applied }, schema)
        }
    }
}

/// Applies pending migrations from this machine, for targets without a migration job.
async fn migrate_directly(target: &Target, printer: &Printer) -> Result<()> {
    let database = target.databases.database(DatabaseAccess::WRITE).await?;
    let mut session = db::connect(&database).await?;
    etl::database::become_owner(&mut session).await?;
    printer.note(&ops::up::apply_migrations(&mut session).await?);
    Ok(())
}

fn schema(Schema { pending, applied }: &Schema) -> String {
    let cells = |applied: &AppliedMigration| {
        let state = if applied.success { "applied" } else { "failed" };
        let (version, at) = (applied.version.to_string(), text::time(applied.applied_at));
        [version, applied.description.clone(), at, state.to_owned()]
    };
    let table = text::table(["VERSION", "MIGRATION", "APPLIED (UTC)", "STATE"], applied.iter().map(cells));
    match pending {
        0 => format!("{table}\nno pending migrations"),
        pending => format!("{table}\npending migrations: {pending}"),
    }
}
