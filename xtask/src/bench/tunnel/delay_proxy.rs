//! A proxy that delays every byte by half a round trip, which simulates a long path without a change to the network.
//!
//! It does not limit the throughput: any number of bytes may be in flight. TCP handshakes are not delayed, for either competitor.

use std::io::{Read as _, Write as _};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::thread;
use std::time::{Duration, Instant};

use common::failure::{Context as _, Result};

/// Bytes to read at once.
const CHUNK: usize = 256 << 10;

/// Bytes, and when they were received.
type Chunk = (Instant, Vec<u8>);

/// Starts a proxy in front of `address`, which ends with this process.
pub(super) fn start(address: SocketAddr, delay: Duration) -> Result<SocketAddr> {
    let what = || "cannot start the delaying proxy".to_owned();
    let listener = TcpListener::bind("127.0.0.1:0").context(what)?;
    let local = listener.local_addr().context(what)?;
    thread::spawn(move || {
        for near in listener.incoming().flatten() {
            let Ok(far) = TcpStream::connect(address) else { continue };
            let (Ok(near_clone), Ok(far_clone)) = (near.try_clone(), far.try_clone()) else { continue };
            for stream in [&near, &far] {
                drop(stream.set_nodelay(true));
            }
            forward(near, far, delay);
            forward(far_clone, near_clone, delay);
        }
    });
    Ok(local)
}

/// Forwards one direction with a thread that reads and one that writes.
fn forward(from: TcpStream, to: TcpStream, delay: Duration) {
    let (sender, chunks) = channel();
    thread::spawn(move || read(from, &sender));
    thread::spawn(move || write(&chunks, to, delay));
}

fn read(mut from: TcpStream, chunks: &Sender<Chunk>) {
    let mut chunk = vec![0; CHUNK];
    while let Ok(length @ 1..) = from.read(&mut chunk) {
        if chunks.send((Instant::now(), chunk[..length].to_vec())).is_err() {
            return;
        }
    }
}

fn write(chunks: &Receiver<Chunk>, mut to: TcpStream, delay: Duration) {
    for (received, bytes) in chunks {
        thread::sleep((received + delay).saturating_duration_since(Instant::now()));
        if to.write_all(&bytes).is_err() {
            break;
        }
    }
    drop(to.shutdown(Shutdown::Both));
}
