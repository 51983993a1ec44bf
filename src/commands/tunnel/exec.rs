//! `covidctl tunnel exec`: runs a command with the environment of libpq set to the tunnel, which is closed when the command ends.

use std::ffi::OsString;
use std::sync::Arc;

use common::failure::Result;

use super::{child, iam as tokens, names, no_forwarding, options};
use crate::cli::Route;
use crate::printer::Printer;
use crate::settings::Settings;
use crate::signals::Signals;
use target::{Bastion, DatabaseAccess, DatabaseLogin, DatabaseServer};
use tunnel::Tunnel;

pub(super) async fn run(
    route: &Route,
    iam: Option<&str>,
    words: &[OsString],
    settings: &Settings,
    printer: &Arc<Printer>,
) -> Result<()> {
    let mut signals = Signals::listen()?;
    let open = async {
        let target = crate::commands::target(settings)?;
        let login = login(route, iam, target.bastion.as_deref()).await?;
        let mut options = options(route, settings, printer).await?;
        if route.local_port.is_none() && route.forwardings.is_empty() {
            // The environment names the port, so that the default ones, which another tunnel may use, are not needed.
            options.forwardings.iter_mut().for_each(|forwarding| forwarding.port = 0);
        }
        Ok((target, login, Tunnel::open(options, printer.tunnel_events()).await?))
    };
    let (target, login, mut tunnel) = tokio::select! {
        biased;
        opened = open => opened?,
        failure = signals.next() => return Err(failure),
    };
    let Some(local) = tunnel.ready().forwardings.first() else {
        return Err(no_forwarding());
    };
    let token_of = login.as_ref().map(|login| (login.endpoint.clone(), login.user.clone()));
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
    let renewing = async {
        if let (Some(_), Some((endpoint, role)), Some(database)) = (iam, &token_of, &database) {
            let write = |token: &str| database.write_password(token);
            return match target.bastion() {
                Ok(bastion) => tokens::keep_renewed(bastion, endpoint, role, write, printer).await,
                Err(failure) => failure,
            };
        }
        std::future::pending().await
    };
    let failed = async {
        tokio::select! {
            failure = tunnel.ended() => failure,
            failure = renewing => failure,
        }
    };
    child::run(words, environment, &mut signals, failed).await
}

/// Returns the login for the first forwarding if its target is a database of the target; any other login is up to the command.
async fn login(
    route: &Route,
    iam: Option<&str>,
    bastion: Option<&dyn Bastion>,
) -> Result<Option<DatabaseLogin>> {
    let Some(bastion) = bastion.filter(|_| route.bastion.is_none()) else { return Ok(None) };
    let Some(name) = names(route, bastion).into_iter().next() else { return Ok(None) };
    let is_database =
        bastion.endpoints().iter().any(|endpoint| endpoint.is_database && endpoint.name == name);
    if !is_database {
        return Ok(None);
    }
    let server = DatabaseServer::named(&name);
    if let Some(role) = iam {
        return bastion.iam_login(&server, &tokens::role(role)?).await.map(Some);
    }
    bastion.login(&DatabaseAccess { server, ..DatabaseAccess::READ }).await.map(Some)
}
