//! Opens tunnels and reports their state. Aborting the task closes the tunnel.

use std::net::{IpAddr, Ipv4Addr};
use std::sync::Arc;
use std::time::Duration;

use chrono::Utc;
use common::failure::{Failure, Result};
use target::BastionAccess;
use tunnel::{Event, EventSink, Forwarding, Options, Service, ServiceStatus, SshHost, Trust, Tunnel};

use super::Outbox;
use crate::connect;
use crate::settings::{Settings, TargetKind};
use crate::tui::model::tunnels::TunnelProcess;
use crate::tui::model::{Msg, Route, TunnelEvent};

const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);

/// How often the counters are read.
const COUNTER_INTERVAL: Duration = Duration::from_secs(1);

/// Returns the tunnels that `tunnel start` has opened for the target, or for a bastion that belongs to none.
pub(super) async fn in_background(settings: &Settings) -> Result<Vec<ServiceStatus>> {
    let scope = match settings.kind {
        TargetKind::Aws => settings.aws.scope(),
        TargetKind::Local => String::new(),
    };
    let running = Service::new(settings.tunnels.clone()).running().await?;
    Ok(running.into_iter().map(|tunnel| tunnel.status).filter(|status| status.is_of(&scope)).collect())
}

/// Stops a tunnel in the background, and returns what was done.
pub(super) async fn stop(settings: &Settings, process: &TunnelProcess) -> Result<String> {
    let running = Service::new(settings.tunnels.clone()).running().await?;
    let is_it = |status: &ServiceStatus| {
        (status.pid, status.started_at.as_str()) == (process.pid, process.started_at.as_str())
    };
    match running.into_iter().find(|tunnel| is_it(&tunnel.status)) {
        Some(tunnel) => tunnel.stop().await.map(|_| format!("stopped the tunnel of process {}", process.pid)),
        None => Ok(format!("the tunnel of process {} had ended already", process.pid)),
    }
}

pub(super) async fn open(settings: Settings, outbox: Outbox, tunnel: u64, route: Route) {
    let failure = match options(&settings, route, event_sink(outbox.clone(), tunnel)).await {
        Ok(options) => serve(options, &outbox, tunnel).await,
        Err(failure) => failure,
    };
    outbox.send(Msg::Tunnel(tunnel, TunnelEvent::Ended(Some(failure.into())))).await;
}

async fn options(settings: &Settings, route: Route, sink: EventSink) -> Result<Options> {
    let (access, forwarding) = match route {
        Route::Through { forwarding, bastion } => {
            let bastion: SshHost = bastion.parse().map_err(Failure::usage)?;
            (BastionAccess::from(bastion.resolve()?), forwarding.parse().map_err(Failure::usage)?)
        }
        Route::Named(name) => {
            let target = connect::target(settings, sink)?;
            let bastion = target.bastion()?;
            let known = bastion.endpoints().into_iter().find(|endpoint| endpoint.name == name);
            let forwarding = Forwarding {
                port: known.map_or(0, |endpoint| endpoint.local_port),
                target: bastion.endpoint(&name).await?,
            };
            (bastion.access().await?, forwarding)
        }
    };
    let BastionAccess { discovery, identity, known_hosts_files, jumps } = access;
    Ok(Options {
        discovery,
        forwardings: vec![forwarding],
        bind: IpAddr::V4(Ipv4Addr::LOCALHOST),
        identity,
        // The screens use the terminal.
        prompt: false,
        // Shared with `covidctl tunnel`.
        known_hosts: tunnel::known_hosts_file(&settings.config.value),
        known_hosts_files,
        trust: Trust::default(),
        host_key: None,
        cipher: None,
        jumps,
        proxy: settings.proxy.clone(),
        connect_timeout: CONNECT_TIMEOUT,
        ready_file: None,
        unix_sockets: None,
    })
}

/// Serves connections until the tunnel fails.
async fn serve(options: Options, outbox: &Outbox, id: u64) -> Failure {
    let mut tunnel = match Tunnel::open(options, event_sink(outbox.clone(), id)).await {
        Ok(tunnel) => tunnel,
        Err(failure) => return failure,
    };
    let counters = Arc::clone(tunnel.counters());
    let mut ticks = tokio::time::interval(COUNTER_INTERVAL);
    loop {
        tokio::select! {
            failure = tunnel.ended() => return failure,
            _ = ticks.tick() => {
                let (at, snapshot) = (Utc::now().timestamp_millis(), counters.snapshot());
                outbox.send(Msg::Tunnel(id, TunnelEvent::Counters { at, snapshot })).await;
            }
        }
    }
}

fn event_sink(outbox: Outbox, tunnel: u64) -> EventSink {
    Arc::new(move |event| {
        let event = match event {
            Event::Ready(ready) => {
                let Some(first) = ready.forwardings.into_iter().next() else { return };
                let (local, usage) = (first.local.to_string(), first.usage());
                TunnelEvent::Ready { bastion: ready.bastion, local, usage }
            }
            event => {
                let up = !matches!(event, Event::Lost { .. });
                TunnelEvent::Status { text: event.to_string().into(), up }
            }
        };
        drop(outbox.0.try_send(Msg::Tunnel(tunnel, event)));
    })
}
