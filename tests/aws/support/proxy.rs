//! What no emulator does, in front of one: faults on demand, and the services whose effects must be real.
//!
//! Every request is recognised by its operation (`ecs:RunTask`), noted, and answered by the first that wants to: an injected
//! fault, a handler of the test's, or the emulator behind.

use std::collections::{BTreeSet, HashMap, VecDeque};
use std::sync::{Arc, Mutex};

use bytes::Bytes;
use http_body_util::{BodyExt as _, Full};
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper::{Request, Response, StatusCode};
use hyper_util::rt::TokioIo;
use serde_json::{Value, json};
use tokio::net::TcpListener;
use tokio::task::JoinSet;

use super::moto::Moto;

/// How a request goes wrong.
#[derive(Debug, Clone)]
pub(crate) enum Fault {
    /// Refused with this code, such as `ThrottlingException`, in the way of the JSON services.
    Refused(u16, &'static str, &'static str),
    /// The connection is cut without an answer.
    Reset,
    /// This is answered instead.
    Answer(Value),
}

/// A request as a handler sees it.
pub(crate) struct Call {
    pub(crate) operation: String,
    pub(crate) body: Bytes,
}

impl Call {
    /// The body of a JSON service's request.
    pub(crate) fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or(Value::Null)
    }
}

/// What a handler answers.
pub(crate) enum Reply {
    Json(Value),
    Xml(String),
}

/// Answers an operation in the emulator's place.
type Handler = Box<dyn Fn(&Call) -> Option<Reply> + Send + Sync>;

/// The proxy; it ends with this value.
pub(crate) struct Proxy {
    pub(crate) endpoint: String,
    shared: Arc<Shared>,
    _server: JoinSet<()>,
}

struct Shared {
    moto: Moto,
    http: reqwest::Client,
    faults: Mutex<HashMap<String, VecDeque<Fault>>>,
    handlers: Mutex<HashMap<String, Handler>>,
    calls: Mutex<BTreeSet<String>>,
}

impl Proxy {
    /// In front of moto.
    pub(crate) async fn start(moto: Moto) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let endpoint = format!("http://{}", listener.local_addr().unwrap());
        let shared = Arc::new(Shared {
            moto,
            http: reqwest::Client::new(),
            faults: Mutex::default(),
            handlers: Mutex::default(),
            calls: Mutex::default(),
        });
        let mut server = JoinSet::new();
        let serving = Arc::clone(&shared);
        server.spawn(async move {
            let mut connections = JoinSet::new();
            while let Ok((stream, _)) = listener.accept().await {
                let shared = Arc::clone(&serving);
                connections.spawn(async move {
                    let serve = service_fn(move |request| {
                        let shared = Arc::clone(&shared);
                        async move { shared.answer(request).await }
                    });
                    // A client may leave, and a fault may cut the connection.
                    drop(
                        hyper::server::conn::http1::Builder::new()
                            .serve_connection(TokioIo::new(stream), serve)
                            .await,
                    );
                });
            }
        });
        Self { endpoint, shared, _server: server }
    }

    /// The next requests of this operation go wrong so, one after the other.
    pub(crate) fn fail(&self, operation: &str, faults: impl IntoIterator<Item = Fault>) {
        self.shared.faults.lock().unwrap().entry(operation.to_owned()).or_default().extend(faults);
    }

    /// Whether every injected fault has happened.
    pub(crate) fn has_failed_all(&self, operation: &str) -> bool {
        self.shared.faults.lock().unwrap().get(operation).is_none_or(VecDeque::is_empty)
    }

    /// Answers an operation from now on, where the handler has an answer.
    pub(crate) fn handle(
        &self,
        operation: &str,
        handler: impl Fn(&Call) -> Option<Reply> + Send + Sync + 'static,
    ) {
        self.shared.handlers.lock().unwrap().insert(operation.to_owned(), Box::new(handler));
    }

    /// Every operation that was called, as a policy names it.
    pub(crate) fn calls(&self) -> BTreeSet<String> {
        self.shared.calls.lock().unwrap().clone()
    }
}

/// The connection is cut.
#[derive(Debug)]
struct Cut;

impl std::fmt::Display for Cut {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("cut")
    }
}

impl std::error::Error for Cut {}

