//! A Unix socket with PostgreSQL's name in front of a local port: `DIR/.s.PGSQL.PORT`, in a folder that only its owner can enter.
//!
//! Programs that use libpq connect to it with `host=DIR`. They never encrypt on a Unix socket, so that TLS, if the database wants it, begins
//! here ([`PostgresTls`]).

use std::fs::DirBuilder;
use std::io::ErrorKind;
use std::net::SocketAddr;
use std::os::unix::fs::{DirBuilderExt as _, FileTypeExt as _, MetadataExt as _};
use std::path::{Path, PathBuf};
use std::time::Duration;

use common::failure::{Context as _, Failure, Result};
use nix::unistd::getuid;
use tokio::io::copy_bidirectional_with_sizes;
use tokio::net::{TcpStream, UnixListener, UnixStream};
use tokio::task::{AbortHandle, JoinSet};

use crate::postgres_tls::{COPY_SIZE, PostgresTls};

/// The delay after a failed `accept`, such as one without a free file descriptor.
const ACCEPT_RETRY_DELAY: Duration = Duration::from_millis(100);

/// A socket that forwards connections until it is dropped, which removes it.
pub struct UnixSocket {
    path: PathBuf,
    /// Device and inode, so that a socket that has replaced this one is not removed.
    inode: (u64, u64),
    task: AbortHandle,
}

/// A free place for a socket.
pub(crate) struct UnixSocketPath(PathBuf);

impl UnixSocketPath {
    /// Returns the place in a folder, which is created if it is missing. A socket that is left over from a killed program is removed.
    ///
    /// # Errors
    /// If other users can enter the folder, if something answers at the socket, or if another file has its name.
    pub(crate) fn prepare(folder: &Path, port: u16) -> Result<Self> {
        let folder =
            std::path::absolute(folder).context(|| "cannot find the folder of the socket".to_owned())?;
        check_folder(&folder)?;
        let path = folder.join(format!(".s.PGSQL.{port}"));
        let shown = path.display();
        match std::fs::symlink_metadata(&path) {
            Err(error) if error.kind() == ErrorKind::NotFound => {}
            Err(error) => return Err(Failure::new(format!("cannot read `{shown}`")).source(error)),
            Ok(metadata) if !metadata.file_type().is_socket() => {
                return Err(Failure::usage(format!("`{shown}` is no socket")).hint("name another folder"));
            }
            Ok(_) => match std::os::unix::net::UnixStream::connect(&path) {
                Err(error) if error.kind() == ErrorKind::ConnectionRefused => {
                    std::fs::remove_file(&path)
                        .context(|| format!("cannot remove the unused socket `{shown}`"))?;
                }
                _ => {
                    return Err(Failure::new(format!("another program listens on `{shown}`")).hint(
                        "name another folder, or end that program; `covidctl tunnel list` shows tunnels",
                    ));
                }
            },
        }
        Ok(Self(path))
    }

    /// Listens, and forwards connections to a local port.
    pub(crate) fn listen(self, to: SocketAddr, tls: Option<PostgresTls>) -> Result<UnixSocket> {
        let Self(path) = self;
        let what = || format!("cannot listen on `{}`", path.display());
        let listener = UnixListener::bind(&path).map_err(|error| {
            let is_long = error.kind() == ErrorKind::InvalidInput;
            let failure = Failure::new(what()).source(error);
            if is_long {
                failure.hint("name a folder with a shorter path; a socket's has about 100 bytes")
            } else {
                failure
            }
        })?;
        let metadata = std::fs::symlink_metadata(&path).context(what)?;
        let task = tokio::spawn(serve(listener, to, tls)).abort_handle();
        Ok(UnixSocket { path, inode: (metadata.dev(), metadata.ino()), task })
    }
}

impl UnixSocket {
    /// Listens in a folder and forwards connections to a local port as they are.
    ///
    /// # Errors
    /// If other users can enter the folder, or if something answers at the socket.
    pub fn listen(folder: &Path, port: u16, to: SocketAddr) -> Result<Self> {
        UnixSocketPath::prepare(folder, port)?.listen(to, None)
    }

    /// Returns the path of the socket.
    pub fn path(&self) -> &Path {
        &self.path
    }
}

impl Drop for UnixSocket {
    fn drop(&mut self) {
        self.task.abort();
        let is_own = |path: &Path| {
            std::fs::symlink_metadata(path)
                .is_ok_and(|metadata| (metadata.dev(), metadata.ino()) == self.inode)
        };
        if is_own(&self.path) {
            // There is no other place to report an error of this.
            drop(std::fs::remove_file(&self.path));
        }
    }
}

