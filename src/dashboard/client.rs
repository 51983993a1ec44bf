//! Client for Metabase's API: JSON over HTTP, with the session key in a header.

use std::time::Duration;

use common::failure::{Context as _, Exit, Failure, Result};
use etl::report::Language;
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};

/// Metabase tests a connection before it responds.
const REQUEST_TIMEOUT: Duration = Duration::from_mins(1);

pub struct Client {
    http: reqwest::Client,
    url: String,
    session: Option<String>,
}

impl Client {
    /// Logs in; with a locale, creates the first user of a new Metabase.
    pub async fn open(url: &str, (email, password): (&str, &str), locale: Option<Language>) -> Result<Self> {
        let http = reqwest::Client::builder().timeout(REQUEST_TIMEOUT).build();
        let http = http.context(|| "cannot create an HTTP client".to_owned())?;
        let mut client = Self { http, url: url.trim_end_matches('/').to_owned(), session: None };
        let properties = client.get("/api/session/properties").await?;
        let response = if properties["has-user-setup"] == true {
            let login = json!({ "username": email, "password": password });
            client.post("/api/session", &login).await?
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
        Failure::new(format!("unexpected response of Metabase at `{}`: {what}", self.url))
            .hint("docs/reference/dashboard.md lists the supported versions")
    }

    async fn call(&self, method: Method, path: &str, body: Option<&Value>) -> Result<Value> {
        let what = || format!("cannot {method} `{}{path}`", self.url);
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
        let text = response.text().await.context(what)?;
        if !status.is_success() {
            return Err(rejected(&what(), status, &text));
        }
        if text.trim().is_empty() {
            return Ok(Value::Null);
        }
        serde_json::from_str(&text)
            .context(what)
            .map_err(|failure| failure.hint("this is not Metabase; check --url"))
    }
}

/// Returns the failure of a rejected request, with the start of Metabase's message.
fn rejected(what: &str, status: StatusCode, text: &str) -> Failure {
    let message: String = text.chars().take(300).collect();
    let failure = Failure::new(format!("{what}: {status}: {message}"));
    let hint = match status {
        StatusCode::UNAUTHORIZED => "check --email and METABASE_PASSWORD",
        StatusCode::FORBIDDEN => "log in as an administrator of Metabase",
        _ => return failure,
    };
    failure.exit_code(Exit::Credentials).hint(hint)
}
