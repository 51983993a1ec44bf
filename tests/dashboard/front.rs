//! What a Metabase that is not ready, or what stands in front of one, answers.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::TcpListener;
use std::sync::{Arc, Mutex};

/// A server with scripted responses, until the test process ends.
pub(crate) struct Front {
    pub(crate) url: String,
    /// Method, path and body of each request.
    requests: Arc<Mutex<Vec<String>>>,
}

/// Status line, additional header, body.
pub(crate) type Reply = (&'static str, String, &'static str);

impl Front {
    /// `answer` gets the number of the request, from 0, and its method and path.
    pub(crate) fn start(answer: impl Fn(usize, &str) -> Reply + Send + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let requests = Arc::new(Mutex::new(Vec::new()));
        let received = Arc::clone(&requests);
        std::thread::spawn(move || {
            for stream in listener.incoming() {
                let mut stream = stream.unwrap();
                let mut reader = BufReader::new(stream.try_clone().unwrap());
                let mut first = String::new();
                if reader.read_line(&mut first).unwrap_or(0) == 0 {
                    continue;
                }
                let mut length = 0;
                loop {
                    let mut line = String::new();
                    reader.read_line(&mut line).unwrap();
                    let Some((name, value)) = line.trim_end().split_once(": ") else { break };
                    if name.eq_ignore_ascii_case("content-length") {
                        length = value.parse().unwrap();
                    }
                }
                let mut body = vec![0; length];
                reader.read_exact(&mut body).unwrap();
                let request = first.rsplit_once(' ').unwrap().0;
                let mut requests = received.lock().unwrap();
                let (status, header, body_of_reply) = answer(requests.len(), request);
                requests.push(format!("{request} {}", String::from_utf8(body).unwrap()));
                drop(requests);
                let length = body_of_reply.len();
                // The client may have gone.
                drop(write!(
                    stream,
                    "HTTP/1.1 {status}\r\nContent-Length: {length}\r\nConnection: close\r\n{header}\r\n{body_of_reply}"
                ));
            }
        });
        Self { url, requests }
    }

    pub(crate) fn requests(&self) -> Vec<String> {
        self.requests.lock().unwrap().clone()
    }
}
