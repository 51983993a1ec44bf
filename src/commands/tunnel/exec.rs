//! `covidctl tunnel exec`: a command that finds its database through the tunnel, and a tunnel that ends with it.

use std::ffi::OsString;
use std::sync::Arc;

use etl::failure::{Failure, Result};

use super::child::Child;
use super::{options, passed_on, whisperer};
use crate::cli::Route;
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
        let options = options(route, settings, printer).await?;
        Tunnel::open(options, whisperer(printer)).await
    };
    let mut tunnel = tokio::select! {
        biased;
        tunnel = open => tunnel?,
        failure = signals.next() => return Err(failure),
    };
    let Some(local) = tunnel.ready().forwardings.first() else {
        return Err(Failure::usage("no -L says what leads where"));
    };
    // The host is the name that certificates are checked against; the address is where the connection goes.
    let environment = vec![
        ("PGHOST", local.host.clone().into()),
        ("PGHOSTADDR", local.local.ip().to_string().into()),
        ("PGPORT", local.local.port().to_string().into()),
    ];
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
