//! moto: a server that behaves as AWS's services do, as far as it knows them. One for all tests of this process.
//!
//! Each test has a region of its own in it, so that they do not see each other's parts.

use std::process::{Child, Stdio};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, OnceLock};

use serde_json::Value;

use super::environment;

/// The Python that has moto, as `cargo xtask test` has installed it.
const TEST_MOTO: &str = "TEST_MOTO";

/// Any key will do; the region in it counts.
const SIGNATURE: &str = "SignedHeaders=host, Signature=0";

/// Those whose images of Amazon Linux moto knows, as the stack of the bastion needs them.
const REGIONS_WITH_IMAGES: [&str; 4] = ["us-east-1", "us-east-2", "us-west-2", "eu-west-1"];

const REGIONS: [&str; 29] = [
    "us-west-1",
    "eu-west-2",
    "eu-west-3",
    "eu-north-1",
    "eu-central-1",
    "sa-east-1",
    "ca-central-1",
    "ap-south-1",
    "ap-southeast-1",
    "ap-southeast-2",
    "ap-northeast-1",
    "ap-northeast-2",
    "ap-northeast-3",
    "ap-east-1",
    "ap-southeast-3",
    "af-south-1",
    "eu-south-1",
    "eu-central-2",
    "me-south-1",
    "il-central-1",
    "ca-west-1",
    "ap-south-2",
    "ap-southeast-4",
    "ap-southeast-5",
    "eu-south-2",
    "me-central-1",
    "mx-central-1",
    "ap-southeast-7",
    "ap-east-2",
];

/// The account that moto plays.
pub(crate) const ACCOUNT: &str = "123456789012";

/// Another one serves the tests for which the regions of one do not suffice.
static SERVERS: [OnceLock<Server>; 2] = [OnceLock::new(), OnceLock::new()];
static NEXT: AtomicUsize = AtomicUsize::new(0);
static NEXT_WITH_IMAGES: AtomicUsize = AtomicUsize::new(0);

struct Server {
    endpoint: String,
    /// Ended when the process ends: its standard input is a pipe of ours.
    _child: Mutex<Child>,
}

/// A region of moto's.
#[derive(Debug, Clone)]
pub(crate) struct Moto {
    pub(crate) endpoint: String,
    pub(crate) region: &'static str,
    /// The access key of the requests.
    key: String,
    http: reqwest::Client,
}

impl Moto {
    /// A region that no other test of this process has.
    pub(crate) fn new() -> Self {
        Self::next(&REGIONS, &NEXT)
    }

    /// The same, for a test that creates the stacks.
    pub(crate) fn with_images() -> Self {
        Self::next(&REGIONS_WITH_IMAGES, &NEXT_WITH_IMAGES)
    }

    fn next(regions: &[&'static str], next: &AtomicUsize) -> Self {
        let number = next.fetch_add(1, Ordering::Relaxed);
        let server = SERVERS.get(number / regions.len()).expect("more tests than regions: add a server");
        let region = regions[number % regions.len()];
        let endpoint = server.get_or_init(start).endpoint.clone();
        Self { endpoint, region, key: "test".to_owned(), http: reqwest::Client::new() }
    }

    /// The same region, by another way and with another access key.
    pub(crate) fn through(&self, endpoint: &str, key: &str) -> Self {
        Self { endpoint: endpoint.to_owned(), key: key.to_owned(), ..self.clone() }
    }

    /// Calls a service that speaks JSON; `target` is `ServiceName.Operation`.
    pub(crate) async fn json(&self, service: &str, target: &str, body: &Value) -> Value {
        let request = self
            .http
            .post(&self.endpoint)
            .header("authorization", self.credential(service))
            .header("x-amz-target", target)
            .header("content-type", "application/x-amz-json-1.1")
            .body(body.to_string());
        let text = sent(request, target).await;
        serde_json::from_str(&text).unwrap_or(Value::Null)
    }

    /// Calls a service that speaks forms and XML; gives the XML.
    pub(crate) async fn query(
        &self,
        service: &str,
        action: &str,
        version: &str,
        words: &[(&str, &str)],
    ) -> String {
        let mut form = vec![("Action", action), ("Version", version)];
        form.extend(words);
        let body = form
            .iter()
            .map(|(name, value)| format!("{name}={}", encoded(value)))
            .collect::<Vec<_>>()
            .join("&");
        let request = self
            .http
            .post(&self.endpoint)
            .header("authorization", self.credential(service))
            .header("content-type", "application/x-www-form-urlencoded")
            .body(body);
        sent(request, action).await
    }

    /// Returns the configuration of a function.
    pub(crate) async fn function(&self, name: &str) -> Value {
        let url = format!("{}/2015-03-31/functions/{name}/configuration", self.endpoint);
        let request = self.http.get(url).header("authorization", self.credential("lambda"));
        serde_json::from_str(&sent(request, name).await).unwrap()
    }

    /// Creates a bucket.
    pub(crate) async fn bucket(&self, name: &str) {
        let body = match self.region {
            "us-east-1" => String::new(),
            region => format!(
                "<CreateBucketConfiguration><LocationConstraint>{region}</LocationConstraint></CreateBucketConfiguration>"
            ),
        };
        let request = self.http.put(format!("{}/{name}", self.endpoint)).body(body);
        sent(request.header("authorization", self.credential("s3")), name).await;
    }

    /// Writes an object.
    pub(crate) async fn object(&self, bucket: &str, key: &str, content: Vec<u8>) {
        let request = self.http.put(format!("{}/{bucket}/{key}", self.endpoint)).body(content);
        sent(request.header("authorization", self.credential("s3")), key).await;
    }

    /// Deletes an object.
    pub(crate) async fn delete(&self, bucket: &str, key: &str) {
        let request = self.http.delete(format!("{}/{bucket}/{key}", self.endpoint));
        sent(request.header("authorization", self.credential("s3")), key).await;
    }

    fn credential(&self, service: &str) -> String {
        let Self { region, key, .. } = self;
        format!("AWS4-HMAC-SHA256 Credential={key}/20220605/{region}/{service}/aws4_request, {SIGNATURE}")
    }
}

async fn sent(request: reqwest::RequestBuilder, what: &str) -> String {
    let answer = request.send().await.unwrap();
    let status = answer.status();
    let text = answer.text().await.unwrap();
    assert!(status.is_success(), "{what}: {status} {text}");
    text
}

/// What stands between two tags, the first time.
pub(crate) fn between<'a>(xml: &'a str, tag: &str) -> &'a str {
    let after = xml.split_once(&format!("<{tag}>")).unwrap_or_else(|| panic!("no {tag} in {xml}")).1;
    after.split_once('<').unwrap().0
}

fn encoded(text: &str) -> String {
    let byte = |byte: u8| match byte {
        b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'_' | b'.' => char::from(byte).to_string(),
        _ => format!("%{byte:02X}"),
    };
    text.bytes().map(byte).collect()
}

fn start() -> Server {
    let (endpoint, child) = super::server(&environment(TEST_MOTO), Stdio::inherit(), |port| {
        let script = concat!(env!("CARGO_MANIFEST_DIR"), "/xtask/stacks/emulator.py");
        vec![
            "-B".to_owned(),
            script.to_owned(),
            "-H".to_owned(),
            "127.0.0.1".to_owned(),
            "-p".to_owned(),
            port,
        ]
    });
    Server { endpoint, _child: Mutex::new(child) }
}
