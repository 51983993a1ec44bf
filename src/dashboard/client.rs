//! Speaks to Metabase: JSON over HTTP, with the session's key in a header. Knows no question and no dashboard.

use std::time::Duration;

use common::failure::{Context as _, Exit, Failure, Result};
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};

/// How long one answer may take. Creating a connection makes Metabase try it.
const PATIENCE: Duration = Duration::from_mins(1);

/// Who logs in; on a fresh Metabase, the first user.
pub struct Access {
    /// The address.
    pub email: String,
    /// The password. A secret.
    pub password: String,
}

/// A session.
pub struct Client {
    http: reqwest::Client,
    url: String,
    session: Option<String>,
}

impl Client {
    /// Logs in. A Metabase that has no user yet gets its first one where that is wanted.
    pub async fn open(url: &str, access: &Access, set_up: bool, locale: &str) -> Result<Self> {
        let http = reqwest::Client::builder().timeout(PATIENCE).build();
        let http = http.context(|| "cannot speak HTTP".to_owned())?;
        let mut client = Self { http, url: url.trim_end_matches('/').to_owned(), session: None };
        let properties = client.get("/api/session/properties").await?;
        let answer = if properties["has-user-setup"] == true {
            let login = json!({ "username": access.email, "password": access.password });
            client.post("/api/session", &login).await?
        } else if set_up {
            let first = json!({
                "token": properties["setup-token"],
                "user": { "first_name": "Covid-19", "last_name": "Admin", "email": access.email, "password": access.password },
                "prefs": { "site_name": "Covid-19", "site_locale": locale },
            });
            client.post("/api/setup", &first).await?
        } else {
            return Err(Failure::new(format!("Metabase at `{}` is not set up yet", client.url))
                .hint("covidctl dashboard apply"));
        };
        let session = answer["id"].as_str().map(str::to_owned);
        client.session = Some(session.ok_or_else(|| client.unexpected("the login's answer has no session"))?);
        Ok(client)
    }

    /// Asks.
    pub(super) async fn get(&self, path: &str) -> Result<Value> {
        self.call(Method::GET, path, None).await
    }

    /// Creates.
    pub(super) async fn post(&self, path: &str, body: &Value) -> Result<Value> {
        self.call(Method::POST, path, Some(body)).await
    }

    /// Changes.
    pub(super) async fn put(&self, path: &str, body: &Value) -> Result<Value> {
        self.call(Method::PUT, path, Some(body)).await
    }

    /// An id in an answer.
    pub(super) fn id(&self, value: &Value) -> Result<i64> {
        value["id"].as_i64().ok_or_else(|| self.unexpected("an answer has no id"))
    }

    fn unexpected(&self, what: &str) -> Failure {
        Failure::new(format!("Metabase at `{}` answers otherwise than expected: {what}", self.url))
            .hint("docs/reference/dashboard.md says for which versions this was written")
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
        let answer = request.send().await.map_err(|error| {
            let hint = "is it the right --url, and does the tunnel or the load balancer lead there?";
            Failure::new(what()).source(error).hint(hint)
        })?;
        let status = answer.status();
        let text = answer.text().await.context(what)?;
        if !status.is_success() {
            return Err(refused(&what(), status, &text));
        }
        if text.trim().is_empty() {
            return Ok(Value::Null);
        }
        serde_json::from_str(&text)
            .context(what)
            .map_err(|failure| failure.hint("this does not look like Metabase: is it the right --url?"))
    }
}

/// What Metabase says against a request, in its own words but not too many.
fn refused(what: &str, status: StatusCode, text: &str) -> Failure {
    let words: String = text.chars().take(300).collect();
    let failure = Failure::new(format!("{what}: {status}: {words}"));
    match status {
        StatusCode::UNAUTHORIZED => {
            failure.exit_code(Exit::Credentials).hint("check --email and METABASE_PASSWORD")
        }
        StatusCode::FORBIDDEN => {
            failure.exit_code(Exit::Credentials).hint("log in as an administrator of Metabase")
        }
        _ => failure,
    }
}
