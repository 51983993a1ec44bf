//! The target behind the tunnel, and the measurements against it. A request is one byte and a length of eight bytes.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::thread;
use std::time::{Duration, Instant};

use common::failure::{Context as _, Result};

const BLOCK: usize = 256 << 10;

/// Limits each read of a measurement.
const READ_TIMEOUT: Duration = Duration::from_mins(2);

/// Requests: receive bytes, send bytes, or exchange messages of [`MESSAGE`] bytes.
const DOWNLOAD: u8 = b'd';
const UPLOAD: u8 = b'u';
const ECHO: u8 = b'e';

const MESSAGE: usize = 64;

/// Starts the target, which ends with this process.
pub(super) fn target() -> Result<SocketAddr> {
    let what = || "cannot start the target".to_owned();
    let listener = TcpListener::bind("127.0.0.1:0").context(what)?;
    let address = listener.local_addr().context(what)?;
    thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            // The client reports a broken connection.
            thread::spawn(move || drop(answer(stream)));
        }
    });
    Ok(address)
}

fn answer(mut stream: TcpStream) -> std::io::Result<()> {
    stream.set_nodelay(true)?;
    let mut request = [0; 9];
    stream.read_exact(&mut request)?;
    let [kind, length @ ..] = request;
    let length = u64::from_be_bytes(length);
    match kind {
        DOWNLOAD => send(&mut stream, length),
        UPLOAD => {
            receive(&mut stream, length)?;
            stream.write_all(&[1])
        }
        _ => {
            let mut message = [0; MESSAGE];
            loop {
                stream.read_exact(&mut message)?;
                stream.write_all(&message)?;
            }
        }
    }
}

/// Returns the seconds until `length` bytes are received from the target.
pub(super) fn download(local: SocketAddr, length: u64) -> Result<f64> {
    measured(local, DOWNLOAD, length, |stream| receive(stream, length))
}

/// Returns the seconds until the target has received `length` bytes.
pub(super) fn upload(local: SocketAddr, length: u64) -> Result<f64> {
    measured(local, UPLOAD, length, |stream| {
        send(stream, length)?;
        stream.read_exact(&mut [0])
    })
}

/// Returns the seconds until a new connection has received its first reply.
pub(super) fn connect(local: SocketAddr) -> Result<f64> {
    measured(local, ECHO, 0, ping)
}

/// Returns the seconds of each of `count` round trips on one connection.
pub(super) fn pings(local: SocketAddr, count: usize) -> Result<Vec<f64>> {
    let mut seconds = Vec::with_capacity(count);
    measured(local, ECHO, 0, |stream| {
        for _ in 0..count {
            let start = Instant::now();
            ping(stream)?;
            seconds.push(start.elapsed().as_secs_f64());
        }
        Ok(())
    })?;
    Ok(seconds)
}

fn ping(stream: &mut TcpStream) -> std::io::Result<()> {
    stream.write_all(&[0; MESSAGE])?;
    stream.read_exact(&mut [0; MESSAGE])
}

fn measured(
    local: SocketAddr,
    kind: u8,
    length: u64,
    exchange: impl FnOnce(&mut TcpStream) -> std::io::Result<()>,
) -> Result<f64> {
    let start = Instant::now();
    let done = TcpStream::connect(local).and_then(|mut stream| {
        stream.set_nodelay(true)?;
        stream.set_read_timeout(Some(READ_TIMEOUT))?;
        let mut request = vec![kind];
        request.extend(length.to_be_bytes());
        stream.write_all(&request)?;
        exchange(&mut stream)
    });
    done.context(|| format!("the connection through {local} failed"))?;
    Ok(start.elapsed().as_secs_f64())
}

fn send(stream: &mut impl Write, length: u64) -> std::io::Result<()> {
    let mut bytes = std::io::repeat(7).take(length);
    let mut block = vec![0; BLOCK];
    while let length @ 1.. = bytes.read(&mut block)? {
        stream.write_all(&block[..length])?;
    }
    Ok(())
}

fn receive(stream: &mut impl Read, length: u64) -> std::io::Result<()> {
    let mut block = vec![0; BLOCK];
    let mut left = length;
    while left > 0 {
        match stream.read(&mut block)? {
            0 => return Err(std::io::ErrorKind::UnexpectedEof.into()),
            length => left -= length as u64,
        }
    }
    Ok(())
}
