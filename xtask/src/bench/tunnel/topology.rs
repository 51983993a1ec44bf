//! The target behind the tunnel, and what is asked of it. A request is a letter and a number, eight bytes long.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::thread;
use std::time::{Duration, Instant};

use common::failure::{Context as _, Result};

const BLOCK: usize = 256 << 10;

/// No single answer takes this long.
const PATIENCE: Duration = Duration::from_mins(2);

/// Wants so many bytes, sends so many, or wants everything back.
const DOWNLOAD: u8 = b'd';
const UPLOAD: u8 = b'u';
const ECHO: u8 = b'e';

/// Starts the target; it ends with this process.
pub(super) fn target() -> Result<SocketAddr> {
    let what = || "cannot start the target".to_owned();
    let listener = TcpListener::bind("127.0.0.1:0").context(what)?;
    let address = listener.local_addr().context(what)?;
    thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            // A client that goes away is nothing to talk about.
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
            let mut message = [0; 64];
            loop {
                stream.read_exact(&mut message)?;
                stream.write_all(&message)?;
            }
        }
    }
}

/// Seconds until so many bytes have come.
pub(super) fn download(local: SocketAddr, length: u64) -> Result<f64> {
    measured(local, DOWNLOAD, length, |stream| receive(stream, length))
}

/// Seconds until so many bytes have arrived there.
pub(super) fn upload(local: SocketAddr, length: u64) -> Result<f64> {
    measured(local, UPLOAD, length, |stream| {
        send(stream, length)?;
        stream.read_exact(&mut [0])
    })
}

/// Seconds until a new connection has got its first answer.
pub(super) fn connect(local: SocketAddr) -> Result<f64> {
    measured(local, ECHO, 0, ping)
}

/// Seconds of each of so many questions and answers on one connection.
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
    stream.write_all(&[0; 64])?;
    stream.read_exact(&mut [0; 64])
}

fn measured(
    local: SocketAddr,
    kind: u8,
    length: u64,
    ask: impl FnOnce(&mut TcpStream) -> std::io::Result<()>,
) -> Result<f64> {
    let start = Instant::now();
    let done = TcpStream::connect(local).and_then(|mut stream| {
        stream.set_nodelay(true)?;
        stream.set_read_timeout(Some(PATIENCE))?;
        let mut request = vec![kind];
        request.extend(length.to_be_bytes());
        stream.write_all(&request)?;
        ask(&mut stream)
    });
    done.context(|| format!("nothing came through {local}"))?;
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
