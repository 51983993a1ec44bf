//! `covidctl tunnel`: opens a tunnel, prints how to use it, and shows its counters until it is interrupted.

mod background;
pub(super) mod child;
mod exec;
mod health;
pub(super) mod iam;

use std::io::{IsTerminal as _, Write as _};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use common::ascii;
use common::failure::{Exit, Failure, Result};
use target::{Bastion, BastionAccess, SslMode};
use tunnel::{Counters, EventSink, Forwarding, Options, SshRoute, Tunnel, UnixSockets};

use self::health::{Connected, HealthServer};
use crate::cli::{self, Route, TunnelCommand};
use crate::printer::Printer;
use crate::settings::Settings;
use crate::signals::Signals;

const COUNTER_INTERVAL: Duration = Duration::from_secs(1);

/// Moves the cursor to the first column and erases the line.
const ERASE_LINE: &str = "\r\x1b[K";

pub(super) async fn run(args: &cli::Tunnel, settings: &Settings, printer: &Arc<Printer>) -> Result<()> {
    match &args.command {
        Some(TunnelCommand::Exec { route, iam, command }) => {
            exec::run(route, iam.as_deref(), command, settings, printer).await
        }
        Some(TunnelCommand::Start(start)) => background::start(start, settings, printer).await,
        Some(TunnelCommand::List) => background::list(settings, printer).await,
        Some(TunnelCommand::Stop { which }) => background::stop(which, settings, printer).await,
        None => foreground(args, settings, printer).await,
    }
}

async fn foreground(args: &cli::Tunnel, settings: &Settings, printer: &Arc<Printer>) -> Result<()> {
    let mut signals = Signals::listen()?;
    let connected = Connected::default();
    let open = async {
        let health = HealthServer::bind_optional(args.health).await?;
        let mut options = options(&args.route, settings, printer).await?;
        options.ready_file.clone_from(&args.ready_file);
        let sink = connected.watching(stdout_sink(printer));
        Ok((Tunnel::open(options, sink).await?, health))
    };
    let (mut tunnel, health) = tokio::select! {
        biased;
        opened = open => opened?,
        failure = signals.next() => return Err(failure),
    };
    let counters = Arc::clone(tunnel.counters());
    let health = health::serve(health, &tunnel, connected);
    let signal = tokio::select! {
        failure = tunnel.ended() => return Err(failure),
        failure = signals.next() => failure,
        () = show_counters(&counters, printer) => Failure::new("interrupted"),
        () = health => Failure::new("interrupted"),
    };
    // Ctrl-C and `kill` are the usual end of a tunnel.
    match signal.exit() {
        Exit::Interrupted | Exit::Child(_) => Ok(()),
        _ => Err(signal),
    }
}

/// Returns the options of the command line; the target supplies the bastion and the endpoints that it does not name.
async fn options(route: &Route, settings: &Settings, printer: &Printer) -> Result<Options> {
    let (access, mut forwardings, ca_bundle) = if let Some(bastion) = &route.bastion {
        if let Some(target) = route.targets.first() {
            return Err(Failure::usage(format!("the address of `{target}` is unknown with --bastion"))
                .hint("name it with -L: -L LOCAL-PORT:HOST:PORT"));
        }
        if route.forwardings.is_empty() {
            return Err(no_forwarding());
        }
        let way = bastion.resolve()?;
        warn_of_passed_over(&way, printer);
        (BastionAccess::from(way), Vec::new(), own_ca_bundle(route, settings, printer))
    } else {
        named(route, settings).await?
    };
    forwardings.extend(route.forwardings.iter().cloned());
    match (route.local_port, forwardings.as_mut_slice()) {
        (None, _) => {}
        (Some(port), [only]) => only.port = port,
        (Some(_), _) => {
            return Err(Failure::usage("--local-port needs exactly one forwarding")
                .hint("remove it, and give each -L its own port"));
        }
    }
    if !route.bind.is_loopback() {
        let bind = route.bind;
        printer.note(&format!("warning: other machines can reach the database through {bind} (--bind)"));
    }
    let BastionAccess { discovery, mut identity, known_hosts_files, jumps } = access;
    // Those of the command line are offered first.
    identity.files.splice(0..0, route.keys.iter().cloned());
    Ok(Options {
        discovery,
        forwardings,
        bind: route.bind,
        identity,
        prompt: true,
        known_hosts: tunnel::known_hosts_file(&settings.config.value),
        known_hosts_files,
        trust: route.trust.into(),
        host_key: route.host_key.clone(),
        cipher: route.cipher.clone(),
        jumps,
        proxy: settings.proxy.clone(),
        connect_timeout: route.connect_timeout,
        ready_file: None,
        unix_sockets: route.unix_socket.clone().map(|folder| UnixSockets { folder, ca_bundle }),
    })
}

