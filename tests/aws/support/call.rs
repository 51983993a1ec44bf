//! A request to AWS as its service understands it, in whichever protocol.

use std::collections::BTreeMap;

use bytes::Bytes;
use hyper::http::request::Parts;
use reqwest::Url;
use serde_json::Value;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Protocol {
    Json,
    Query,
    Ec2,
    RestJson,
    S3,
}

pub(crate) struct Call {
    /// The access key that signed it; each principal of the tests has its own.
    pub(crate) principal: String,
    pub(crate) region: String,
    /// `service:Action`, as a policy names it.
    pub(crate) operation: String,
    pub(crate) protocol: Protocol,
    pub(crate) body: Bytes,
    path: String,
    form: BTreeMap<String, String>,
    copy_source: Option<String>,
}

impl Call {
    pub(crate) fn of(head: &Parts, body: Bytes) -> Self {
        let header =
            |name: &str| head.headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default();
        let credential = header("authorization").split("Credential=").nth(1).unwrap_or_default();
        let mut scope = credential.split('/').map(str::to_owned);
        let (principal, region, service) =
            (scope.next().unwrap_or_default(), scope.nth(1).unwrap_or_default(), scope.next());
        let service = match service.unwrap_or_default().as_str() {
            "monitoring" => "cloudwatch".to_owned(),
            other => other.to_owned(),
        };
        let is_form = header("content-type").starts_with("application/x-www-form-urlencoded");
        let text = if is_form { String::from_utf8_lossy(&body).into_owned() } else { String::new() };
        let query = head.uri.query().unwrap_or_default();
        let form: BTreeMap<_, _> = Url::parse(&format!("http://x/?{query}&{text}"))
            .unwrap()
            .query_pairs()
            .map(|(name, value)| (name.into_owned(), value.into_owned()))
            .collect();
        let path = percent_encoding::percent_decode_str(head.uri.path()).decode_utf8_lossy().into_owned();
        let copy_source = header("x-amz-copy-source");
        let (protocol, action) = if let Some((_, action)) = header("x-amz-target").rsplit_once('.') {
            (Protocol::Json, action)
        } else if let Some(action) = form.get("Action") {
            (if service == "ec2" { Protocol::Ec2 } else { Protocol::Query }, action.as_str())
        } else if service == "lambda" {
            let action = match path.rsplit('/').next() {
                Some("configuration") => "GetFunctionConfiguration",
                Some("invocations") => "InvokeFunction",
                _ => "ListFunctions",
            };
            (Protocol::RestJson, action)
        } else {
            (Protocol::S3, s3_action(head.method.as_str(), &path, &form))
        };
        Self {
            operation: format!("{service}:{action}"),
            copy_source: (!copy_source.is_empty()).then(|| copy_source.trim_start_matches('/').to_owned()),
            protocol,
            principal,
            region,
            path,
            form,
            body,
        }
    }

    /// The body of a JSON service's request.
    pub(crate) fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or(Value::Null)
    }

    /// A parameter of a query service's request.
    pub(crate) fn parameter(&self, name: &str) -> Option<&str> {
        self.form.get(name).map(String::as_str)
    }

    /// The function that a request to Lambda names.
    pub(crate) fn function(&self) -> &str {
        self.path.split('/').nth(3).unwrap_or_default()
    }

    /// The bucket that a request to S3 names.
    pub(crate) fn bucket(&self) -> &str {
        self.path.split('/').nth(1).unwrap_or_default()
    }

    /// The object that a request to S3 names: bucket and key.
    pub(crate) fn object(&self) -> &str {
        self.path.trim_start_matches('/')
    }

    /// The object that a request to S3 copies: bucket and key.
    pub(crate) fn copy_source(&self) -> Option<&str> {
        self.copy_source.as_deref()
    }
}

/// The action that a request to S3 needs: by method, level and query (Amazon S3 User Guide, "Required permissions for Amazon S3 API
/// operations").
fn s3_action(method: &str, path: &str, query: &BTreeMap<String, String>) -> &'static str {
    let has = |name| query.contains_key(name);
    let is_object = path.trim_matches('/').contains('/');
    match (method, is_object) {
        ("GET", false) if has("versions") => "ListBucketVersions",
        ("GET" | "HEAD", false) => "ListBucket",
        ("GET" | "HEAD", true) if has("versionId") => "GetObjectVersion",
        ("GET" | "HEAD", true) => "GetObject",
        ("DELETE", true) if has("uploadId") => "AbortMultipartUpload",
        ("DELETE", true) if has("versionId") => "DeleteObjectVersion",
        ("DELETE", true) => "DeleteObject",
        ("POST", false) if has("delete") => "DeleteObject",
        ("PUT" | "POST", true) => "PutObject",
        _ => "Unknown",
    }
}
