//! Reads a file from an HTTP server, over several connections if necessary.
//!
//! After a connection loss a range request with `If-Range` asks for the rest of the same version. Without a validator (a strong `ETag`,
//! else `Last-Modified`) the file is read again from its start, so that the bytes of two versions are never mixed.

use std::error::Error;
use std::time::Duration;

use bytes::{Buf as _, Bytes};
use reqwest::header::{
    CONTENT_RANGE, ETAG, HeaderMap, HeaderName, IF_MODIFIED_SINCE, IF_NONE_MATCH, IF_RANGE, LAST_MODIFIED,
    RANGE,
};
use reqwest::redirect::Policy;
use reqwest::{Client, Response, StatusCode};
use serde::{Deserialize, Serialize};

use common::failure::{Context as _, Failure, Result};
use common::text;

/// Progress after which the count of connection losses is reset.
const RESET_BYTES: u64 = 1 << 20;

#[derive(Debug, Clone)]
pub struct RetryPolicy {
    /// Consecutive connection losses without a megabyte of progress.
    pub max_losses: u32,
    /// Connection losses of a file altogether.
    pub max_total_losses: u32,
    pub idle_timeout: Duration,
    /// Doubled after each loss, up to `max_backoff`; up to half of it is left out at random.
    pub initial_backoff: Duration,
    pub max_backoff: Duration,
}

impl Default for RetryPolicy {
    fn default() -> Self {
        Self {
            max_losses: 8,
            max_total_losses: 200,
            idle_timeout: Duration::from_mins(1),
            initial_backoff: Duration::from_millis(500),
            max_backoff: Duration::from_secs(30),
        }
    }
}

/// The server's identification of a version of a file.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Version {
    pub etag: Option<String>,
    /// As received.
    pub last_modified: Option<String>,
    pub size: Option<u64>,
}

impl Version {
    fn of(response: &Response) -> Self {
        let field = |name| header(response.headers(), &name).map(str::to_owned);
        Self { etag: field(ETAG), last_modified: field(LAST_MODIFIED), size: response.content_length() }
    }

    /// Returns the validator for `If-Range`, which excludes weak tags (RFC 9110, section 13.1.5).
    fn validator(&self) -> Option<&str> {
        self.etag.as_deref().filter(|etag| !etag.starts_with("W/")).or(self.last_modified.as_deref())
    }

    fn is_same_as(&self, other: &Self) -> bool {
        self.validator().is_some() && self == other
    }
}

fn header<'a>(headers: &'a HeaderMap, name: &HeaderName) -> Option<&'a str> {
    headers.get(name).and_then(|value| value.to_str().ok())
}

/// Limits of what a server may make the client do.
#[derive(Debug, Clone, Copy)]
pub struct Limits {
    /// Whether to follow redirects to another host, or from HTTPS to HTTP.
    pub allow_redirects: bool,
    /// Size of a file in bytes.
    pub max_size: u64,
}

impl Default for Limits {
    fn default() -> Self {
        Self { allow_redirects: false, max_size: DEFAULT_MAX_GIGABYTES * 1_000_000_000 }
    }
}

/// Twenty times the line list of all years.
pub const DEFAULT_MAX_GIGABYTES: u64 = 20;

/// As many as browsers follow.
const MAX_REDIRECTS: usize = 20;

/// Builds the client. It never requests a compressed transfer, so that positions are those of the file.
pub(super) fn client(limits: Limits) -> Result<Client> {
    let redirects = Policy::custom(move |redirect| {
        let (to, from) = (redirect.url(), redirect.previous().last());
        let stays = from.is_some_and(|from| {
            from.host_str() == to.host_str() && (from.scheme() == to.scheme() || to.scheme() == "https")
        });
        if redirect.previous().len() > MAX_REDIRECTS {
            redirect.error("it redirects too often")
        } else if stays || limits.allow_redirects {
            redirect.follow()
        } else {
            let elsewhere = format!("it redirects to `{to}`");
            redirect.error(elsewhere)
        }
    });
    Client::builder()
        .redirect(redirects)
        .user_agent(concat!("covid19-etl/", env!("CARGO_PKG_VERSION")))
        .connect_timeout(Duration::from_secs(20))
        .build()
        .context(|| "cannot set up HTTP".to_owned())
}

/// Why a connection was lost.
type Loss = Box<dyn Error + Send + Sync>;

pub(super) enum Chunk {
    Bytes(Bytes),
    /// The file is read again from its start: discard the bytes so far.
    Restarted,
    End,
}

/// What to download, and how.
#[derive(Clone, Copy)]
pub(super) struct HttpRequest<'a> {
    pub(super) client: &'a Client,
    pub(super) url: &'a str,
    pub(super) retry: &'a RetryPolicy,
    /// In bytes.
    pub(super) max_size: u64,
}