/// Returns the CA bundle for Unix sockets to databases that belong to no target.
fn own_ca_bundle(route: &Route, settings: &Settings, printer: &Printer) -> Option<PathBuf> {
    let bundle = settings.aws.ssl_root_cert.as_ref().map(|bundle| bundle.value.clone());
    let bundle = bundle.filter(|_| settings.aws.ssl_mode.value == SslMode::VerifyFull);
    if route.unix_socket.is_some() && bundle.is_none() {
        printer.note(
            "warning: connections to the Unix socket are not encrypted behind the bastion; to verify the database, name its CA: --ssl-root-cert FILE",
        );
    }
    bundle
}

/// Names the options of `~/.ssh/config` that are passed over although they may matter.
fn warn_of_passed_over(way: &SshRoute, printer: &Printer) {
    for host in way.jumps.iter().chain([way]).filter(|host| !host.passed_over.is_empty()) {
        let (host, options) = (host.bastion.address(), host.passed_over.join(", "));
        printer.note(&format!("~/.ssh/config: {options} is not supported and passed over for {host}"));
    }
}

fn no_forwarding() -> Failure {
    Failure::usage("there is nothing to forward").hint("-L 5432:db.example:5432")
}

/// Returns the target's bastion, the forwardings to the named endpoints behind it (by default to its first database), and the CA bundle
/// that Unix sockets need.
async fn named(
    route: &Route,
    settings: &Settings,
) -> Result<(BastionAccess, Vec<Forwarding>, Option<PathBuf>)> {
    let target = crate::commands::target(settings)?;
    let bastion = target.bastion()?;
    let known = bastion.endpoints();
    let mut forwardings = Vec::new();
    for name in names(route, bastion) {
        let port = known.iter().find(|endpoint| endpoint.name == name).map_or(0, |known| known.local_port);
        forwardings.push(Forwarding { port, target: bastion.endpoint(&name).await? });
    }
    let ca_bundle = match route.unix_socket {
        Some(_) => bastion.ca_bundle().await?,
        None => None,
    };
    Ok((bastion.access().await?, forwardings, ca_bundle))
}

/// Returns the names of the endpoints that a tunnel leads to.
fn names(route: &Route, bastion: &dyn Bastion) -> Vec<String> {
    if !route.targets.is_empty() || !route.forwardings.is_empty() {
        return route.targets.clone();
    }
    let known = bastion.endpoints().into_iter();
    known.filter(|endpoint| endpoint.is_database).map(|endpoint| endpoint.name).take(1).collect()
}

/// Returns a sink that prints `ready` on standard output and other events on standard error; as JSON, every event on standard output.
fn stdout_sink(printer: &Arc<Printer>) -> EventSink {
    let printer = Arc::clone(printer);
    Arc::new(move |event| match serde_json::to_string(&event) {
        Ok(json) if printer.json() => printer.bytes(format!("{json}\n").as_bytes()),
        _ if event.is_ready() => printer.text(&event.to_string()),
        _ => printer.note(&event.to_string()),
    })
}

struct StatsLine;

impl Drop for StatsLine {
    fn drop(&mut self) {
        write(ERASE_LINE);
    }
}

/// Shows the counters until dropped; nothing if standard error is not a terminal, or with `--quiet` or JSON.
async fn show_counters(counters: &Counters, printer: &Printer) {
    if !std::io::stderr().is_terminal() || printer.quiet() || printer.json() {
        return std::future::pending().await;
    }
    let _line = StatsLine;
    let mut before = counters.snapshot();
    let mut ticks = tokio::time::interval(COUNTER_INTERVAL);
    loop {
        ticks.tick().await;
        let now = counters.snapshot();
        write(&format!("{ERASE_LINE}{}", now.line(&before, COUNTER_INTERVAL)));
        before = now;
    }
}

fn write(text: &str) {
    let mut stderr = std::io::stderr().lock();
    // An error on standard error cannot be reported anywhere.
    drop(stderr.write_all(ascii::in_locale(text).as_bytes()).and_then(|()| stderr.flush()));
}
