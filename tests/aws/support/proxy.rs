//! What no emulator does, in front of one: faults on demand, and the services whose effects must be real.
//!
//! Every request is recognised by its operation (`ecs:RunTask`), noted with what it needs to be allowed, and answered by the first that
//! wants to: an injected fault, a handler of the test's, or the emulator behind. At the end, all that was needed is evaluated against the
//! policies of who sent it.

use std::collections::{BTreeMap, BTreeSet, HashMap, VecDeque};
use std::sync::{Arc, Mutex};

use bytes::Bytes;
use http_body_util::{BodyExt as _, Full};
use hyper::body::Incoming;
use hyper::http::request::Parts;
use hyper::service::service_fn;
use hyper::{Request, Response};
use hyper_util::rt::TokioIo;
use serde_json::Value;
use tokio::net::TcpListener;
use tokio::task::JoinSet;
use uuid::Uuid;

pub(crate) use super::call::Call;
pub(crate) use super::fault::Fault;
use super::fault::{self, json_response, response, xml_response};
use super::moto::{Moto, between};
use super::permissions::{self, Permission};
use super::policies::{Evaluation, Policies};

/// What a handler answers.
pub(crate) enum Reply {
    Json(Value),
    Xml(String),
    /// An empty answer with this request id.
    Accepted(Uuid),
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
    needs: Mutex<BTreeSet<Permission>>,
    policies: Mutex<Policies>,
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
            needs: Mutex::default(),
            policies: Mutex::default(),
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

    /// Notes what is needed beside the requests.
    pub(crate) fn require(&self, needs: impl IntoIterator<Item = Permission>) {
        self.shared.needs.lock().unwrap().extend(needs);
    }

    /// Gives a principal these policies.
    pub(crate) fn set_policies(&self, principal: &str, policies: Vec<(String, Value)>) {
        self.shared.policies.lock().unwrap().set(principal, policies);
    }

    /// Evaluates what was needed so far.
    pub(crate) fn evaluate(&self) -> Evaluation {
        self.evaluate_by(&self.shared.policies.lock().unwrap())
    }

    /// Returns the names of a principal's policies.
    pub(crate) fn policies(&self, principal: &str) -> Vec<String> {
        let policies = self.shared.policies.lock().unwrap();
        policies.names(principal).into_iter().map(str::to_owned).collect()
    }

    /// Evaluates what was needed so far by other policies.
    pub(crate) fn evaluate_by(&self, policies: &Policies) -> Evaluation {
        policies.evaluate(&self.shared.needs.lock().unwrap())
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        if !std::thread::panicking() {
            let denied = self.evaluate().denied;
            assert!(denied.is_empty(), "denied on AWS:\n{}", denied.join("\n"));
        }
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
        let call = Call::of(&head, body.to_bytes());
        let needs = permissions::of(&call, &self.tags(&call).await);
        self.needs.lock().unwrap().extend(needs);
        let answer = self.answer_to(&head, &call).await?;
        self.needs.lock().unwrap().extend(permissions::of_answer(&call, answer.status().as_u16()));
        Ok(answer)
    }

    async fn answer_to(&self, head: &Parts, call: &Call) -> Result<Response<Full<Bytes>>, Cut> {
        let fault = self.faults.lock().unwrap().get_mut(&call.operation).and_then(VecDeque::pop_front);
        if let Some(fault) = fault {
            return fault::answer(fault, call).ok_or(Cut);
        }
        let reply = self.handlers.lock().unwrap().get(&call.operation).and_then(|handler| handler(call));
        match reply {
            Some(Reply::Json(value)) => Ok(json_response(200, &value)),
            Some(Reply::Xml(text)) => Ok(xml_response(200, text)),
            Some(Reply::Accepted(id)) => {
                let mut response = json_response(202, &Value::Null);
                response.headers_mut().insert("x-amzn-requestid", id.to_string().parse().unwrap());
                Ok(response)
            }
            None => Ok(self.pass_on(head, call.body.clone()).await),
        }
    }

    /// Returns the tags of the instance that a request names.
    async fn tags(&self, call: &Call) -> BTreeMap<String, String> {
        let json = call.json();
        let id = match call.operation.as_str() {
            "ec2:GetConsoleOutput" => call.parameter("InstanceId"),
            "ec2-instance-connect:SendSSHPublicKey" => json["InstanceId"].as_str(),
            _ => None,
        };
        let Some(id) = id else { return BTreeMap::new() };
        let words = [("Filter.1.Name", "resource-id"), ("Filter.1.Value.1", id)];
        let tags = self.moto.query("ec2", "DescribeTags", "2016-11-15", &words).await;
        let tags = tags.split("<item>").skip(1);
        tags.map(|tag| (between(tag, "key").to_owned(), between(tag, "value").to_owned())).collect()
    }

    async fn pass_on(&self, head: &Parts, body: Bytes) -> Response<Full<Bytes>> {
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
