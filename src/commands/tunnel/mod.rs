//! `covidctl tunnel`: opens it, says how to use it, and shows what passes until somebody ends it.

mod child;
mod exec;
mod meter;

use std::sync::Arc;

use common::failure::{Context as _, Exit, Failure, Result};

pub(super) use self::child::Child;
use crate::cli::{self, Route, TunnelCommand, TunnelTarget};
use crate::printer::Printer;
use crate::settings::Settings;
use crate::signals::Signals;
use tunnel::bastion::Discovery;
use tunnel::event::{Event, Tell};
use tunnel::forwarding::Forwarding;
use tunnel::{self, Options, Tunnel};

pub(super) async fn run(args: &cli::Tunnel, settings: &Settings, printer: &Arc<Printer>) -> Result<()> {
    if let Some(TunnelCommand::Exec { route, command }) = &args.command {
        return exec::run(route, command, settings, printer).await;
    }
    let mut signals = Signals::listen()?;
    let open = async {
        let mut options = options(&args.route, settings).await?;
        options.ready_file.clone_from(&args.ready_file);
        Tunnel::open(options, teller(printer)).await
    };
    let mut tunnel = tokio::select! {
        biased;
        tunnel = open => tunnel?,
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

/// Everything that the command line and the settings say; asks AWS for the rest.
async fn options(route: &Route, settings: &Settings) -> Result<Options> {
    let (discovery, mut forwardings) = match &route.bastion {
        Some(bastion) => {
            let discovery: Arc<dyn Discovery> = Arc::new(bastion.clone());
            if let Some(target) = route.targets.first() {
                return Err(Failure::usage(format!(
                    "with --bastion nobody knows where `{}` is",
                    target.name()
                ))
                .hint("say what leads where: -L lport:host:rport"));
            }
            if route.forwardings.is_empty() {
                return Err(Failure::usage("no -L says what leads where").hint("-L 5432:db.example:5432"));
            }
            (discovery, Vec::new())
        }
        None => named(route, settings).await?,
    };
    forwardings.extend(route.forwardings.iter().cloned());
    match (route.local_port, forwardings.as_mut_slice()) {
        (None, _) => {}
        (Some(port), [only]) => only.port = port,
        (Some(_), _) => {
            return Err(Failure::usage("--local-port is one port, and there are several forwardings")
                .hint("leave it out, and give each -L its own port"));
        }
    }
    Ok(Options {
        discovery,
        forwardings,
        bind: route.bind,
        key: route.key.clone(),
        may_ask: true,
        pins: tunnel::pins(&settings.config.value),
        host_key: route.host_key.clone(),
        cipher: route.cipher.clone(),
        connect_limit: route.connect_timeout,
        ready_file: None,
    })
}

/// Returns the target's bastion and the forwardings to the named endpoints behind it; by default to the master.
async fn named(route: &Route, settings: &Settings) -> Result<(Arc<dyn Discovery>, Vec<Forwarding>)> {
    let target = crate::commands::target(settings)?;
    let bastion = target.bastion()?;
    let discovery = bastion.discovery().await?;
    let only_master = [TunnelTarget::Master];
    let targets = if route.targets.is_empty() && route.forwardings.is_empty() {
        &only_master[..]
    } else {
        &route.targets
    };
    let mut forwardings = Vec::new();
    for named in targets {
        forwardings
            .push(Forwarding { port: named.local_port(), target: bastion.endpoint(named.name()).await? });
    }
    Ok((discovery, forwardings))
}

/// Events as data: the ready line or, as JSON, all of them, on standard output; remarks on standard error.
fn teller(printer: &Arc<Printer>) -> Tell {
    let printer = Arc::clone(printer);
    Arc::new(move |event| match serde_json::to_string(&event) {
        Ok(json) if printer.json() => printer.bytes(format!("{json}\n").as_bytes()),
        _ if matches!(event, Event::Ready(_)) => printer.text(&event.to_string()),
        _ => printer.note(&event.to_string()),
    })
}

/// For a command inside the tunnel, standard output is the command's own.
fn whisperer(printer: &Arc<Printer>) -> Tell {
    let printer = Arc::clone(printer);
    Arc::new(move |event| {
        if !matches!(event, Event::Ready(_)) {
            printer.note(&event.to_string());
        }
    })
}

/// The process's exit status, as a shell would say it.
pub(super) fn passed_on(status: std::process::ExitStatus) -> Result<()> {
    use std::os::unix::process::ExitStatusExt as _;

    if status.success() {
        return Ok(());
    }
    let code = status.code().or_else(|| status.signal().map(|signal| 128 + signal)).unwrap_or(1);
    let code = u8::try_from(code).context(|| format!("the command ended with {status}"))?;
    Err(Failure::new(format!("the command ended with {status}")).exit_code(Exit::Child(code)))
}
