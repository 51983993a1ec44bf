//! A local port: accepts connections as long as the tunnel lives, whatever the bastion does.

use std::io::ErrorKind;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use common::failure::{Context as _, Failure, Result};
use tokio::net::TcpListener;
use tokio::sync::Semaphore;
use tokio::task::JoinSet;

use super::event::Local;
use super::forward;
use super::forwarding::{Forwarding, Target, host_and_port};
use super::held;
use super::pool::Pool;

/// So many connections at once; more wait in the kernel's queue.
const CONNECTIONS: usize = 1024;

/// When no connection can be accepted (no file descriptor is left), some must end first.
const BREATH: Duration = Duration::from_millis(100);

/// A port that is ours.
pub(super) struct Listener {
    socket: TcpListener,
    target: Target,
    local: SocketAddr,
}

/// Takes the port.
pub(super) async fn bind(address: IpAddr, forwarding: &Forwarding) -> Result<Listener> {
    let place = host_and_port(&address.to_string(), forwarding.port);
    let socket = TcpListener::bind((address, forwarding.port)).await.map_err(|error| {
        let busy = error.kind() == ErrorKind::AddrInUse;
        let failure = if busy {
            Failure::new(format!("the local port {place} is in use by another program"))
        } else {
            Failure::new(format!("cannot listen on {place}")).source(error)
        };
        let target = &forwarding.target;
        failure.hint(format!("take another port, or any free one: -L 0:{target}"))
    })?;
    let local = socket.local_addr().context(|| format!("cannot listen on {place}"))?;
    Ok(Listener { socket, target: forwarding.target.clone(), local })
}

impl Listener {
    /// What leads where.
    pub(super) fn local(&self) -> Local {
        Local::new(self.local, &self.target)
    }

    /// Serves every connection that comes; returns only when it must give up.
    pub(super) async fn serve(self, pool: Arc<Pool>) -> Failure {
        let room = Arc::new(Semaphore::new(CONNECTIONS));
        // Dropped with this task: no connection outlives its listener.
        let mut connections = JoinSet::new();
        let (entrance, held) = held::entrance(self.target.clone(), Arc::clone(&pool));
        let entrance = Arc::new(entrance);
        connections.spawn(held);
        loop {
            let Ok(seat) = Arc::clone(&room).acquire_owned().await else {
                return Failure::new("the tunnel has ended");
            };
            match self.socket.accept().await {
                Ok((stream, from)) => {
                    let (pool, entrance) = (Arc::clone(&pool), Arc::clone(&entrance));
                    let target = self.target.clone();
                    connections.spawn(async move {
                        forward::serve(stream, from, &target, &entrance, &pool).await;
                        drop(seat);
                    });
                }
                Err(_) => tokio::time::sleep(BREATH).await,
            }
            // Those that have ended leave nothing behind.
            while connections.try_join_next().is_some() {}
        }
    }
}