pub(super) struct HttpFile<'a> {
    client: &'a Client,
    url: &'a str,
    retry: &'a RetryPolicy,
    max_size: u64,
    pub(super) version: Version,
    response: Option<Response>,
    pub(super) position: u64,
    /// Bytes of the response to skip, because the server sends the file from its start.
    skip: u64,
    /// The position at which `losses` was last reset.
    reset_at: u64,
    losses: u32,
    pub(super) total_losses: u32,
}

impl<'a> HttpFile<'a> {
    /// Requests the file; returns `None` if the server still has the known version.
    pub(super) async fn open(request: HttpRequest<'a>, known: Option<Version>) -> Result<Option<Self>> {
        let mut file = Self::resume(request, Version::default(), 0);
        let known = known.unwrap_or_default();
        let mut conditions = HeaderMap::new();
        for (name, value) in [(IF_NONE_MATCH, &known.etag), (IF_MODIFIED_SINCE, &known.last_modified)] {
            if let Some(value) = value.as_ref().and_then(|value| value.parse().ok()) {
                conditions.insert(name, value);
            }
        }
        let response = file.request(&conditions).await?;
        if response.status() == StatusCode::NOT_MODIFIED {
            return Ok(None);
        }
        file.version = Version::of(&response);
        file.check_size(file.version.size.unwrap_or_default())?;
        file.response = Some(response);
        Ok(Some(file))
    }

    /// Continues a file of which `position` bytes were read before.
    pub(super) fn resume(request: HttpRequest<'a>, version: Version, position: u64) -> Self {
        let HttpRequest { client, url, retry, max_size } = request;
        Self {
            client,
            url,
            retry,
            max_size,
            version,
            response: None,
            position,
            skip: 0,
            reset_at: position,
            losses: 0,
            total_losses: 0,
        }
    }

    pub(super) async fn next(&mut self) -> Result<Chunk> {
        loop {
            let Some(response) = &mut self.response else {
                if self.reconnect().await? {
                    return Ok(Chunk::Restarted);
                }
                continue;
            };
            let loss: Loss = match tokio::time::timeout(self.retry.idle_timeout, response.chunk()).await {
                Ok(Ok(Some(mut bytes))) => {
                    let known = usize::try_from(self.skip).unwrap_or(usize::MAX).min(bytes.len());
                    bytes.advance(known);
                    self.skip -= known as u64;
                    self.position += bytes.len() as u64;
                    self.check_size(self.position)?;
                    if self.position >= self.reset_at + RESET_BYTES {
                        (self.reset_at, self.losses) = (self.position, 0);
                    }
                    if bytes.is_empty() {
                        continue;
                    }
                    return Ok(Chunk::Bytes(bytes));
                }
                Ok(Ok(None)) => match self.version.size {
                    Some(size) if size > self.position => {
                        format!("the connection closed after {} of {size} bytes", self.position).into()
                    }
                    _ => return Ok(Chunk::End),
                },
                Ok(Err(error)) => error.into(),
                Err(_) => {
                    let seconds = self.retry.idle_timeout.as_secs_f64();
                    format!("no data received for {seconds} seconds").into()
                }
            };
            self.back_off(loss).await?;
        }
    }

    /// Requests the rest; returns whether the file restarts instead.
    async fn reconnect(&mut self) -> Result<bool> {
        let mut wanted = HeaderMap::new();
        if self.position > 0
            && let Some(validator) = self.version.validator()
        {
            let range = format!("bytes={}-", self.position);
            wanted.insert(RANGE, range.parse().context(|| "cannot encode a range".to_owned())?);
            let invalid = || format!("`{}` has an invalid validator", self.url);
            wanted.insert(IF_RANGE, validator.parse().context(invalid)?);
        }
        let response = self.request(&wanted).await?;
        if response.status() == StatusCode::PARTIAL_CONTENT {
            let range = header(response.headers(), &CONTENT_RANGE).unwrap_or_default().to_owned();
            if !continues(&range, self.position, self.version.size) {
                let what = format!("requested bytes from {} on, received `{range}`", self.position);
                return Err(self.failed(what));
            }
            // Some servers ignore `If-Range` and send a range of the new version.
            let etag = header(response.headers(), &ETAG);
            if etag.is_some() && etag != self.version.etag.as_deref() {
                return Err(self.failed("the server sent a range of another version"));
            }
            self.response = Some(response);
            return Ok(false);
        }
        let version = Version::of(&response);
        self.response = Some(response);
        if self.position > 0 && version.is_same_as(&self.version) {
            self.skip = self.position;
            return Ok(false);
        }
        let restarted = self.position > 0;
        (self.version, self.position, self.skip) = (version, 0, 0);
        if restarted {
            let url = self.url;
            tracing::warn!(url, "the file has changed or has no validator: reading it from the start");
        }
        Ok(restarted)
    }

