//! `--health`: the state of a tunnel over HTTP, as probes and Prometheus ask for it.

use std::convert::Infallible;
use std::fmt::Write as _;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::time::Duration;

use common::failure::{Failure, Result};
use http_body_util::Full;
use hyper::body::{Bytes, Incoming};
use hyper::header::CONTENT_TYPE;
use hyper::service::service_fn;
use hyper::{Method, Request, Response, StatusCode};
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::net::TcpListener;
use tokio::task::JoinSet;
use tunnel::{Counters, Event, EventSink, Ready, Snapshot, Tunnel};

/// The delay after a failed `accept`.
const ACCEPT_RETRY_DELAY: Duration = Duration::from_millis(100);

/// The format of Prometheus' text exposition.
const METRICS: &str = "text/plain; version=0.0.4";

/// Whether the bastion answers, as the events of the tunnel say.
#[derive(Debug, Clone, Default)]
pub(super) struct Connected(Arc<AtomicBool>);

impl Connected {
    fn set(&self, connected: bool) {
        self.0.store(connected, Relaxed);
    }

    /// Returns a sink that notes whether the bastion answers, and passes the events on.
    pub(super) fn watching(&self, sink: EventSink) -> EventSink {
        let connected = self.clone();
        Arc::new(move |event| {
            match &event {
                Event::Ready(_) | Event::Back { .. } => connected.set(true),
                Event::Lost { .. } => connected.set(false),
                _ => {}
            }
            sink(event);
        })
    }

    pub(super) fn get(&self) -> bool {
        self.0.load(Relaxed)
    }
}

/// A bound port that does not answer yet.
pub(super) struct HealthServer(TcpListener);

impl HealthServer {
    /// Binds the address of `--health`, if there is one.
    pub(super) async fn bind_optional(address: Option<SocketAddr>) -> Result<Option<Self>> {
        match address {
            Some(address) => Self::bind(address).await.map(Some),
            None => Ok(None),
        }
    }

    async fn bind(address: SocketAddr) -> Result<Self> {
        TcpListener::bind(address).await.map(Self).map_err(|error| {
            Failure::new(format!("cannot listen on {address} for --health"))
                .source(error)
                .hint("name another port, such as --health 127.0.0.1:9187")
        })
    }

    async fn serve(self, ready: Ready, counters: Arc<Counters>, connected: Connected) {
        let state = Arc::new((ready, counters, connected));
        // Dropped with this task, which closes every connection.
        let mut connections = JoinSet::new();
        loop {
            let Ok((stream, _)) = self.0.accept().await else {
                // Such as one without a free file descriptor.
                tokio::time::sleep(ACCEPT_RETRY_DELAY).await;
                continue;
            };
            let state = Arc::clone(&state);
            connections.spawn(async move {
                let answer = service_fn(move |request: Request<Incoming>| {
                    let state = Arc::clone(&state);
                    async move { Ok::<_, Infallible>(answer(request.method(), request.uri().path(), &state)) }
                });
                let mut server = hyper::server::conn::http1::Builder::new();
                // The client may have gone away.
                drop(server.timer(TokioTimer::new()).serve_connection(TokioIo::new(stream), answer).await);
            });
            while connections.try_join_next().is_some() {}
        }
    }
}

/// Answers while the tunnel is open; never returns.
pub(super) fn serve(
    server: Option<HealthServer>,
    tunnel: &Tunnel,
    connected: Connected,
) -> impl Future<Output = ()> + use<> {
    let (ready, counters) = (tunnel.ready().clone(), Arc::clone(tunnel.counters()));
    async move {
        match server {
            Some(server) => server.serve(ready, counters, connected).await,
            None => std::future::pending().await,
        }
    }
}

fn answer(
    method: &Method,
    path: &str,
    (ready, counters, connected): &(Ready, Arc<Counters>, Connected),
) -> Response<Full<Bytes>> {
    let is_connected = connected.get();
    let (status, text) = match path {
        _ if !matches!(*method, Method::GET | Method::HEAD) => {
            (StatusCode::METHOD_NOT_ALLOWED, "GET only\n".to_owned())
        }
        // The server answers only when the tunnel has been opened.
        "/startup" | "/liveness" => (StatusCode::OK, "ok\n".to_owned()),
        "/readiness" if is_connected => (StatusCode::OK, "ok\n".to_owned()),
        "/readiness" => (StatusCode::SERVICE_UNAVAILABLE, "the bastion does not answer\n".to_owned()),
        "/metrics" => (StatusCode::OK, metrics(&ready.bastion, &counters.snapshot(), is_connected)),
        _ => (StatusCode::NOT_FOUND, "/startup, /readiness, /liveness or /metrics\n".to_owned()),
    };
    let mut response = Response::new(Full::new(Bytes::from(text)));
    *response.status_mut() = status;
    let kind = hyper::header::HeaderValue::from_static(METRICS);
    response.headers_mut().insert(CONTENT_TYPE, kind);
    response
}

fn metrics(bastion: &str, counters: &Snapshot, connected: bool) -> String {
    let mut text = String::new();
    let mut metric = |name: &str, kind: &str, help: &str, value: &str| {
        // Writing to a string does not fail.
        _ = write!(
            text,
            "# HELP covidctl_tunnel_{name} {help}\n# TYPE covidctl_tunnel_{name} {kind}\ncovidctl_tunnel_{name} {value}\n"
        );
    };
    metric("sent_bytes_total", "counter", "Bytes sent to targets.", &counters.up.to_string());
    metric("received_bytes_total", "counter", "Bytes received from targets.", &counters.down.to_string());
    metric("connections", "gauge", "Open connections.", &counters.open.to_string());
    metric("connections_total", "counter", "Accepted connections.", &counters.served.to_string());
    metric("handshakes_total", "counter", "SSH sessions opened.", &counters.handshakes.to_string());
    metric(
        "reconnects_total",
        "counter",
        "Times that the bastion was lost and reached again.",
        &counters.reconnects.to_string(),
    );
    metric(
        "round_trip_seconds",
        "gauge",
        "Latest round trip to the bastion.",
        &counters.round_trip.as_secs_f64().to_string(),
    );
    metric("connected", "gauge", "1 if the bastion answers.", &u8::from(connected).to_string());
    let bastion = bastion.replace('\\', "\\\\").replace('"', "\\\"").replace('\n', "\\n");
    _ = write!(
        text,
        "# HELP covidctl_tunnel_info The bastion.\n# TYPE covidctl_tunnel_info gauge\ncovidctl_tunnel_info{{bastion=\"{bastion}\"}} 1\n"
    );
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn metrics_name_every_counter_and_escape_bastion() {
        let counters = Snapshot { up: 5, handshakes: 2, ..Snapshot::default() };
        let text = metrics("a\"b", &counters, true);
        for line in [
            "covidctl_tunnel_sent_bytes_total 5\n",
            "covidctl_tunnel_handshakes_total 2\n",
            "covidctl_tunnel_connected 1\n",
            "covidctl_tunnel_info{bastion=\"a\\\"b\"} 1\n",
        ] {
            assert!(text.contains(line), "{text}");
        }
    }
}
