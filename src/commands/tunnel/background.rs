//! `covidctl tunnel start`, `list` and `stop`: tunnels in the background.
//!
//! `start` runs this program again. That process opens the tunnel, asking on the terminal if it has to, and leaves the terminal when the
//! tunnel is ready.

use std::fs::File;
use std::io::Read as _;
use std::process::{Command, Stdio};
use std::sync::Arc;

use chrono::{SecondsFormat, Utc};
use common::failure::{Context as _, Exit, Failure, Result};
use nix::unistd::{dup2_stderr, dup2_stdin, dup2_stdout, setsid};
use target::Target;
use tunnel::{ControlSocket, LocalForwarding, Ready, RunningTunnel, Service, ServiceStatus, Tunnel};

use super::health::{self, Connected, HealthServer};
use super::iam::IamLogins;
use super::{names, no_forwarding, options};
use crate::cli::StartArgs;
use crate::printer::Printer;
use crate::settings::Settings;
use crate::signals::Signals;

/// The exit status after SIGHUP.
const HANG_UP: Exit = Exit::Child(129);

/// Starts a tunnel, or prints how to use the one that runs already.
pub(super) async fn start(args: &StartArgs, settings: &Settings, printer: &Arc<Printer>) -> Result<()> {
    let service = Service::new(settings.tunnels.clone());
    if args.detached {
        return detached(args, settings, printer, &service).await;
    }
    // Two that start at the same time must not both open a tunnel.
    let _lock = service.lock()?;
    let key = key(args, settings)?;
    if let Some(tunnel) = service.running().await?.into_iter().find(|tunnel| tunnel.status.key == key) {
        let status = tunnel.status;
        printer.note(&format!("it runs already, since {}", status.started_at));
        print_ready(&Ready { bastion: status.bastion, forwardings: status.forwardings }, printer);
        return Ok(());
    }
    let program = std::env::current_exe().context(|| "cannot find this program".to_owned())?;
    let words = std::env::args_os().skip(1);
    let child = Command::new(program)
        .args(words)
        .arg("--detached")
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .spawn();
    let mut child = child.context(|| "cannot start the tunnel".to_owned())?;
    let Some(mut out) = child.stdout.take() else { return Err(Failure::new("the tunnel has no output")) };
    // Ends when the tunnel is ready and leaves the terminal, or when it fails.
    let read = tokio::task::spawn_blocking(move || {
        let mut text = Vec::new();
        out.read_to_end(&mut text).map(|_| text)
    });
    let text = read.await.context(|| "cannot read from the tunnel".to_owned())?;
    let text = text.context(|| "cannot read from the tunnel".to_owned())?;
    if text.is_empty() {
        let status = child.wait().context(|| "cannot wait for the tunnel".to_owned())?;
        let code = status.code().and_then(|code| u8::try_from(code).ok()).unwrap_or(1);
        return Err(Failure::new("the tunnel was not started").exit_code(Exit::Child(code)));
    }
    printer.bytes(&text);
    Ok(())
}

/// Opens the tunnel, leaves the terminal, and serves until it is stopped or fails.
async fn detached(
    args: &StartArgs,
    settings: &Settings,
    printer: &Arc<Printer>,
    service: &Service,
) -> Result<()> {
    let mut signals = Signals::listen()?;
    let connected = Connected::default();
    let open = async {
        let health = HealthServer::bind_optional(args.health).await?;
        let logins = match &args.iam {
            Some(role) => {
                let target = crate::commands::target(settings)?;
                target.bastion()?;
                let Some(bastion) = target.bastion else { return Err(no_forwarding()) };
                Some(IamLogins::new(&args.route, role, bastion).await?)
            }
            None => None,
        };
        let options = options(&args.route, settings, printer).await?;
        Ok((Tunnel::open(options, connected.watching(printer.tunnel_events())).await?, health, logins))
    };
    let (mut tunnel, health, logins) = tokio::select! {
        biased;
        opened = open => opened?,
        failure = signals.next() => return Err(failure),
    };
    let socket = service.listen()?;
    let (mut ready, counters) = (tunnel.ready().clone(), Arc::clone(tunnel.counters()));
    let tokens = logins.map(|logins| logins.write(socket.password_file(), &mut ready)).transpose()?;
    print_ready(&ready, printer);
    leave_terminal(&socket)?;
    let (started_at, key) = (Utc::now().to_rfc3339_opts(SecondsFormat::Secs, true), key(args, settings)?);
    let scope = if args.route.bastion.is_some() { ready.bastion.clone() } else { settings.aws.scope() };
    let target = if args.route.bastion.is_some() { None } else { Some(crate::commands::target(settings)?) };
    let bastion = target.as_ref().map(Target::bastion).transpose()?;
    let names = bastion.map_or_else(Vec::new, |bastion| names(&args.route, bastion));
    let status = || {
        let counters = counters.snapshot();
        ServiceStatus {
            pid: std::process::id(),
            started_at: started_at.clone(),
            key: key.clone(),
            scope: scope.clone(),
            bastion: ready.bastion.clone(),
            connected: connected.get(),
            names: names.clone(),
            forwardings: ready.forwardings.clone(),
            bytes_sent: counters.up,
            bytes_received: counters.down,
            connections: counters.open,
            connections_total: counters.served,
            reconnects: counters.reconnects,
            round_trip_seconds: counters.round_trip.as_secs_f64(),
        }
    };
    let health = std::pin::pin!(health::serve(health, &tunnel, connected.clone()));
    let renewing = async {
        match &tokens {
            Some(tokens) => tokens.keep_renewed(printer).await,
            None => std::future::pending().await,
        }
    };
    let signal = async {
        // The terminal that hangs up is no longer this process's.
        loop {
            let signal = signals.next().await;
            if signal.exit() != HANG_UP {
                return signal;
            }
        }
    };
    let stop = tokio::select! {
        stop = socket.serve(status) => Some(stop),
        failure = tunnel.ended() => {
            socket.record_end(&format!("{}: {failure}", ready.forwardings.iter().map(|one| one.local.to_string()).collect::<Vec<_>>().join(" ")));
            return Err(failure);
        }
        _ = signal => None,
        () = health => None,
        _ = renewing => None,
    };
    // The client that asked for the end waits until the ports are closed.
    drop(tokens);
    drop(tunnel);
    drop(socket);
    drop(stop);
    Ok(())
}

