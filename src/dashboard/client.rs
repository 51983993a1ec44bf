//! Client for Metabase's API: JSON over HTTP, with the session key in a header.

use std::time::{Duration, Instant};

use common::failure::{Context as _, Exit, Failure, Result};
use etl::report::Language;
use reqwest::header::LOCATION;
use reqwest::redirect::Policy;
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};
use target::Progress;

/// Metabase tests a connection before it responds.
const REQUEST_TIMEOUT: Duration = Duration::from_mins(1);

/// How long Metabase may take to start: its first start migrates an empty database.
const START_TIMEOUT: Duration = Duration::from_mins(10);

const POLL_INTERVAL: Duration = Duration::from_secs(1);

/// Says whether Metabase is set up; needs no login.
const PROPERTIES: &str = "/api/session/properties";

const OTHER_VERSION: &str = "covidctl uses the interface of Metabase 57; this may be another version";

pub struct Client {
    http: reqwest::Client,
    url: String,
    session: Option<String>,
}

impl Client {
    /// Logs in; with a locale, creates the first user of a new Metabase.
    pub async fn open(
        url: &str,
        (email, password): (&str, &str),
        locale: Option<Language>,
        progress: &dyn Progress,
    ) -> Result<Self> {
        // Neither a password nor a session key is sent to another address.
        let http = reqwest::Client::builder().timeout(REQUEST_TIMEOUT).redirect(Policy::none()).build();
        let http = http.context(|| "cannot create an HTTP client".to_owned())?;
        let mut client = Self { http, url: url.trim_end_matches('/').to_owned(), session: None };
        let properties = client.properties(progress).await?;
        let is_set_up = properties["has-user-setup"].as_bool().ok_or_else(|| {
            Failure::new(format!("Metabase at `{}` does not say whether it is set up", client.url))
                .hint("it is too old: covidctl uses the interface of Metabase 57")
        })?;
        let response = if is_set_up {
            let login = json!({ "username": email, "password": password });
            client.post("/api/session", &login).await.map_err(|failure| match failure.exit() {
                Exit::Credentials => failure.hint(
                    "check --email and METABASE_PASSWORD, and that Metabase lets users log in with a password",
                ),
                _ => failure,
            })?
        } else if let Some(locale) = locale {
            let first = json!({
                "token": properties["setup-token"],
                "user": { "first_name": "Covid-19", "last_name": "Admin", "email": email, "password": password },
                "prefs": { "site_name": "Covid-19", "site_locale": locale.to_string() },
            });
            client.post("/api/setup", &first).await?
        } else {
            return Err(Failure::new(format!("Metabase at `{}` is not set up yet", client.url))
                .hint("covidctl dashboard apply"));
        };
        let session = response["id"].as_str().map(str::to_owned);
        client.session = Some(session.ok_or_else(|| client.unexpected("the login returned no session"))?);
        Ok(client)
    }

    /// Returns the properties of Metabase; waits while it starts.
    async fn properties(&self, progress: &dyn Progress) -> Result<Value> {
        let begun = Instant::now();
        let mut shown = None;
        loop {
            let (status, text) = self.response(Method::GET, PROPERTIES, None).await?;
            let Some(done) = starting(status, &text) else {
                return self.content(&Method::GET, PROPERTIES, status, &text);
            };
            if begun.elapsed() > START_TIMEOUT {
                return Err(Failure::new(format!("Metabase at `{}` is still starting", self.url))
                    .hint("read its log: covidctl logs metabase")
                    .exit_code(Exit::Timeout));
            }
            if shown.replace(done) != Some(done) {
                progress.step(&format!("Metabase is starting: {done} %"));
            }
            tokio::time::sleep(POLL_INTERVAL).await;
        }
    }

    pub(super) async fn get(&self, path: &str) -> Result<Value> {
        self.call(Method::GET, path, None).await
    }

    pub(super) async fn post(&self, path: &str, body: &Value) -> Result<Value> {
        self.call(Method::POST, path, Some(body)).await
    }

