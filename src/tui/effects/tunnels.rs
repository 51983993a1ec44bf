//! Opens a tunnel and tells how it does until it is closed. Aborting the task closes it.

use std::net::{IpAddr, Ipv4Addr};
use std::sync::Arc;
use std::time::Duration;

use chrono::Utc;
use common::failure::{Failure, Result};

use super::{Answers, send};
use crate::settings::Settings;
use crate::tui::effect::Route;
use crate::tui::msg::{Msg, Trouble, TunnelNews};
use tunnel::{self, Bastion, Discovery, Event, EventSink, Forwarding, Options, Tunnel};

/// How long connecting may take.
const PATIENCE: Duration = Duration::from_secs(10);

/// How often the numbers are read.
const EVERY: Duration = Duration::from_secs(1);

pub(super) async fn open(settings: Settings, to: Answers, id: u64, route: Route) {
    let failure = match options(&settings, route, event_sink(to.clone(), id)).await {
        Ok(options) => serve(options, &to, id).await,
        Err(failure) => failure,
    };
    let news = TunnelNews::Ended { trouble: Some(Trouble::from(failure)) };
    send(&to, Msg::Tunnel { id, news }).await;
}

async fn options(settings: &Settings, route: Route, events: EventSink) -> Result<Options> {
    let (discovery, forwarding): (Arc<dyn Discovery>, _) = match route {
        Route::Through { forwarding, bastion } => {
            let bastion: Bastion = bastion.parse().map_err(Failure::usage)?;
            (Arc::new(bastion), forwarding.parse().map_err(Failure::usage)?)
        }
        Route::Named(name) => {
            let target = crate::connect::target(settings, events)?;
            let bastion = target.bastion()?;
            let forwarding =
                Forwarding { port: name.local_port(), target: bastion.endpoint(name.name()).await? };
            (bastion.discovery().await?, forwarding)
        }
    };
    Ok(Options {
        discovery,
        forwardings: vec![forwarding],
        bind: IpAddr::V4(Ipv4Addr::LOCALHOST),
        key: None,
        // The screens have the terminal.
        prompt_passphrase: false,
        // The same as for `covidctl tunnel`: both believe the same keys.
        known_hosts: tunnel::known_hosts_file(&settings.config.value),
        host_key: None,
        cipher: None,
        connect_timeout: PATIENCE,
        ready_file: None,
    })
}

async fn serve(options: Options, to: &Answers, id: u64) -> Failure {
    let mut tunnel = match Tunnel::open(options, event_sink(to.clone(), id)).await {
        Ok(tunnel) => tunnel,
        Err(failure) => return failure,
    };
    let counters = Arc::clone(tunnel.counters());
    let mut ticks = tokio::time::interval(EVERY);
    loop {
        tokio::select! {
            failure = tunnel.ended() => return failure,
            _ = ticks.tick() => {
                let news = TunnelNews::Count { at: Utc::now().timestamp_millis(), snapshot: counters.snapshot() };
                send(to, Msg::Tunnel { id, news }).await;
            }
        }
    }
}

fn event_sink(to: Answers, id: u64) -> EventSink {
    Arc::new(move |event| {
        let news = match event {
            Event::Ready(ready) => {
                let Some(first) = ready.forwardings.into_iter().next() else { return };
                let (local, usage) = (first.local.to_string(), first.usage());
                TunnelNews::Ready { bastion: ready.bastion, local, usage }
            }
            event => {
                let up = !matches!(event, Event::Lost { .. });
                TunnelNews::Note { text: event.to_string().into(), up }
            }
        };
        // Where the way is full, the numbers tell soon enough.
        drop(to.try_send(Msg::Tunnel { id, news }));
    })
}
