//! `covidctl tunnel exec`: a command that finds its database through the tunnel, and a tunnel that ends with it.

use std::ffi::OsString;
use std::sync::Arc;

use common::failure::{Failure, Result};

use super::child::Child;
use super::{options, passed_on, whisperer};
use crate::cli::{Route, TunnelTarget};
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
        let mut options = options(route, settings).await?;
        if route.local_port.is_none() && route.forwardings.is_empty() {
            // The command is told where to go, so nobody needs the usual ports, which another tunnel may have.
            options.forwardings.iter_mut().for_each(|forwarding| forwarding.port = 0);
        }
        Ok((login, Tunnel::open(options, whisperer(printer)).await?))
    };
    let (login, mut tunnel) = tokio::select! {
        biased;
        opened = open => opened?,
        failure = signals.next() => return Err(failure),
    };
    let Some(local) = tunnel.ready().forwardings.first() else {
        return Err(Failure::usage("no -L says what leads where"));
    };
    let database = login.map(|login| login.through(local.local, ())).transpose()?;
    let environment = match &database {
        Some(database) => database.environment(),
        // The host is the name that certificates are checked against; the address is where the connection goes.
        None => vec![
            ("PGHOST", local.host.clone().into()),
            ("PGHOSTADDR", local.local.ip().to_string().into()),
            ("PGPORT", local.local.port().to_string().into()),
        ],
    };
    let mut child = Child::start(words, environment)?;
    loop {
        tokio::select! {
            status = child.ended() => return passed_on(status?),
            // On a terminal the command gets its own Ctrl-C, and may do with it what it likes: psql cancels a query.
            signal = signals.next() => child.pass_on(signal.exit()),
            failure = tunnel.ended() => {
                child.terminate();
                child.ended().await?;
                return Err(failure);
            }
        }
    }
}

/// Returns the login for the first forwarding if it leads to a database of the target; any other login is up to the command.
async fn login(route: &Route, bastion: Option<&dyn Bastion>) -> Result<Option<DatabaseLogin>> {
    let Some(bastion) = bastion.filter(|_| route.bastion.is_none()) else { return Ok(None) };
    let server = match route.targets.first() {
        Some(TunnelTarget::Replica) => DatabaseServer::Replica,
        Some(TunnelTarget::Master) => DatabaseServer::Master,
        None if route.forwardings.is_empty() => DatabaseServer::Master,
        Some(TunnelTarget::Metabase) | None => return Ok(None),
    };
    bastion.login(DatabaseAccess { server, ..DatabaseAccess::READ }).await.map(Some)
}