    pub(super) async fn put(&self, path: &str, body: &Value) -> Result<Value> {
        self.call(Method::PUT, path, Some(body)).await
    }

    /// Returns the id in a response.
    pub(super) fn id(&self, value: &Value) -> Result<i64> {
        value["id"].as_i64().ok_or_else(|| self.unexpected("a response has no id"))
    }

    fn unexpected(&self, what: &str) -> Failure {
        Failure::new(format!("unexpected response of Metabase at `{}`: {what}", self.url)).hint(OTHER_VERSION)
    }

    async fn call(&self, method: Method, path: &str, body: Option<&Value>) -> Result<Value> {
        let (status, text) = self.response(method.clone(), path, body).await?;
        self.content(&method, path, status, &text)
    }

    /// Sends a request; returns status and text of the response, unless it is a redirect.
    async fn response(
        &self,
        method: Method,
        path: &str,
        body: Option<&Value>,
    ) -> Result<(StatusCode, String)> {
        let what = || self.what(&method, path);
        let mut request = self.http.request(method.clone(), format!("{}{path}", self.url));
        if let Some(session) = &self.session {
            request = request.header("X-Metabase-Session", session);
        }
        if let Some(body) = body {
            request = request.header("Content-Type", "application/json").body(body.to_string());
        }
        let response = request.send().await.map_err(|error| {
            let hint = "check --url, and the tunnel or load balancer in front of Metabase";
            Failure::new(what()).source(error).hint(hint)
        })?;
        let status = response.status();
        if status.is_redirection() {
            let to = response.headers().get(LOCATION).and_then(|to| to.to_str().ok()).unwrap_or_default();
            let address = to.strip_suffix(path).unwrap_or(to);
            return Err(Failure::new(what())
                .source(format!("it redirects to `{to}`"))
                .hint(format!("if that is your Metabase: --url {address}")));
        }
        Ok((status, response.text().await.context(what)?))
    }

    /// Returns the JSON of a response.
    fn content(&self, method: &Method, path: &str, status: StatusCode, text: &str) -> Result<Value> {
        let what = || self.what(method, path);
        if !status.is_success() {
            return Err(rejected(&what(), status, text));
        }
        if text.trim().is_empty() {
            return Ok(Value::Null);
        }
        serde_json::from_str(text).map_err(|_| {
            let failure = Failure::new(what()).source("the answer is not JSON");
            failure.hint("this is not Metabase; check --url")
        })
    }

    fn what(&self, method: &Method, path: &str) -> String {
        format!("cannot {method} `{}{path}`", self.url)
    }
}

/// Returns the progress in percent of a Metabase that starts.
fn starting(status: StatusCode, text: &str) -> Option<u8> {
    #[derive(serde::Deserialize)]
    struct Health {
        status: String,
        progress: Option<f64>,
    }
    let health: Health =
        serde_json::from_str(text).ok().filter(|_| status == StatusCode::SERVICE_UNAVAILABLE)?;
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "between 0 and 100")]
    let percent = (health.progress.unwrap_or_default().clamp(0.0, 1.0) * 100.0) as u8;
    (health.status == "initializing").then_some(percent)
}

/// Returns the failure of a rejected request, with the start of Metabase's message.
fn rejected(what: &str, status: StatusCode, text: &str) -> Failure {
    let message: String = text.chars().take(300).collect();
    let message = if message.is_empty() { String::new() } else { format!(": {message}") };
    let failure = Failure::new(format!("{what}: {status}{message}"));
    let hint = match status {
        _ if text.contains("Too many attempts") => {
            return failure
                .hint("wait as long as Metabase says, then repeat the command with the right password");
        }
        StatusCode::NOT_FOUND => return failure.hint(OTHER_VERSION),
        StatusCode::UNAUTHORIZED => "check --email and METABASE_PASSWORD",
        StatusCode::FORBIDDEN => "log in as an administrator of Metabase",
        _ => return failure,
    };
    failure.exit_code(Exit::Credentials).hint(hint)
}
