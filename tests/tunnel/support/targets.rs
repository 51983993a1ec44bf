//! Servers to forward to, and a byte pattern that reveals lost, repeated and reordered bytes.

use std::io::{ErrorKind, Read, Write};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::time::Duration;

/// Starts a server with a thread per connection, which ends with the test's process.
pub(crate) fn server(serve: impl Fn(TcpStream) + Clone + Send + 'static) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    std::thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            let serve = serve.clone();
            std::thread::spawn(move || serve(stream));
        }
    });
    address
}

/// Starts a server that sends everything back.
pub(crate) fn echo() -> SocketAddr {
    server(|mut stream| {
        let mut back = stream.try_clone().unwrap();
        drop(std::io::copy(&mut stream, &mut back));
        drop(back.shutdown(Shutdown::Write));
    })
}

/// Starts a proxy that delays each direction.
pub(crate) fn delay_proxy(address: SocketAddr, delay: Duration) -> SocketAddr {
    server(move |near| {
        let Ok(far) = TcpStream::connect(address) else { return };
        let (near_clone, far_clone) = (near.try_clone().unwrap(), far.try_clone().unwrap());
        std::thread::spawn(move || forward(far_clone, near_clone, delay));
        forward(near, far, delay);
    })
}

fn forward(mut from: TcpStream, mut to: TcpStream, delay: Duration) {
    to.set_nodelay(true).unwrap();
    let mut block = vec![0; BLOCK];
    while let Ok(length @ 1..) = from.read(&mut block) {
        std::thread::sleep(delay);
        if to.write_all(&block[..length]).is_err() {
            break;
        }
    }
    for stream in [from, to] {
        drop(stream.shutdown(Shutdown::Both));
    }
}

/// Returns an address where nothing listens.
pub(crate) fn refuses() -> SocketAddr {
    TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap()
}

/// A pseudo-random sequence of bytes.
pub(crate) struct Pattern(u64);

impl Pattern {
    pub(crate) fn new(seed: u64) -> Self {
        Self(seed.wrapping_mul(2).wrapping_add(1))
    }

    fn fill(&mut self, block: &mut [u8]) {
        for word in block.chunks_exact_mut(8) {
            self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            word.copy_from_slice(&(self.0 ^ (self.0 >> 29)).to_le_bytes());
        }
    }
}

const BLOCK: usize = 64 << 10;

/// Writes `length` bytes of the pattern, a multiple of 64 KiB.
pub(crate) fn write_pattern(stream: &mut impl Write, mut pattern: Pattern, length: usize) {
    let mut block = vec![0; BLOCK];
    for _ in 0..length / BLOCK {
        pattern.fill(&mut block);
        stream.write_all(&block).unwrap();
    }
}

/// Asserts that the next `length` bytes are the pattern.
#[track_caller]
pub(crate) fn check_pattern(stream: &mut impl Read, mut pattern: Pattern, length: usize) {
    let (mut wanted, mut got) = (vec![0; BLOCK], vec![0; BLOCK]);
    for block in 0..length / BLOCK {
        pattern.fill(&mut wanted);
        stream.read_exact(&mut got).unwrap_or_else(|error| panic!("block {block}: {error}"));
        assert!(wanted == got, "block {block} of {} differs from what was sent", length / BLOCK);
    }
}

/// Asserts that no client connected to a port, before this call, whose connections are never accepted.
#[track_caller]
pub(crate) fn assert_no_connection(port: &TcpListener) {
    port.set_nonblocking(true).unwrap();
    let error = port.accept().expect_err("a client connected");
    assert_eq!(error.kind(), ErrorKind::WouldBlock, "{error}");
}
