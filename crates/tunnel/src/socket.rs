//! The SSH connection's socket: what matters is acknowledged at once, and what is about to come is waited for awake.
//!
//! Where both sides talk, Linux holds acknowledgements back, for up to 40 ms, to send them along with an answer. But sshd waits for them
//! while it logs us in, because Nagle's algorithm is still on. And in a bulk transfer BBR takes the delay for the path's and paces
//! sshd with a timer for each packet, which costs it a tenth to a sixth of its time. In between, where a question follows an answer, the
//! kernel is right: an acknowledgement of its own would only be one more packet.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Instant;

use nix::errno::Errno;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;

use super::rush::{BULK, Rush};

/// So many bytes at the start of a connection are the login, and a little more.
const LOGIN: usize = 8 << 10;

/// A connection that is read.
pub(super) struct Socket {
    stream: TcpStream,
    /// What is left of [`LOGIN`].
    login: usize,
    rush: Rush,
}

impl Socket {
    pub(super) fn new(stream: TcpStream) -> Self {
        Self { stream, login: LOGIN, rush: Rush::default() }
    }

    fn has_read(&mut self, count: usize) {
        if count >= BULK || (self.login > 0 && count > 0) {
            self.acknowledge();
        }
        self.login = self.login.saturating_sub(count);
        self.rush.has_read(count, Instant::now());
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
        let this = &mut *self;
        let before = buffer.filled().len();
        // The runtime would not look before it has been told that there is something.
        let looked = this.rush.is_on().then(|| nix::unistd::read(&this.stream, buffer.initialize_unfilled()));
        match looked {
            Some(Ok(count)) => buffer.advance(count),
            Some(Err(Errno::EAGAIN)) if this.rush.waits_awake(Instant::now()) => {
                context.waker().wake_by_ref();
                return Poll::Pending;
            }
            // The kernel tells an error once: the next read would take a connection that broke for one that ended.
            Some(Err(error)) if error != Errno::EAGAIN => return Poll::Ready(Err(error.into())),
            _ => {
                let read = Pin::new(&mut this.stream).poll_read(context, buffer);
                if read.is_pending() {
                    this.rush.waits_awake(Instant::now());
                }
                ready!(read)?;
            }
        }
        this.has_read(buffer.filled().len() - before);
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
    use std::sync::Arc;
    use std::sync::atomic::{AtomicUsize, Ordering};
    use std::task::Wake;

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

    #[derive(Default)]
    struct Woken(AtomicUsize);

    impl Wake for Woken {
        fn wake(self: Arc<Self>) {
            self.0.fetch_add(1, Ordering::SeqCst);
        }
    }

    #[tokio::test]
    async fn in_a_rush_it_looks_again_by_itself_and_falls_asleep_after_a_while() {
        let (mut socket, mut far) = pair().await;
        let now = Instant::now();
        socket.rush.waits_awake(now);
        socket.rush.has_read(BULK, now);
        let woken = Arc::new(Woken::default());
        let mut looks = 0;
        while woken.0.load(Ordering::SeqCst) == looks {
            let waker = Arc::clone(&woken).into();
            let mut byte = [0];
            let read = Pin::new(&mut socket)
                .poll_read(&mut Context::from_waker(&waker), &mut ReadBuf::new(&mut byte));
            assert!(read.is_pending(), "nothing was sent");
            looks += 1;
        }
        assert!(looks > 1, "it did not look again");
        far.write_all(b"!").await.unwrap();
        assert_eq!(socket.read_u8().await.unwrap(), b'!', "asleep, it is woken up");
        socket.rush.waits_awake(now);
        socket.rush.has_read(BULK, now);
        far.write_all(b"?").await.unwrap();
        assert_eq!(socket.read_u8().await.unwrap(), b'?', "awake, it finds what is there");
        drop(far);
        socket.rush.waits_awake(now);
        socket.rush.has_read(BULK, now);
        assert_eq!(socket.read(&mut [0]).await.unwrap(), 0, "and the end");
    }

    #[tokio::test]
    async fn in_a_rush_a_connection_that_breaks_does_not_look_as_if_it_had_ended() {
        let (mut socket, far) = pair().await;
        far.set_zero_linger().unwrap();
        drop(far);
        let now = Instant::now();
        socket.rush.waits_awake(now);
        socket.rush.has_read(BULK, now);
        let error = socket.read(&mut [0]).await.unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::ConnectionReset);
    }
}
