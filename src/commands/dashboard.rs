//! `covidctl dashboard`: sets up Metabase from the specification, or reports the differences.

use std::fmt;

use common::failure::{Failure, Result};
use etl::report::Language;
use serde::Serialize;

use crate::cli::{Dashboard, MetabaseArgs};
use crate::dashboard::{Client, Connection, ItemState, ItemStatus, ReconcileMode, reconcile};
use crate::printer::Printer;
use crate::settings::Settings;
use common::text::table;
use target::{DatabaseAccess, DatabaseRole, DatabaseServer};

#[derive(Debug, Serialize)]
#[serde(transparent)]
struct Items(Vec<ItemStatus>);

pub(super) async fn run(command: &Dashboard, settings: &Settings, printer: &Printer) -> Result<()> {
    match command {
        Dashboard::Apply { metabase, database_url } => {
            settings.may_change("set up Metabase")?;
            let connection = match database_url {
                Some(url) => Connection::parse(url)?,
                None => replica(settings).await?,
            };
            let client = log_in(metabase, Some(metabase.language)).await?;
            let items = reconcile(&client, metabase.language, ReconcileMode::Apply(&connection)).await?;
            let changed = items.iter().filter(|item| item.state != ItemState::Same).count();
            printer.show(&Items(items))?;
            printer.note(&match changed {
                0 => "nothing to do".to_owned(),
                count => format!("{count} items were created or updated in `{}`", metabase.url),
            });
            Ok(())
        }
        Dashboard::Status { metabase, database_url } => {
            let connection = database_url.as_deref().map(Connection::parse).transpose()?;
            let client = log_in(metabase, None).await?;
            let mode = ReconcileMode::Check(connection.as_ref());
            let items = reconcile(&client, metabase.language, mode).await?;
            let differing = items.iter().filter(|item| item.state != ItemState::Same).count();
            printer.show(&Items(items))?;
            if differing > 0 {
                return Err(Failure::new(format!(
                    "{differing} items in `{}` differ from this release",
                    metabase.url
                ))
                .hint("covidctl dashboard apply"));
            }
            Ok(())
        }
    }
}

/// Returns the target's read replica. Metabase is in the same network and needs no tunnel.
async fn replica(settings: &Settings) -> Result<Connection> {
    let target = super::target(settings)?;
    let Some(bastion) = &target.bastion else {
        return Err(Failure::usage("no database URL for Metabase is configured")
            .hint("--database-url or METABASE_DATABASE_URL; on the target `aws` it is discovered"));
    };
    let login =
        bastion.login(DatabaseAccess { server: DatabaseServer::Replica, role: DatabaseRole::Reader }).await?;
    let (host, port) = (login.endpoint.host.as_str(), login.endpoint.port);
    Ok(Connection::new((host, port), &login.database, (&login.user, &login.password), Some("require")))
}

/// Logs in; with a locale, sets up a new Metabase.
async fn log_in(metabase: &MetabaseArgs, locale: Option<Language>) -> Result<Client> {
    Client::open(&metabase.url, (&metabase.email, &metabase.password), locale).await
}

impl fmt::Display for Items {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let row = |item: &ItemStatus| vec![item.kind.to_owned(), item.name.clone(), item.state.to_string()];
        let rows: Vec<_> = self.0.iter().map(row).collect();
        f.write_str(&table(&["KIND", "NAME", "STATE"], &rows))
    }
}
