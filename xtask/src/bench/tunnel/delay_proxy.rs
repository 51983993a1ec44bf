//! A proxy that holds every byte back for half a round trip: a stand-in for the distance, without touching the network.
//!
//! It delays and never limits: as many bytes may be under way as the two ends like. Setting up a TCP connection takes no time
//! through it, which favours nobody.

use std::io::{Read as _, Write as _};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::thread;
use std::time::{Duration, Instant};

use common::failure::{Context as _, Result};

/// What is read at once.
const CHUNK: usize = 256 << 10;

/// Some bytes, and when they came in.
type Parcel = (Instant, Vec<u8>);

/// Starts one in front of `address`; it ends with this process.
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
            carry(near, far, delay);
            carry(far_too, near_too, delay);
        }
    });
    Ok(local)
}

/// One direction: a thread that takes bytes in, and one that lets them out in time.
fn carry(from: TcpStream, to: TcpStream, delay: Duration) {
    let (sender, parcels) = channel();
    thread::spawn(move || take_in(from, &sender));
    thread::spawn(move || let_out(&parcels, to, delay));
}

fn take_in(mut from: TcpStream, parcels: &Sender<Parcel>) {
    let mut chunk = vec![0; CHUNK];
    while let Ok(length @ 1..) = from.read(&mut chunk) {
        if parcels.send((Instant::now(), chunk[..length].to_vec())).is_err() {
            return;
        }
    }
}

fn let_out(parcels: &Receiver<Parcel>, mut to: TcpStream, delay: Duration) {
    for (came, bytes) in parcels {
        thread::sleep((came + delay).saturating_duration_since(Instant::now()));
        if to.write_all(&bytes).is_err() {
            break;
        }
    }
    drop(to.shutdown(Shutdown::Both));
}
