//! Lambda whose function is real: each invocation is the downloader's own program as a process, which is given one event, and whose
//! lines go to CloudWatch.

use std::collections::HashMap;
use std::io::{BufRead as _, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, SystemTime};

use serde_json::json;
use uuid::Uuid;

use super::ecs::{create_stream, put};
use super::moto::{ACCOUNT, Moto};
use super::proxy::{Call, Proxy, Reply};
use super::roles::Keys;
use super::server::{self, Server};

const FUNCTION: &str = "covid19-download";
const GROUP: &str = "/aws/lambda/covid19-download";

/// Where the program asks for events, and tells how they went.
const INVOCATION: &str = "2018-06-01/runtime/invocation/";

/// As long as the stack gives it.
const TIME: Duration = Duration::from_mins(15);

/// The invocations of one function.
#[derive(Clone)]
pub(crate) struct Lambda {
    /// Takes the lines of the function.
    logs: Moto,
    environment: Arc<HashMap<String, String>>,
    programs: Arc<Mutex<Vec<Child>>>,
}

impl Lambda {
    /// Serves invocations at the proxy, with the environment that the stack sets.
    pub(crate) fn behind(
        proxy: &Proxy,
        moto: &Moto,
        keys: Keys,
        mut environment: HashMap<String, String>,
    ) -> Self {
        let key = keys.of("covid19-download");
        let logs = moto.through(&proxy.endpoint, &key);
        environment.insert("AWS_ACCESS_KEY_ID".to_owned(), key);
        let lambda = Self { logs, environment: Arc::new(environment), programs: Arc::default() };
        let (function, runtime) = (lambda.clone(), tokio::runtime::Handle::current());
        proxy.handle("lambda:InvokeFunction", move |call: &Call| {
            let (function, event) = (function.clone(), call.body.to_vec());
            // Asynchronous, as the caller wants it.
            runtime.spawn(async move { function.invoke(event).await });
            Some(Reply::Json(json!({})))
        });
        lambda
    }

    /// Gives the function an event, and waits until it asks for another.
    pub(crate) async fn invoke(&self, event: Vec<u8>) {
        let Self { logs: moto, environment, .. } = self;
        let id = Uuid::new_v4().to_string();
        let function = format!("arn:aws:lambda:{}:{ACCOUNT}:function:{FUNCTION}", moto.region);
        let deadline = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap() + TIME;
        let given = AtomicBool::new(false);
        let server = Server::start(move |request| match request.path.strip_prefix(INVOCATION) {
            Some("next") if given.swap(true, Ordering::SeqCst) => server::Reply::new("200 OK").hanging(),
            Some("next") => server::Reply::new("200 OK")
                .with("Lambda-Runtime-Aws-Request-Id", &id)
                .with("Lambda-Runtime-Deadline-Ms", deadline.as_millis())
                .with("Lambda-Runtime-Invoked-Function-Arn", &function)
                .body(&event),
            _ => server::Reply::new("202 Accepted").body(b"{}"),
        })
        .await;
        let stream = format!("[$LATEST]{}", Uuid::new_v4().simple());
        create_stream(moto, GROUP, &stream).await;
        // It is built beside this one, as every program of the workspace.
        let program = Path::new(env!("CARGO_BIN_EXE_covidctl")).with_file_name("downloader");
        let address = server.url("");
        let mut child = Command::new(&program)
            .env_clear()
            .envs(environment.iter())
            .env("AWS_LAMBDA_RUNTIME_API", address.trim_start_matches("http://").trim_end_matches('/'))
            .env("AWS_LAMBDA_FUNCTION_NAME", FUNCTION)
            .env("AWS_LAMBDA_FUNCTION_VERSION", "$LATEST")
            .env("AWS_LAMBDA_FUNCTION_MEMORY_SIZE", "512")
            .env("AWS_LAMBDA_LOG_STREAM_NAME", &stream)
            .env("AWS_LAMBDA_LOG_GROUP_NAME", GROUP)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap_or_else(|error| panic!("{}: {error}", program.display()));
        let lines = BufReader::new(child.stderr.take().unwrap());
        self.programs.lock().unwrap().push(child);
        let (moto, runtime) = (moto.clone(), tokio::runtime::Handle::current());
        // For as long as the program lives, so that what it is told with stays.
        let reader = tokio::task::spawn_blocking(move || {
            for line in lines.lines().map_while(Result::ok) {
                runtime.block_on(put(&moto, GROUP, &stream, &line));
            }
        });
        drop(reader.await);
        drop(server);
    }

    /// Ends every program that waits for another event.
    pub(crate) fn end_all(&self) {
        for mut child in self.programs.lock().unwrap().drain(..) {
            drop(child.kill());
            drop(child.wait());
        }
    }
}
