//! A TCP stream that acknowledges the login and bulk transfers at once (`TCP_QUICKACK`, Linux only).
//!
//! Linux delays acknowledgements by up to 40 ms. sshd waits for them during the login, while Nagle's algorithm is still on; and BBR on the
//! bastion takes the delay for that of the path and paces bulk transfers. Small answers keep the kernel's default: an acknowledgement of their
//! own would be one more packet.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;

/// Bytes of a login, rounded up.
const LOGIN: usize = 8 << 10;

/// Bytes of a read that is part of a bulk transfer.
const BULK: usize = 16 << 10;

pub(crate) struct QuickAckStream {
    stream: TcpStream,
    /// Bytes until the login is over.
    login: usize,
}

impl QuickAckStream {
    pub(crate) fn new(stream: TcpStream) -> Self {
        Self { stream, login: LOGIN }
    }

    /// Sets the option again: the kernel clears it when something is sent.
    fn acknowledge(&self) {
        // An error means that the connection is lost, which the next read reports.
        #[cfg(any(target_os = "linux", target_os = "android"))]
        drop(self.stream.set_quickack(true));
    }
}

impl AsyncRead for QuickAckStream {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let before = buffer.filled().len();
        ready!(Pin::new(&mut self.stream).poll_read(context, buffer))?;
        let count = buffer.filled().len() - before;
        if count >= BULK || (self.login > 0 && count > 0) {
            self.acknowledge();
        }
        self.login = self.login.saturating_sub(count);
        Poll::Ready(Ok(()))
    }
}

impl AsyncWrite for QuickAckStream {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write(context, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(context)
    }
}

#[cfg(test)]
#[cfg(target_os = "linux")]
mod tests {
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
    use tokio::net::TcpListener;

    use super::*;

    async fn pair() -> (QuickAckStream, TcpStream) {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let near = TcpStream::connect(listener.local_addr().unwrap()).await.unwrap();
        (QuickAckStream::new(near), listener.accept().await.unwrap().0)
    }

    /// Returns whether a read of `count` bytes turns quick acknowledgements on.
    async fn acknowledges((stream, far): &mut (QuickAckStream, TcpStream), count: usize) -> bool {
        far.write_all(&vec![7; count]).await.unwrap();
        let mut bytes = vec![0; count];
        while stream.stream.peek(&mut bytes).await.unwrap() < count {}
        stream.stream.set_quickack(false).unwrap();
        assert!(!stream.stream.quickack().unwrap());
        assert_eq!(stream.read(&mut bytes).await.unwrap(), count);
        stream.stream.quickack().unwrap()
    }

    #[tokio::test]
    async fn stream_acknowledges_login_and_bulk_reads_at_once() {
        let mut connection = pair().await;
        assert!(acknowledges(&mut connection, LOGIN / 2).await);
        assert!(acknowledges(&mut connection, LOGIN / 2).await);
        assert!(!acknowledges(&mut connection, 64).await, "a small answer");
        assert!(acknowledges(&mut connection, BULK).await);
        assert!(!acknowledges(&mut connection, BULK - 1).await);
    }
}