    /// Sends a request, and again after temporary failures.
    async fn request(&mut self, headers: &HeaderMap) -> Result<Response> {
        loop {
            let request = self.client.get(self.url).headers(headers.clone()).send();
            let loss: Loss = match tokio::time::timeout(self.retry.idle_timeout, request).await {
                Ok(Ok(response)) => match response.status() {
                    StatusCode::OK | StatusCode::PARTIAL_CONTENT | StatusCode::NOT_MODIFIED => {
                        return Ok(response);
                    }
                    StatusCode::RANGE_NOT_SATISFIABLE => {
                        let announced =
                            self.version.size.map_or_else(|| "more".to_owned(), |size| size.to_string());
                        let range = header(response.headers(), &CONTENT_RANGE);
                        let has = range.and_then(|range| range.rsplit('/').next()).unwrap_or("fewer");
                        return Err(
                            self.failed(format!("the server announced {announced} bytes and has {has}"))
                        );
                    }
                    status @ (StatusCode::REQUEST_TIMEOUT | StatusCode::TOO_MANY_REQUESTS) => {
                        format!("the server answered {status}").into()
                    }
                    status if status.is_server_error() => format!("the server answered {status}").into(),
                    status => return Err(self.failed(format!("the server answered {status}"))),
                },
                Ok(Err(error)) if error.is_builder() => {
                    return Err(Failure::usage(format!("`{}` is not a valid URL", self.url))
                        .source(error.without_url())
                        .hint("use https://host/file"));
                }
                Ok(Err(error)) if error.is_redirect() => {
                    return Err(self.failed(error.without_url()).hint(
                        "the store is unchanged; if the other address can be trusted, set it as the URL, or add --allow-redirects (ALLOW_REDIRECTS=true)",
                    ));
                }
                Ok(Err(error)) => error.into(),
                Err(_) => "the server does not answer".into(),
            };
            self.back_off(loss).await?;
        }
    }

    /// Counts a connection loss and waits, or fails if there were too many.
    async fn back_off(&mut self, why: Loss) -> Result<()> {
        self.response = None;
        self.losses += 1;
        self.total_losses += 1;
        let failure = self.failed(why);
        if self.losses > self.retry.max_losses || self.total_losses > self.retry.max_total_losses {
            return Err(failure.hint("the store is unchanged; try again later"));
        }
        tracing::warn!(bytes = self.position, attempt = self.losses, "{failure}; retrying");
        let backoff = self.retry.initial_backoff.saturating_mul(1 << (self.losses - 1).min(16));
        tokio::time::sleep(common::backoff::jittered(backoff.min(self.retry.max_backoff))).await;
        Ok(())
    }

    fn check_size(&self, size: u64) -> Result<()> {
        if size <= self.max_size {
            return Ok(());
        }
        let (limit, url) = (text::size(self.max_size), self.url);
        Err(Failure::new(format!("`{url}` is larger than {limit}"))
            .hint("check the URL, or raise --max-download-gb (MAX_DOWNLOAD_GB); the store is unchanged"))
    }

    fn failed(&self, why: impl Into<Loss>) -> Failure {
        Failure::new(format!("cannot download `{}`", self.url))
            .source(why)
            .hint("the store is unchanged; open the URL in a browser")
    }
}

/// Returns whether `bytes 100-199/200` is the rest of a file from `position` on, of the announced size.
fn continues(range: &str, position: u64, size: Option<u64>) -> bool {
    let Some((bounds, total)) = range.strip_prefix("bytes ").and_then(|range| range.split_once('/')) else {
        return false;
    };
    let starts = bounds.split_once('-').and_then(|(start, _)| start.parse().ok()) == Some(position);
    let fits = size.is_none_or(|size| total == "*" || total.parse() == Ok(size));
    starts && fits
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn content_range_continues_only_same_file() {
        assert!(continues("bytes 100-199/200", 100, Some(200)));
        assert!(continues("bytes 100-199/*", 100, Some(200)));
        assert!(continues("bytes 100-199/200", 100, None));
        for wrong in ["bytes 0-199/200", "bytes 100-198/199", "items 100-199/200", "bytes */200", ""] {
            assert!(!continues(wrong, 100, Some(200)), "{wrong}");
        }
    }

    #[test]
    fn weak_tag_is_no_validator() {
        let version = |etag: Option<&str>, last_modified: Option<&str>| Version {
            etag: etag.map(str::to_owned),
            last_modified: last_modified.map(str::to_owned),
            size: None,
        };
        assert_eq!(version(Some("\"a\""), Some("Mon")).validator(), Some("\"a\""));
        assert_eq!(version(Some("W/\"a\""), Some("Mon")).validator(), Some("Mon"));
        assert_eq!(version(Some("W/\"a\""), None).validator(), None);
        assert!(!version(None, None).is_same_as(&version(None, None)));
    }
}
