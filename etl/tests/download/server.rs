//! An HTTP server on the loopback with exact control over its responses.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};

use tokio::io::{AsyncBufReadExt as _, AsyncReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Notify;

/// A received request.
#[derive(Debug, Clone)]
pub(crate) struct Request {
    pub(crate) path: String,
    headers: HashMap<String, String>,
    pub(crate) body: Vec<u8>,
}

impl Request {
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).map(String::as_str)
    }

    /// `Range: bytes=N-`
    pub(crate) fn from(&self) -> Option<usize> {
        self.header("range")?.strip_prefix("bytes=")?.strip_suffix('-')?.parse().ok()
    }
}

/// A response, after which the connection is closed.
#[derive(Clone)]
pub(crate) struct Reply {
    status: String,
    headers: Vec<(String, String)>,
    body: Vec<Arc<[u8]>>,
    /// Keeps the connection open after the response.
    hangs: bool,
    gate: Option<Arc<Gate>>,
}

/// Pauses before the last piece of a body.
#[derive(Default)]
pub(crate) struct Gate {
    pub(crate) reached: Notify,
    pub(crate) open: Notify,
}

impl Reply {
    pub(crate) fn new(status: &str) -> Self {
        Self { status: status.to_owned(), headers: Vec::new(), body: Vec::new(), hangs: false, gate: None }
    }

    pub(crate) fn with(mut self, name: &str, value: impl std::fmt::Display) -> Self {
        self.headers.push((name.to_owned(), value.to_string()));
        self
    }

    pub(crate) fn body(self, body: &[u8]) -> Self {
        self.announcing(body.len() as u64).sending(body)
    }

    pub(crate) fn announcing(self, length: u64) -> Self {
        self.with("Content-Length", length)
    }

    pub(crate) fn sending(mut self, body: &[u8]) -> Self {
        self.body.push(body.into());
        self
    }

    /// Sends the same piece `times` times.
    pub(crate) fn repeating(mut self, piece: &[u8], times: usize) -> Self {
        let piece: Arc<[u8]> = piece.into();
        self.body.extend(std::iter::repeat_n(piece, times));
        self
    }

    /// Truncates the body.
    pub(crate) fn cut(mut self, mut left: usize) -> Self {
        for piece in &mut self.body {
            let length = piece.len().min(left);
            *piece = piece[..length].into();
            left -= length;
        }
        self
    }

    pub(crate) fn through(mut self, gate: &Arc<Gate>) -> Self {
        self.gate = Some(Arc::clone(gate));
        self
    }

    pub(crate) fn hanging(mut self) -> Self {
        self.hangs = true;
        self
    }
}

/// A server that runs until its runtime ends.
pub(crate) struct Server {
    address: String,
    requests: Arc<Mutex<Vec<Request>>>,
}

impl Server {
    pub(crate) async fn start(answer: impl Fn(&Request) -> Reply + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = format!("http://{}", listener.local_addr().unwrap());
        let (answer, requests) = (Arc::new(answer), Arc::new(Mutex::new(Vec::new())));
        let seen = Arc::clone(&requests);
        tokio::spawn(async move {
            while let Ok((connection, _)) = listener.accept().await {
                let (answer, seen) = (Arc::clone(&answer), Arc::clone(&seen));
                tokio::spawn(async move {
                    // Whoever asked may go away at any time.
                    drop(serve(connection, &*answer, &seen).await);
                });
            }
        });
        Self { address, requests }
    }

    pub(crate) fn url(&self, path: &str) -> String {
        format!("{}/{path}", self.address)
    }

    /// Returns all requests so far.
    pub(crate) fn requests(&self) -> Vec<Request> {
        self.requests.lock().unwrap().clone()
    }
}

async fn serve(
    connection: TcpStream,
    answer: &(dyn Fn(&Request) -> Reply + Send + Sync),
    seen: &Mutex<Vec<Request>>,
) -> std::io::Result<()> {
    let mut connection = BufReader::new(connection);
    let mut line = String::new();
    connection.read_line(&mut line).await?;
    let path = line.split(' ').nth(1).unwrap_or_default().trim_start_matches('/').to_owned();
    let mut headers = HashMap::new();
    loop {
        let mut line = String::new();
        connection.read_line(&mut line).await?;
        let Some((name, value)) = line.trim_end().split_once(": ") else { break };
        headers.insert(name.to_lowercase(), value.to_owned());
    }
    let length = headers.get("content-length").and_then(|length| length.parse().ok()).unwrap_or_default();
    let mut body = vec![0; length];
    connection.read_exact(&mut body).await?;
    let request = Request { path, headers, body };
    seen.lock().unwrap().push(request.clone());
    let reply = answer(&request);
    let mut head = format!("HTTP/1.1 {}\r\nConnection: close\r\n", reply.status);
    for (name, value) in &reply.headers {
        head.extend([name, ": ", value, "\r\n"]);
    }
    connection.write_all(format!("{head}\r\n").as_bytes()).await?;
    for (number, piece) in reply.body.iter().enumerate() {
        if let Some(gate) = reply.gate.as_ref().filter(|_| number + 1 == reply.body.len()) {
            gate.reached.notify_one();
            gate.open.notified().await;
        }
        connection.write_all(piece).await?;
    }
    if reply.hangs {
        std::future::pending::<()>().await;
    }
    connection.shutdown().await
}
