//! Tunnels in the background. Each has a control socket in a private folder, where others find it, ask for its state and end it.
//!
//! No process is ever signalled: what answers at a socket is the tunnel itself, so that a process id that was given to another program
//! does not matter. The protocol is a line with the request (`status` or `stop`), which is answered with a JSON document.

use std::fs::DirBuilder;
use std::io::ErrorKind;
use std::net::SocketAddr;
use std::os::unix::fs::{DirBuilderExt as _, MetadataExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};
use std::time::Duration;

use common::failure::{Context as _, Failure, Result};
use nix::unistd::getuid;
use serde::{Deserialize, Serialize};
use tokio::io::{AsyncBufReadExt as _, AsyncReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::net::{UnixListener, UnixStream};
use tokio::time::timeout;

use crate::counters::Snapshot;
use crate::event::LocalForwarding;
use crate::forwarding::Endpoint;

/// Limits the answer of a tunnel, which is immediate.
const ANSWER_TIMEOUT: Duration = Duration::from_secs(5);

/// Limits the time in which a tunnel closes its connections.
const STOP_TIMEOUT: Duration = Duration::from_secs(10);

const SOCKET: &str = "sock";

/// The file with the reason why a tunnel has ended.
const ENDED: &str = "ended";

const MAX_REQUEST: u64 = 64;

/// The folder of the tunnels of one user.
#[derive(Debug, Clone)]
pub struct Service {
    folder: PathBuf,
}

/// The state of a tunnel.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct ServiceStatus {
    /// Process id, for people.
    pub pid: u32,
    /// When it was started, as RFC 3339.
    pub started_at: String,
    /// What makes two tunnels the same.
    pub key: String,
    /// What its names mean: the target and its account, or the bastion.
    pub scope: String,
    /// `user@host:port`
    pub bastion: String,
    /// Whether the bastion answers.
    pub connected: bool,
    /// Names of the endpoints; the others are named by host and port.
    pub names: Vec<String>,
    /// The local ports.
    pub forwardings: Vec<LocalForwarding>,
    /// Bytes to targets.
    pub bytes_sent: u64,
    /// Bytes from targets.
    pub bytes_received: u64,
    /// Connections that are open.
    pub connections: u64,
    /// Connections accepted so far.
    #[serde(default)]
    pub connections_total: u64,
    /// How often the bastion was lost and reached again.
    pub reconnects: u64,
    /// The latest measured round trip to the bastion.
    #[serde(default)]
    pub round_trip_seconds: f64,
}

/// A tunnel that runs.
#[derive(Debug)]
pub struct RunningTunnel {
    socket: PathBuf,
    /// Its state at the time of the question.
    pub status: ServiceStatus,
}

/// A tunnel that has failed.
#[derive(Debug, Serialize)]
pub struct EndedTunnel {
    /// What it was and why it ended.
    pub reason: String,
}

/// The control socket of this process; removed when dropped.
pub struct ControlSocket {
    listener: UnixListener,
    path: PathBuf,
}