/// Returns what makes two tunnels the same: the same endpoints of the same target, or the same ports through the same bastion.
fn key(args: &StartArgs, settings: &Settings) -> Result<String> {
    let route = &args.route;
    let forwardings: Vec<_> = route
        .forwardings
        .iter()
        .map(|forwarding| format!("{}:{}", forwarding.port, forwarding.target))
        .collect();
    let scope = match &route.bastion {
        Some(bastion) => bastion.resolve()?.bastion.to_string(),
        None => settings.aws.scope(),
    };
    let local = route.local_port.map(|port| port.to_string()).unwrap_or_default();
    let mut key =
        format!("{scope} {} {} {local} {}", route.targets.join(","), forwardings.join(","), route.bind);
    if let Some(folder) = &route.unix_socket {
        let folder =
            std::path::absolute(folder).context(|| "cannot find the folder of the socket".to_owned())?;
        key.push(' ');
        key += &folder.to_string_lossy();
    }
    if let Some(role) = &args.iam {
        key += " iam ";
        key += &super::iam::role(role)?;
    }
    Ok(key)
}

fn print_ready(ready: &Ready, printer: &Printer) {
    let event = tunnel::Event::Ready(ready.clone());
    match serde_json::to_string(&event) {
        Ok(json) if printer.json() => printer.bytes(format!("{json}\n").as_bytes()),
        _ => printer.text(&ready.to_string()),
    }
}

/// Leaves the terminal: no hang-up of it ends the process, and what is printed from now on is in the log.
fn leave_terminal(socket: &ControlSocket) -> Result<()> {
    let what = || "cannot leave the terminal".to_owned();
    let log = File::options().create(true).append(true).open(socket.log_file()).context(what)?;
    let null = File::options().read(true).write(true).open("/dev/null").context(what)?;
    // Fails only for the leader of a process group, which has no terminal to lose: it was started by a service manager.
    _ = setsid();
    dup2_stdin(&null).context(what)?;
    dup2_stderr(&log).context(what)?;
    // The last one, because `start` waits for its end.
    dup2_stdout(&null).context(what)
}

/// Lists the tunnels that run, and reports those that have failed.
pub(super) async fn list(settings: &Settings, printer: &Printer) -> Result<()> {
    let service = Service::new(settings.tunnels.clone());
    for ended in service.take_ended()? {
        printer.note(&format!("ended: {}", ended.reason));
    }
    let running: Vec<_> = service.running().await?.into_iter().map(|tunnel| tunnel.status).collect();
    let heads = ["LOCAL", "TARGET", "BASTION", "STATE", "SINCE", "OPEN", "PID"];
    if !printer.json() && running.is_empty() {
        printer.note("no tunnel runs in the background");
        return Ok(());
    }
    printer.show_table(heads, &running, |status| {
        let socket =
            |forwarding: &LocalForwarding| forwarding.socket.as_ref().map(|path| path.display().to_string());
        let addresses =
            |forwarding: &LocalForwarding| [Some(forwarding.local.to_string()), socket(forwarding)];
        let local: Vec<_> = status.forwardings.iter().flat_map(addresses).flatten().collect();
        let targets: Vec<_> = status
            .forwardings
            .iter()
            .map(|forwarding| format!("{}:{}", forwarding.host, forwarding.port))
            .collect();
        [
            local.join(" "),
            targets.join(" "),
            status.bastion.clone(),
            if status.connected { "connected" } else { "reconnecting" }.to_owned(),
            status.started_at.clone(),
            status.connections.to_string(),
            status.pid.to_string(),
        ]
    })
}

/// Stops tunnels by names of endpoints or local ports, or all of them.
pub(super) async fn stop(which: &[String], settings: &Settings, printer: &Printer) -> Result<()> {
    let service = Service::new(settings.tunnels.clone());
    let mut running = service.running().await?;
    for name in which {
        if !running.iter().any(|tunnel| is_named(tunnel, name)) {
            return Err(Failure::usage(format!("no tunnel in the background is named `{name}`"))
                .hint("`covidctl tunnel list` shows them; name an endpoint or a local port"));
        }
    }
    running.retain(|tunnel| which.is_empty() || which.iter().any(|name| is_named(tunnel, name)));
    if running.is_empty() {
        printer.note("no tunnel runs in the background");
    }
    for tunnel in running {
        let status = tunnel.stop().await?;
        let local: Vec<_> =
            status.forwardings.iter().map(|forwarding| forwarding.local.to_string()).collect();
        printer.note(&format!("stopped {}", local.join(" ")));
    }
    Ok(())
}

fn is_named(tunnel: &RunningTunnel, name: &str) -> bool {
    let status = &tunnel.status;
    let is_port = |forwarding: &LocalForwarding| forwarding.local.port().to_string() == name;
    status.names.iter().any(|known| known == name) || status.forwardings.iter().any(is_port)
}
