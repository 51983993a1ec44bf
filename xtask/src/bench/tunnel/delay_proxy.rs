//! A proxy that delays every byte by half a round trip, to simulate distance.
//!
//! It does not limit the bytes in flight. TCP handshakes are not delayed, for all competitors alike.

use std::io::{Read as _, Write as _};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::thread;
use std::time::{Duration, Instant};

use common::failure::{Context as _, Result};

const CHUNK: usize = 256 << 10;

/// The time of arrival, and the bytes.
type DelayedBytes = (Instant, Vec<u8>);

/// Starts a proxy to `address`, which ends with this process.
pub(super) fn proxy(address: SocketAddr, delay: Duration) -> Result<SocketAddr> {
    let what = || "cannot start the delaying proxy".to_owned();
    let listener = TcpListener::bind("127.0.0.1:0").context(what)?;
    let local = listener.local_addr().context(what)?;
    thread::spawn(move || {
        for near in listener.incoming().flatten() {
            let Ok(far) = TcpStream::connect(address) else { continue };
            let (Ok(near_too), Ok(far_too)) = (near.try_clone(), far.try_clone()) else { continue };
            for stream in [&near, &far] {
                drop(stream.set_nodelay(true));
            }
            relay(near, far, delay);
            relay(far_too, near_too, delay);
        }
    });
    Ok(local)
}

/// Relays one direction: one thread receives, another sends after the delay.
fn relay(from: TcpStream, to: TcpStream, delay: Duration) {
    let (sender, queue) = channel();
    thread::spawn(move || receive(from, &sender));
    thread::spawn(move || send_delayed(&queue, to, delay));
}

fn receive(mut from: TcpStream, queue: &Sender<DelayedBytes>) {
    let mut chunk = vec![0; CHUNK];
    while let Ok(length @ 1..) = from.read(&mut chunk) {
        if queue.send((Instant::now(), chunk[..length].to_vec())).is_err() {
            return;
        }
    }
}

fn send_delayed(queue: &Receiver<DelayedBytes>, mut to: TcpStream, delay: Duration) {
    for (received_at, bytes) in queue {
        thread::sleep((received_at + delay).saturating_duration_since(Instant::now()));
        if to.write_all(&bytes).is_err() {
            break;
        }
    }
    drop(to.shutdown(Shutdown::Both));
}
