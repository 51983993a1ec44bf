//! `covidctl tunnel exec`: runs a command with the environment of libpq set to the tunnel, which is closed when the command ends.

use std::ffi::OsString;
use std::sync::Arc;

use common::failure::Result;

use super::{child, names, no_forwarding, options};
use crate::cli::Route;
use crate::printer::Printer;
use crate::settings::Settings;
use crate::signals::Signals;
use target::{Bastion, DatabaseAccess, DatabaseLogin, DatabaseServer};
use tunnel::Tunnel;

pub(super) async fn run(
    route: &Route,
    words: &[OsString],
    settings: &Settings,
    printer: &Arc<Printer>,
) -> Result<()> {
    let mut signals = Signals::listen()?;
    let open = async {
        let target = crate::commands::target(settings)?;
        let login = login(route, target.bastion.as_deref()).await?;
        let mut options = options(route, settings, printer).await?;
        if route.local_port.is_none() && route.forwardings.is_empty() {
            // The environment names the port, so that the default ones, which another tunnel may use, are not needed.
            options.forwardings.iter_mut().for_each(|forwarding| forwarding.port = 0);
        }
        Ok((login, Tunnel::open(options, printer.tunnel_events()).await?))
    };
    let (login, mut tunnel) = tokio::select! {
        biased;
        opened = open => opened?,
        failure = signals.next() => return Err(failure),
    };
    let Some(local) = tunnel.ready().forwardings.first() else {
        return Err(no_forwarding());
    };
    let database = login.map(|login| login.through(local.address(), ())).transpose()?;
    let environment = match &database {
        Some(database) => database.environment(),
        // libpq connects to the address and verifies the certificate against the host name.
        None => vec![
            ("PGHOST", local.host.clone().into()),
            ("PGHOSTADDR", local.address().ip().to_string().into()),
            ("PGPORT", local.local.port().to_string().into()),
        ],
    };
    child::run(words, environment, &mut signals, tunnel.ended()).await
}

/// Returns the login for the first forwarding if its target is a database of the target; any other login is up to the command.
async fn login(route: &Route, bastion: Option<&dyn Bastion>) -> Result<Option<DatabaseLogin>> {
    let Some(bastion) = bastion.filter(|_| route.bastion.is_none()) else { return Ok(None) };
    let Some(name) = names(route, bastion).into_iter().next() else { return Ok(None) };
    let is_database =
        bastion.endpoints().iter().any(|endpoint| endpoint.is_database && endpoint.name == name);
    if !is_database {
        return Ok(None);
    }
    let access = DatabaseAccess { server: DatabaseServer::named(&name), ..DatabaseAccess::READ };
    bastion.login(&access).await.map(Some)
}
