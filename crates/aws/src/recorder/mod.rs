//! Records what AWS was asked and what it answered, redacted, in a folder that can be attached to a bug report.
//!
//! An exchange is a file `SERVICE.Operation/0001.json`, in which `body` is the answer as it was sent and `data`, if it was JSON, the answer as a
//! document. Requests for objects of S3 are not recorded: their answers are the data themselves.

mod redaction;

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use aws_smithy_runtime_api::box_error::BoxError;
use aws_smithy_runtime_api::client::interceptors::Intercept;
use aws_smithy_runtime_api::client::interceptors::context::FinalizerInterceptorContextRef;
use aws_smithy_runtime_api::client::orchestrator::{HttpRequest, HttpResponse, Metadata};
use aws_smithy_runtime_api::client::runtime_components::RuntimeComponents;
use aws_smithy_types::config_bag::ConfigBag;
use aws_types::SigningName;
use common::failure::{Context as _, Result};
use serde::Serialize;

pub use self::redaction::Redaction;

/// Longer requests are those with a template.
const MAX_REQUEST_CHARS: usize = 20_000;

/// Writes each exchange to a file.
#[derive(Debug, Clone)]
pub(super) struct Recorder(Arc<Recording>);

#[derive(Debug)]
struct Recording {
    folder: PathBuf,
    redaction: Redaction,
    /// Several processes write to the folder of a self-test, so that the number of a file has that of the process.
    next: AtomicU32,
}

#[derive(Debug, Serialize)]
struct Exchange {
    status_code: u16,
    request: String,
    /// The answer as a document, if it was JSON.
    data: Option<serde_json::Value>,
    content_type: String,
    body: String,
}

impl Recorder {
    /// Creates the folder.
    pub(super) fn new(folder: &Path, redaction: Redaction) -> Result<Self> {
        std::fs::create_dir_all(folder).context(|| format!("cannot create `{}`", folder.display()))?;
        let recording = Recording { folder: folder.to_owned(), redaction, next: AtomicU32::new(1) };
        Ok(Self(Arc::new(recording)))
    }

    fn write(
        &self,
        operation: &str,
        request: Option<&HttpRequest>,
        answer: &HttpResponse,
    ) -> std::io::Result<()> {
        let Recording { folder, redaction, next } = &*self.0;
        let text = |bytes: Option<&[u8]>| String::from_utf8_lossy(bytes.unwrap_or_default()).into_owned();
        let request = text(request.and_then(|request| request.body().bytes()));
        let body = redaction.redact(&text(answer.body().bytes()));
        let exchange = Exchange {
            status_code: answer.status().as_u16(),
            request: redaction.redact(&request).chars().take(MAX_REQUEST_CHARS).collect(),
            data: serde_json::from_str(&body).ok(),
            content_type: answer.headers().get("content-type").unwrap_or_default().to_owned(),
            body,
        };
        let folder = folder.join(operation);
        std::fs::create_dir_all(&folder)?;
        let number = next.fetch_add(1, Ordering::Relaxed);
        let file = folder.join(format!("{}-{number:04}.json", std::process::id()));
        std::fs::write(file, serde_json::to_vec_pretty(&exchange)?)
    }
}

impl Intercept for Recorder {
    fn name(&self) -> &'static str {
        "Recorder"
    }

    fn read_after_attempt(
        &self,
        context: &FinalizerInterceptorContextRef<'_>,
        _: &RuntimeComponents,
        config: &mut ConfigBag,
    ) -> std::result::Result<(), BoxError> {
        let Some(answer) = context.response() else { return Ok(()) };
        let service = config.load::<SigningName>().map(|name| name.as_ref().to_owned()).unwrap_or_default();
        let operation =
            config.load::<Metadata>().map(|metadata| metadata.name().to_owned()).unwrap_or_default();
        // An error here would fail a request that AWS has carried out, such as the start of a task; a full disk only leaves a gap.
        _ = self.write(&format!("{service}.{operation}"), context.request(), answer);
        Ok(())
    }
}
