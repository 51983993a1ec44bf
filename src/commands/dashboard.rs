//! `covidctl dashboard`: sets up Metabase from this repository, or says where it differs.

use std::fmt;

use common::failure::{Failure, Result};
use serde::Serialize;

use crate::cli::{Dashboard, MetabaseArgs};
use crate::dashboard::{Access, Client, Connection, Mode, Part, State, reconcile};
use crate::printer::Printer;
use crate::settings::Settings;
use common::text::table;
use target::{DatabaseAccess, DatabaseRole, DatabaseServer};

#[derive(Debug, Serialize)]
#[serde(transparent)]
struct Parts(Vec<Part>);

pub(super) async fn run(command: &Dashboard, settings: &Settings, printer: &Printer) -> Result<()> {
    match command {
        Dashboard::Apply { metabase, database_url } => {
            settings.may_change("set up Metabase")?;
            let connection = match database_url {
                Some(url) => Connection::parse(url)?,
                None => replica(settings).await?,
            };
            let client =
                Client::open(&metabase.url, &access(metabase), true, &metabase.language.to_string()).await?;
            let parts = reconcile(&client, Some(&connection), metabase.language, Mode::Apply).await?;
            let changed = parts.iter().filter(|part| part.state != State::Same).count();
            printer.show(&Parts(parts))?;
            printer.note(&match changed {
                0 => "nothing was to be done".to_owned(),
                count => format!("{count} things were created or changed in `{}`", metabase.url),
            });
            Ok(())
        }
        Dashboard::Status { metabase, database_url } => {
            let connection = database_url.as_deref().map(Connection::parse).transpose()?;
            let client = Client::open(&metabase.url, &access(metabase), false, "").await?;
            let parts = reconcile(&client, connection.as_ref(), metabase.language, Mode::Look).await?;
            let otherwise = parts.iter().filter(|part| part.state != State::Same).count();
            printer.show(&Parts(parts))?;
            if otherwise > 0 {
                return Err(Failure::new(format!(
                    "{otherwise} things in `{}` are not as this release has them",
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

fn access(metabase: &MetabaseArgs) -> Access {
    Access { email: metabase.email.clone(), password: metabase.password.clone() }
}

impl fmt::Display for Parts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let row = |part: &Part| vec![part.kind.to_owned(), part.name.clone(), part.state.to_string()];
        let rows: Vec<_> = self.0.iter().map(row).collect();
        f.write_str(&table(&["KIND", "NAME", "STATE"], &rows))
    }
}