/// Creates the folder if it is missing, and makes sure that only this user can enter it.
fn check_folder(folder: &Path) -> Result<()> {
    let shown = folder.display();
    let what = || format!("cannot create the folder `{shown}`");
    DirBuilder::new().recursive(true).mode(0o700).create(folder).context(what)?;
    let metadata = std::fs::metadata(folder).context(|| format!("cannot read the folder `{shown}`"))?;
    if metadata.uid() != getuid().as_raw() {
        return Err(Failure::usage(format!("the folder `{shown}` belongs to another user"))
            .hint("name a folder of your own"));
    }
    if metadata.mode() & 0o077 != 0 {
        let mode = metadata.mode() & 0o777;
        return Err(Failure::usage(format!("other users can enter the folder `{shown}` (mode {mode:04o})"))
            .hint(format!("chmod 700 '{shown}'")));
    }
    Ok(())
}

async fn serve(listener: UnixListener, to: SocketAddr, tls: Option<PostgresTls>) {
    // Dropped with this task, which closes every connection.
    let mut connections = JoinSet::new();
    loop {
        match listener.accept().await {
            Ok((client, _)) => {
                let tls = tls.clone();
                connections.spawn(async move {
                    // A broken connection is closed, which both sides see.
                    drop(forward(client, to, tls.as_ref()).await);
                });
            }
            Err(_) => tokio::time::sleep(ACCEPT_RETRY_DELAY).await,
        }
        while connections.try_join_next().is_some() {}
    }
}

async fn forward(mut client: UnixStream, to: SocketAddr, tls: Option<&PostgresTls>) -> std::io::Result<()> {
    let mut server = TcpStream::connect(to).await?;
    server.set_nodelay(true)?;
    if let Some(tls) = tls {
        return tls.forward(client, server).await;
    }
    copy_bidirectional_with_sizes(&mut client, &mut server, COPY_SIZE, COPY_SIZE).await.map(|_| ())
}

#[cfg(all(test, not(shuttle)))]
#[expect(clippy::unwrap_used, reason = "helpers of tests may panic like the tests themselves")]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

    use super::*;

    async fn echo() -> SocketAddr {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        tokio::spawn(async move {
            while let Ok((mut stream, _)) = listener.accept().await {
                let (mut from, mut to) = stream.split();
                drop(tokio::io::copy(&mut from, &mut to).await);
            }
        });
        address
    }

    #[tokio::test]
    async fn socket_forwards_and_is_removed_and_unused_one_is_replaced() {
        let folder = tempfile::tempdir().unwrap();
        let own = folder.path().join("own");
        let socket = UnixSocket::listen(&own, 5432, echo().await).unwrap();
        assert_eq!(std::fs::metadata(&own).unwrap().permissions().mode() & 0o777, 0o700);
        let mut stream = UnixStream::connect(socket.path()).await.unwrap();
        stream.write_all(b"ping").await.unwrap();
        stream.shutdown().await.unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).await.unwrap();
        assert_eq!(answer, "ping");

        let second = UnixSocket::listen(&own, 5432, echo().await).err().unwrap();
        assert!(second.to_string().contains("another program listens"), "{second}");
        let path = socket.path().to_path_buf();
        // As if killed: the file stays, and nothing listens.
        std::fs::hard_link(&path, own.join("left")).unwrap();
        drop(socket);
        assert!(!path.exists());
        std::fs::rename(own.join("left"), &path).unwrap();
        tokio::task::yield_now().await;
        let replaced = UnixSocket::listen(&own, 5432, echo().await).unwrap();
        drop(replaced);
        assert!(!path.exists());
        std::fs::write(&path, "").unwrap();
        let file = UnixSocket::listen(&own, 5432, echo().await).err().unwrap();
        assert!(file.to_string().contains("is no socket"), "{file}");
    }

    #[tokio::test]
    async fn folder_that_others_can_enter_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        std::fs::set_permissions(folder.path(), PermissionsExt::from_mode(0o750)).unwrap();
        let refused = UnixSocket::listen(folder.path(), 5432, echo().await).err().unwrap();
        assert!(refused.to_string().contains("(mode 0750)"), "{refused}");
        assert!(refused.hint_text().unwrap().starts_with("chmod 700 '/"));
    }
}
