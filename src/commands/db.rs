//! `covidctl db`

use std::fmt;
use std::sync::Arc;

use common::failure::{Failure, Result};
use serde::Serialize;

use crate::backend::{self, Access, Backend};
use crate::cli::Db;
use crate::db::{
    self,
    migrations::{self, Applied},
};
use crate::ops;
use crate::printer::Printer;
use crate::settings::Settings;
use crate::text::table;

#[derive(Debug, Serialize)]
struct Schema {
    /// How many migrations this program knows and the database does not have.
    pending: usize,
    applied: Vec<Applied>,
}

pub(super) async fn run(command: Db, settings: &Settings, printer: &Arc<Printer>) -> Result<()> {
    let backend = backend::connect(settings)?;
    match command {
        Db::Init => {
            settings.may_change("set up the database")?;
            if settings.target.value != "aws" {
                return Err(Failure::usage("on this machine there are no logins to set up").hint(
                    "`covidctl up` makes the database here; for the one on AWS: covidctl --target aws db init",
                ));
            }
            ops::database::init(&backend::aws(settings, printer)?, printer.as_ref()).await
        }
        Db::Migrate => {
            settings.may_change("migrate the database")?;
            if settings.target.value == "aws" {
                return migrate_from_here(backend.as_ref(), printer).await;
            }
            ops::up::migrate(backend.as_ref(), printer.as_ref(), &mut |line| printer.log(line)).await
        }
        Db::Status => {
            let database = backend.database().await?;
            let mut connection = db::connect(&database).await?;
            let pending = etl::migrate::state(&mut connection).await?.pending;
            printer.show(&Schema { pending, applied: migrations::applied(&mut connection).await? })
        }
    }
}

/// Where no task migrates by itself: through the tunnel, with the login that may.
async fn migrate_from_here(backend: &dyn Backend, printer: &Printer) -> Result<()> {
    let database = backend.database_for(Access::WRITE).await?;
    let mut session = db::connect(&database).await?;
    etl::database::become_owner(&mut session).await?;
    match etl::migrate::migrate(&mut session).await? {
        0 => printer.say("the schema is up to date"),
        applied => printer.say(&format!("{applied} migrations were applied")),
    }
    Ok(())
}

impl fmt::Display for Schema {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let row = |applied: &Applied| {
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
            0 => writeln!(f, "\nnothing is pending"),
            pending => writeln!(f, "\n{pending} pending"),
        }
    }
}