/// The client that has asked for the end. It sees that the tunnel has ended when this is dropped.
pub struct StopRequest(#[expect(dead_code, reason = "closed when dropped")] UnixStream);

impl Service {
    /// `folder` need not exist.
    pub fn new(folder: PathBuf) -> Self {
        Self { folder }
    }

    /// Creates the folder, and makes sure that only its owner can enter it.
    fn prepare(&self) -> Result<()> {
        let folder = self.folder.display();
        let what = || format!("cannot create the folder of tunnels `{folder}`");
        DirBuilder::new().recursive(true).mode(0o700).create(&self.folder).context(what)?;
        let metadata = std::fs::symlink_metadata(&self.folder).context(what)?;
        if !metadata.is_dir() || metadata.uid() != getuid().as_raw() {
            return Err(Failure::new(format!("the folder of tunnels `{folder}` is not yours"))
                .hint(format!("move it away: mv {folder} {folder}.old")));
        }
        std::fs::set_permissions(&self.folder, std::fs::Permissions::from_mode(0o700)).context(what)
    }

    /// Waits until no other tunnel is being started; holds until dropped.
    pub fn lock(&self) -> Result<std::fs::File> {
        self.prepare()?;
        common::atomic_file::lock(&self.folder.join("start"))
            .context(|| "cannot lock the folder of tunnels".to_owned())
    }

    /// Opens a control socket for this process.
    pub fn listen(&self) -> Result<ControlSocket> {
        self.prepare()?;
        let path = self.folder.join(format!("{:016x}.{SOCKET}", rand::random::<u64>()));
        let what = || format!("cannot listen on the control socket `{}`", path.display());
        let listener = UnixListener::bind(&path).context(what)?;
        Ok(ControlSocket { listener, path })
    }

    /// Returns the tunnels that run. Sockets that a killed tunnel has left are removed.
    pub async fn running(&self) -> Result<Vec<RunningTunnel>> {
        let mut running = Vec::new();
        for socket in self.files(SOCKET)? {
            match UnixStream::connect(&socket).await {
                Ok(stream) => {
                    let status = timeout(ANSWER_TIMEOUT, request(stream, "status")).await;
                    if let Ok(Ok((status, _))) = status
                        && let Ok(status) = serde_json::from_str(&status)
                    {
                        running.push(RunningTunnel { socket, status });
                    }
                }
                Err(error) if error.kind() == ErrorKind::ConnectionRefused => {
                    drop(std::fs::remove_file(&socket));
                }
                Err(_) => {}
            }
        }
        running.sort_by(|a, b| a.status.started_at.cmp(&b.status.started_at));
        Ok(running)
    }

    /// Returns the local address that leads to an endpoint through a tunnel that runs.
    pub async fn find(&self, scope: &str, endpoint: &Endpoint) -> Option<SocketAddr> {
        let running = self.running().await.ok()?;
        let of_scope = running.iter().filter(|tunnel| tunnel.status.scope == scope);
        let mut forwardings = of_scope.flat_map(|tunnel| &tunnel.status.forwardings);
        let found = forwardings.find(|found| found.host == endpoint.host && found.port == endpoint.port);
        found.map(|forwarding| forwarding.local)
    }

    /// Returns the tunnels that have failed since the last call.
    pub fn take_ended(&self) -> Result<Vec<EndedTunnel>> {
        let ended = |path: &PathBuf| {
            let reason = std::fs::read_to_string(path).ok()?;
            std::fs::remove_file(path).ok()?;
            Some(EndedTunnel { reason: reason.trim_end().to_owned() })
        };
        Ok(self.files(ENDED)?.iter().filter_map(ended).collect())
    }

    fn files(&self, extension: &str) -> Result<Vec<PathBuf>> {
        let what = || format!("cannot read the folder of tunnels `{}`", self.folder.display());
        let entries = match std::fs::read_dir(&self.folder) {
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(Vec::new()),
            entries => entries.context(what)?,
        };
        let paths = entries.filter_map(|entry| Some(entry.ok()?.path()));
        Ok(paths.filter(|path| path.extension().is_some_and(|found| found == extension)).collect())
    }
}

impl ServiceStatus {
    /// Returns the counters as those of a tunnel of this process.
    pub fn counters(&self) -> Snapshot {
        Snapshot {
            up: self.bytes_sent,
            down: self.bytes_received,
            open: self.connections,
            served: self.connections_total,
            reconnects: self.reconnects,
            round_trip: Duration::try_from_secs_f64(self.round_trip_seconds).unwrap_or_default(),
            ..Snapshot::default()
        }
    }

    /// Returns whether the tunnel was started for the target with this scope, or for a bastion that belongs to no target.
    pub fn is_of(&self, scope: &str) -> bool {
        self.scope == scope || self.scope == self.bastion
    }
}

impl RunningTunnel {
    /// Ends the tunnel, and waits until it has closed its ports.
    pub async fn stop(self) -> Result<ServiceStatus> {
        let pid = self.status.pid;
        let stopped = async {
            let stream = UnixStream::connect(&self.socket).await?;
            let (_, mut stream) = request(stream, "stop").await?;
            // It is closed at the end of the tunnel.
            stream.read_to_end(&mut Vec::new()).await
        };
        match timeout(STOP_TIMEOUT, stopped).await {
            Ok(Ok(_)) => Ok(self.status),
            Ok(Err(error)) => {
                Err(Failure::new(format!("cannot stop the tunnel of process {pid}")).source(error))
            }
            Err(_) => Err(Failure::new(format!("the tunnel of process {pid} does not end"))
                .hint(format!("see what it does: ps -p {pid}"))),
        }
    }
}

/// Sends a request and returns the answer, and the connection.
async fn request(mut stream: UnixStream, request: &str) -> std::io::Result<(String, BufReader<UnixStream>)> {
    stream.write_all(format!("{request}\n").as_bytes()).await?;
    let mut stream = BufReader::new(stream);
    let mut answer = String::new();
    stream.read_line(&mut answer).await?;
    Ok((answer, stream))
}

impl ControlSocket {
    /// Answers questions for the status until a client asks for the end.
    pub async fn serve(&self, status: impl Fn() -> ServiceStatus) -> StopRequest {
        loop {
            let Ok((stream, _)) = self.listener.accept().await else {
                tokio::time::sleep(Duration::from_millis(100)).await;
                continue;
            };
            // One after the other: the clients are few, and each is served at once.
            if let Ok(Ok(Some(stop))) = timeout(ANSWER_TIMEOUT, answer(stream, &status)).await {
                return stop;
            }
        }
    }

    /// Notes why the tunnel has ended, for [`Service::take_ended`].
    pub fn record_end(&self, reason: &str) {
        // There is no other place to report an error of this.
        drop(common::atomic_file::write(&self.path.with_extension(ENDED), reason.as_bytes()));
    }

    /// Returns the path of the log beside the socket.
    pub fn log_file(&self) -> PathBuf {
        self.path.with_extension("log")
    }

    /// Returns the path of a file for passwords beside the socket.
    pub fn password_file(&self) -> PathBuf {
        self.path.with_extension("pgpass")
    }

    /// Returns the socket's path.
    pub fn path(&self) -> &Path {
        &self.path
    }
}

async fn answer(
    stream: UnixStream,
    status: impl Fn() -> ServiceStatus,
) -> std::io::Result<Option<StopRequest>> {
    let mut stream = BufReader::new(stream);
    let mut request = String::new();
    (&mut stream).take(MAX_REQUEST).read_line(&mut request).await?;
    let mut stream = stream.into_inner();
    let status = serde_json::to_string(&status())?;
    stream.write_all(format!("{status}\n").as_bytes()).await?;
    Ok((request.trim() == "stop").then_some(StopRequest(stream)))
}

impl Drop for ControlSocket {
    fn drop(&mut self) {
        // It may have been removed already.
        drop(std::fs::remove_file(&self.path));
        // Of interest only while the tunnel runs, or if it has failed.
        if !self.path.with_extension(ENDED).exists() {
            drop(std::fs::remove_file(self.log_file()));
        }
    }
}

#[cfg(all(test, not(shuttle)))]
#[expect(clippy::unwrap_used, reason = "helpers of tests may panic like the tests themselves")]
mod tests {
    use super::*;

    fn status() -> ServiceStatus {
        let endpoint = Endpoint { host: "db.example".to_owned(), port: 5432 };
        ServiceStatus {
            pid: 7,
            started_at: "2022-06-05T00:00:00Z".to_owned(),
            key: "aws master".to_owned(),
            scope: "aws".to_owned(),
            bastion: "me@b:22".to_owned(),
            connected: true,
            names: vec!["master".to_owned()],
            forwardings: vec![LocalForwarding::new("127.0.0.1:15432".parse().unwrap(), &endpoint)],
            bytes_sent: 1,
            bytes_received: 2,
            connections: 3,
            connections_total: 5,
            reconnects: 4,
            round_trip_seconds: 0.15,
        }
    }

    #[tokio::test]
    async fn tunnel_is_found_by_scope_and_endpoint_and_stopped() {
        let folder = tempfile::tempdir().unwrap();
        let service = Service::new(folder.path().join("tunnels"));
        assert!(service.running().await.unwrap().is_empty());
        let socket = service.listen().unwrap();
        let mode = std::fs::metadata(folder.path().join("tunnels")).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o700);
        let serving = tokio::spawn(async move {
            let stop = socket.serve(status).await;
            drop((socket, stop));
        });
        let endpoint = Endpoint { host: "db.example".to_owned(), port: 5432 };
        assert_eq!(service.find("aws", &endpoint).await, Some("127.0.0.1:15432".parse().unwrap()));
        assert_eq!(service.find("another account", &endpoint).await, None);
        let tunnel = service.running().await.unwrap().pop().unwrap();
        assert_eq!(tunnel.stop().await.unwrap().pid, 7);
        serving.await.unwrap();
        assert!(service.running().await.unwrap().is_empty());
        assert!(service.files(SOCKET).unwrap().is_empty(), "the socket is removed");
    }

    #[tokio::test]
    async fn socket_of_killed_tunnel_is_removed_and_reason_of_failed_one_is_reported_once() {
        let folder = tempfile::tempdir().unwrap();
        let service = Service::new(folder.path().to_path_buf());
        let socket = service.listen().unwrap();
        let path = socket.path().to_path_buf();
        socket.record_end("the key was refused");
        // As if killed: the file stays, and nothing listens.
        let left = folder.path().join("left.sock");
        std::fs::hard_link(&path, &left).unwrap();
        drop(socket);
        assert!(service.running().await.unwrap().is_empty() && !left.exists());
        assert_eq!(service.take_ended().unwrap().len(), 1);
        assert!(service.take_ended().unwrap().is_empty());
    }
}
