//! `covidctl dashboard`: sets up Metabase from the specification, or reports the differences.

use common::failure::{Failure, Result};

use crate::cli::Dashboard;
use crate::dashboard::{Client, Connection, ItemState, ReconcileMode, reconcile};
use crate::printer::Printer;
use crate::settings::Settings;
use target::{DatabaseAccess, DatabaseRole, DatabaseServer};

pub(super) async fn run(command: &Dashboard, settings: &Settings, printer: &Printer) -> Result<()> {
    let (metabase, url, applies) = match command {
        Dashboard::Apply { metabase, database_url } => (metabase, database_url, true),
        Dashboard::Status { metabase, database_url } => (metabase, database_url, false),
    };
    if applies {
        settings.may_change("set up Metabase")?;
    }
    let connection = match url {
        Some(url) => Some(Connection::parse(url)?),
        None if applies => Some(replica(settings).await?),
        None => None,
    };
    let mode = match &connection {
        Some(connection) if applies => ReconcileMode::Apply(connection),
        connection => ReconcileMode::Check(connection.as_ref()),
    };
    let account = (metabase.email.as_str(), metabase.password.as_str());
    let client = Client::open(&metabase.url, account, applies.then_some(metabase.language), printer).await?;
    let items = reconcile(&client, metabase.language, mode).await?;
    printer.show_table(["KIND", "NAME", "STATE"], &items, |item| {
        [item.kind.to_owned(), item.name.clone(), item.state.to_string()]
    })?;
    match (applies, items.iter().filter(|item| item.state != ItemState::Same).count()) {
        (true, 0) => printer.note("nothing to do"),
        (true, count) => {
            printer.note(&format!("{count} items were created or updated in `{}`", metabase.url));
        }
        (false, 0) => {}
        (false, count) => {
            let what = format!("{count} items in `{}` differ from this release", metabase.url);
            return Err(Failure::new(what).hint("covidctl dashboard apply"));
        }
    }
    Ok(())
}

/// Returns the target's read replica. Metabase is in the same network and needs no tunnel.
async fn replica(settings: &Settings) -> Result<Connection> {
    let target = super::target(settings)?;
    target.ensure_releases()?;
    let Some(bastion) = &target.bastion else {
        return Err(Failure::usage("no database URL for Metabase is configured")
            .hint("--database-url or METABASE_DATABASE_URL; on the target `aws` it is discovered"));
    };
    let login = bastion
        .login(&DatabaseAccess { server: DatabaseServer::REPLICA, role: DatabaseRole::Reader })
        .await?;
    let (host, port) = (login.endpoint.host.as_str(), login.endpoint.port);
    Ok(Connection::new(
        (host, port),
        &login.database,
        (&login.user, login.password.as_deref().unwrap_or_default()),
        Some("require"),
    ))
}