impl Shared {
    async fn answer(&self, request: Request<Incoming>) -> Result<Response<Full<Bytes>>, Cut> {
        let (head, body) = request.into_parts();
        let Ok(body) = body.collect().await else { return Err(Cut) };
        let body = body.to_bytes();
        let operation = operation(&head, &body);
        self.calls.lock().unwrap().insert(operation.clone());
        let fault = self.faults.lock().unwrap().get_mut(&operation).and_then(VecDeque::pop_front);
        match fault {
            Some(Fault::Reset) => return Err(Cut),
            Some(Fault::Answer(value)) => return Ok(json_response(200, &value)),
            Some(Fault::Refused(status, code, message)) => {
                return Ok(json_response(status, &json!({ "__type": code, "message": message })));
            }
            None => {}
        }
        let call = Call { operation, body };
        let reply = self.handlers.lock().unwrap().get(&call.operation).and_then(|handler| handler(&call));
        match reply {
            Some(Reply::Json(value)) => Ok(json_response(200, &value)),
            Some(Reply::Xml(text)) => Ok(response(200, "text/xml", text.into())),
            None => Ok(self.pass_on(&head, call.body).await),
        }
    }

    async fn pass_on(&self, head: &hyper::http::request::Parts, body: Bytes) -> Response<Full<Bytes>> {
        let path = head.uri.path_and_query().map_or("/", |path| path.as_str());
        let mut request = self.http.request(head.method.clone(), format!("{}{path}", self.moto.endpoint));
        for (name, value) in &head.headers {
            if name != "host" && name != "content-length" {
                request = request.header(name, value);
            }
        }
        match request.body(body).send().await {
            Ok(answer) => {
                let mut response = Response::builder().status(answer.status());
                for (name, value) in answer.headers() {
                    if name != "transfer-encoding" && name != "connection" && name != "content-length" {
                        response = response.header(name, value);
                    }
                }
                // A HEAD's length is the object's, not the answer's.
                if head.method == hyper::Method::HEAD
                    && let Some(length) = answer.headers().get("content-length")
                {
                    response = response.header("content-length", length);
                }
                let body = answer.bytes().await.unwrap_or_default();
                response.body(Full::new(body)).unwrap()
            }
            Err(error) => response(502, "text/plain", error.to_string().into()),
        }
    }
}

fn response(status: u16, kind: &str, body: Bytes) -> Response<Full<Bytes>> {
    let status = StatusCode::from_u16(status).unwrap();
    Response::builder().status(status).header("content-type", kind).body(Full::new(body)).unwrap()
}

fn json_response(status: u16, value: &Value) -> Response<Full<Bytes>> {
    response(status, "application/x-amz-json-1.1", value.to_string().into())
}

/// `service:Operation`, as a policy names it.
fn operation(head: &hyper::http::request::Parts, body: &Bytes) -> String {
    let header =
        |name: &str| head.headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let scope = header("authorization").split('/').nth(3).unwrap_or_default().to_owned();
    let service = match scope.as_str() {
        "monitoring" => "cloudwatch",
        other => other,
    };
    if let Some((_, operation)) = header("x-amz-target").rsplit_once('.') {
        return format!("{service}:{operation}");
    }
    let text = String::from_utf8_lossy(&body[..body.len().min(4096)]);
    if let Some(action) = text.split('&').find_map(|pair| pair.strip_prefix("Action=")) {
        return format!("{service}:{action}");
    }
    if service == "lambda" {
        return match head.uri.path().rsplit('/').next() {
            Some("configuration") => "lambda:GetFunctionConfiguration".to_owned(),
            _ => "lambda:InvokeFunction".to_owned(),
        };
    }
    // S3: the method, and whether a folder is listed.
    let lists = head.uri.query().is_some_and(|query| query.contains("list-type"));
    let lists_versions = head.uri.query().is_some_and(|query| query.contains("versions"));
    match (head.method.as_str(), lists) {
        ("GET", _) if lists_versions => "s3:ListBucketVersions".to_owned(),
        ("DELETE", _) => "s3:DeleteObjectVersion".to_owned(),
        ("GET", true) => "s3:ListBucket".to_owned(),
        ("GET" | "HEAD", false) => "s3:GetObject".to_owned(),
        _ => "s3:PutObject".to_owned(),
    }
}
