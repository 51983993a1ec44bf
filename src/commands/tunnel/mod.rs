//! `covidctl tunnel`: opens it, says how to use it, and shows what passes until somebody ends it.

mod child;
mod exec;
mod meter;

use std::path::Path;
use std::sync::Arc;

use etl::failure::{Exit, Failure, OrFail as _, Result};

use crate::cli::{self, Route, TunnelCommand};
use crate::printer::Printer;
use crate::settings::Settings;
use crate::signals::Signals;
use crate::tunnel::event::{Event, Tell};
use crate::tunnel::{Options, Tunnel};

pub(super) async fn run(args: &cli::Tunnel, settings: &Settings, printer: &Arc<Printer>) -> Result<()> {
    if let Some(TunnelCommand::Exec { route, command }) = &args.command {
        return exec::run(route, command, settings, printer).await;
    }
    let route = args.route.as_ref().ok_or_else(|| Failure::usage("no -L says what leads where"))?;
    let mut options = options(route, settings)?;
    options.ready_file.clone_from(&args.ready_file);
    let mut signals = Signals::listen()?;
    let mut tunnel = tokio::select! {
        biased;
        tunnel = Tunnel::open(options, teller(printer)) => tunnel?,
        failure = signals.next() => return Err(failure),
    };
    let counters = Arc::clone(tunnel.counters());
    let signal = tokio::select! {
        failure = tunnel.ended() => return Err(failure),
        failure = signals.next() => failure,
        () = meter::show(&counters, printer) => Failure::new("interrupted"),
    };
    // Ctrl-C and `kill` are how a tunnel ends.
    match signal.exit() {
        Exit::Interrupted | Exit::Child(_) => Ok(()),
        _ => Err(signal),
    }
}

/// Everything that the command line and the settings say.
fn options(route: &Route, settings: &Settings) -> Result<Options> {
    let mut forwardings = route.forwardings.clone();
    match (route.local_port, forwardings.as_mut_slice()) {
        (None, _) => {}
        (Some(port), [only]) => only.port = port,
        (Some(_), _) => {
            return Err(Failure::usage("--local-port is one port, and there are several -L")
                .hint("leave it out, and give each -L its own port"));
        }
    }
    let Some(bastion) = route.bastion.clone() else {
        return Err(Failure::usage("no --bastion says through whom").hint("--bastion user@host:port"));
    };
    // Beside the settings, and not among the target's data: deleting those must not make us forget whom we trust.
    let folder = settings.config.value.parent().unwrap_or(Path::new("/"));
    Ok(Options {
        discovery: Arc::new(bastion),
        forwardings,
        bind: route.bind,
        key: route.key.clone(),
        pins: folder.join("host_keys"),
        host_key: route.host_key.clone(),
        cipher: route.cipher.clone(),
        connect_limit: route.connect_timeout,
        ready_file: None,
    })
}

/// Events as data: the ready line or, as JSON, all of them, on standard output; remarks on standard error.
fn teller(printer: &Arc<Printer>) -> Tell {
    let printer = Arc::clone(printer);
    Arc::new(move |event| match serde_json::to_string(&event) {
        Ok(json) if printer.json() => printer.bytes(format!("{json}\n").as_bytes()),
        _ if matches!(event, Event::Ready(_)) => printer.text(&event.to_string()),
        _ => printer.say(&event.to_string()),
    })
}

/// For a command inside the tunnel, standard output is the command's own.
fn whisperer(printer: &Arc<Printer>) -> Tell {
    let printer = Arc::clone(printer);
    Arc::new(move |event| {
        if !matches!(event, Event::Ready(_)) {
            printer.say(&event.to_string());
        }
    })
}

/// The process's exit status, as a shell would say it.
fn passed_on(status: std::process::ExitStatus) -> Result<()> {
    use std::os::unix::process::ExitStatusExt as _;

    if status.success() {
        return Ok(());
    }
    let code = status.code().or_else(|| status.signal().map(|signal| 128 + signal)).unwrap_or(1);
    let code = u8::try_from(code).or_fail(|| format!("the command ended with {status}"))?;
    Err(Failure::new(format!("the command ended with {status}")).exiting(Exit::Child(code)))
}
