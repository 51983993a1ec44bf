//! A TCP stream that acknowledges the login and bulk transfers at once (`TCP_QUICKACK`, Linux only).
//!
//! Linux delays acknowledgements by up to 40 ms. sshd waits for them during the login, while Nagle's algorithm is still on; and BBR on the
//! bastion takes the delay for that of the path and paces bulk transfers. Small answers keep the kernel's default: an acknowledgement of their
//! own would be one more packet.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use tokio::io::{AsyncRead, Join, ReadBuf, join};
use tokio::net::TcpStream;
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};

/// Bytes of a login, rounded up.
const LOGIN: usize = 8 << 10;

/// Bytes of a read that is part of a bulk transfer.
const BULK: usize = 16 << 10;

/// Wraps a stream.
pub(crate) fn quick_ack(stream: TcpStream) -> Join<QuickAckReader, OwnedWriteHalf> {
    let (stream, writer) = stream.into_split();
    join(QuickAckReader { stream, login: LOGIN }, writer)
}

pub(crate) struct QuickAckReader {
    stream: OwnedReadHalf,
    /// Bytes until the login is over.
    login: usize,
}

impl AsyncRead for QuickAckReader {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let before = buffer.filled().len();
        ready!(Pin::new(&mut self.stream).poll_read(context, buffer))?;
        let count = buffer.filled().len() - before;
        if count >= BULK || (self.login > 0 && count > 0) {
            // Set again each time: the kernel clears the option when something is sent. An error means that the connection is lost, which
            // the next read reports.
            #[cfg(any(target_os = "linux", target_os = "android"))]
            drop(self.stream.as_ref().set_quickack(true));
        }
        self.login = self.login.saturating_sub(count);
        Poll::Ready(Ok(()))
    }
}

#[cfg(test)]
#[cfg(target_os = "linux")]
mod tests {
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
    use tokio::net::TcpListener;

    use super::*;

    type Stream = Join<QuickAckReader, OwnedWriteHalf>;

    fn tcp(stream: &Stream) -> &TcpStream {
        stream.reader().stream.as_ref()
    }

    async fn pair() -> (Stream, TcpStream) {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let near = TcpStream::connect(listener.local_addr().unwrap()).await.unwrap();
        (quick_ack(near), listener.accept().await.unwrap().0)
    }

    /// Returns whether a read of `count` bytes turns quick acknowledgements on.
    async fn acknowledges((stream, far): &mut (Stream, TcpStream), count: usize) -> bool {
        far.write_all(&vec![7; count]).await.unwrap();
        let mut bytes = vec![0; count];
        while tcp(stream).peek(&mut bytes).await.unwrap() < count {}
        tcp(stream).set_quickack(false).unwrap();
        assert!(!tcp(stream).quickack().unwrap());
        assert_eq!(stream.read(&mut bytes).await.unwrap(), count);
        tcp(stream).quickack().unwrap()
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
