//! The SSH connection's socket: what matters is acknowledged at once.
//!
//! Where both sides talk, Linux holds acknowledgements back, for up to 40 ms, to send them along with an answer. But sshd waits for them
//! while it logs us in, because Nagle's algorithm is still on. And in a bulk transfer BBR takes the delay for the path's and paces
//! sshd with a timer for each packet, which costs it a tenth to a sixth of its time. In between, where a question follows an answer, the
//! kernel is right: an acknowledgement of its own would only be one more packet.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;

/// So many bytes at the start of a connection are the login, and a little more.
const LOGIN: usize = 8 << 10;

/// So much at once is part of a bulk transfer.
const BULK: usize = 16 << 10;

/// A connection that is read.
pub(super) struct Socket {
    stream: TcpStream,
    /// What is left of [`LOGIN`].
    login: usize,
}

impl Socket {
    pub(super) fn new(stream: TcpStream) -> Self {
        Self { stream, login: LOGIN }
    }

    fn has_read(&mut self, count: usize) {
        if count >= BULK || (self.login > 0 && count > 0) {
            self.acknowledge();
        }
        self.login = self.login.saturating_sub(count);
    }

    /// It has to be asked for again each time: the kernel forgets it as soon as something is sent.
    #[cfg(any(target_os = "linux", target_os = "android"))]
    fn acknowledge(&self) {
        // Where it fails the connection is dead, and the next read says so.
        drop(self.stream.set_quickack(true));
    }

    #[cfg(not(any(target_os = "linux", target_os = "android")))]
    fn acknowledge(&self) {}
}

impl AsyncRead for Socket {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let before = buffer.filled().len();
        ready!(Pin::new(&mut self.stream).poll_read(context, buffer))?;
        let count = buffer.filled().len() - before;
        self.has_read(count);
        Poll::Ready(Ok(()))
    }
}

impl AsyncWrite for Socket {
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

    async fn pair() -> (Socket, TcpStream) {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let near = TcpStream::connect(listener.local_addr().unwrap()).await.unwrap();
        (Socket::new(near), listener.accept().await.unwrap().0)
    }

    /// Whether a read of so many bytes makes the kernel acknowledge at once, which it was told not to do.
    async fn acknowledges((socket, far): &mut (Socket, TcpStream), count: usize) -> bool {
        far.write_all(&vec![7; count]).await.unwrap();
        let mut bytes = vec![0; count];
        while socket.stream.peek(&mut bytes).await.unwrap() < count {}
        socket.stream.set_quickack(false).unwrap();
        assert!(!socket.stream.quickack().unwrap());
        assert_eq!(socket.read(&mut bytes).await.unwrap(), count);
        socket.stream.quickack().unwrap()
    }

    #[tokio::test]
    async fn the_login_and_what_is_large_is_acknowledged_at_once() {
        let mut connection = pair().await;
        assert!(acknowledges(&mut connection, LOGIN / 2).await);
        assert!(acknowledges(&mut connection, LOGIN / 2).await);
        assert!(!acknowledges(&mut connection, 64).await, "the kernel knows better");
        assert!(acknowledges(&mut connection, BULK).await);
        assert!(!acknowledges(&mut connection, BULK - 1).await);
    }
}
