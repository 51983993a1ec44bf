//! `covidctl tunnel exec`: a command that finds its database through the tunnel, and a tunnel that ends with it.

use std::ffi::OsString;
use std::sync::Arc;

use common::failure::{Failure, Result};

use super::child::Child;
use super::{options, passed_on, whisperer};
use crate::backend::aws::Login;
use crate::backend::{self, Access, Server};
use crate::cli::{Route, TunnelTarget};
use crate::printer::Printer;
use crate::settings::Settings;
use crate::signals::Signals;
use crate::tunnel::Tunnel;

pub(super) async fn run(
    route: &Route,
    words: &[OsString],
    settings: &Settings,
    printer: &Arc<Printer>,
) -> Result<()> {
    let mut signals = Signals::listen()?;
    let open = async {
        let login = login(route, settings, printer).await?;
        let mut options = options(route, settings, printer).await?;
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

/// How to log in where the command's first target is a database of ours; anywhere else that is the command's own business.
async fn login(route: &Route, settings: &Settings, printer: &Arc<Printer>) -> Result<Option<Login>> {
    let server = match route.targets.first() {
        _ if route.bastion.is_some() || settings.target.value == "local" => return Ok(None),
        Some(TunnelTarget::Replica) => Server::Replica,
        Some(TunnelTarget::Master) => Server::Master,
        None if route.forwardings.is_empty() => Server::Master,
        Some(TunnelTarget::Metabase) | None => return Ok(None),
    };
    let access = Access { server, ..Access::READ };
    backend::aws(settings, printer)?.login(access).await.map(Some)
}
