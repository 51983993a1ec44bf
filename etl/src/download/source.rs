//! A file on an HTTP server: read from its beginning to its end, over as many connections as it takes.
//!
//! A connection that broke is followed by another one that asks for the rest, but only of the very same version: the server's own mark
//! (`ETag`, else `Last-Modified`) goes with the question, and without a mark the file is read again from its beginning. So the bytes of
//! two versions never come out as one file. It does not judge what the bytes mean.

use std::time::Duration;

use bytes::{Buf as _, Bytes};
use reqwest::header::{
    CONTENT_RANGE, ETAG, HeaderMap, HeaderName, IF_MODIFIED_SINCE, IF_NONE_MATCH, IF_RANGE, LAST_MODIFIED,
    RANGE,
};
use reqwest::{Client, Response, StatusCode};
use serde::{Deserialize, Serialize};

use common::failure::{Context as _, Failure, Result};

/// So much more of the file than ever before, and the count of breaks begins anew.
const PROGRESS: u64 = 1 << 20;

/// What is put up with.
#[derive(Debug, Clone)]
pub struct Patience {
    /// Connections that break or are refused, one after the other, without a megabyte of progress.
    pub breaks: u32,
    /// How long nothing may come.
    pub silence: Duration,
    /// The pause after the first break; each one after it is twice as long.
    pub first_pause: Duration,
    /// The longest pause.
    pub longest_pause: Duration,
}

impl Default for Patience {
    fn default() -> Self {
        Self {
            breaks: 8,
            silence: Duration::from_mins(1),
            first_pause: Duration::from_millis(500),
            longest_pause: Duration::from_secs(30),
        }
    }
}

/// What a server says of a version of a file.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Version {
    /// `ETag`.
    pub etag: Option<String>,
    /// `Last-Modified`, as the server wrote it.
    pub last_modified: Option<String>,
    /// Bytes, where it was announced.
    pub size: Option<u64>,
}

impl Version {
    fn of(response: &Response) -> Self {
        let text = |name| header(response.headers(), &name).map(str::to_owned);
        Self { etag: text(ETAG), last_modified: text(LAST_MODIFIED), size: response.content_length() }
    }

    /// What a server accepts for `If-Range`: a weak tag only says that two versions look alike.
    fn mark(&self) -> Option<&str> {
        self.etag.as_deref().filter(|etag| !etag.starts_with("W/")).or(self.last_modified.as_deref())
    }

    fn is_the_same_as(&self, other: &Self) -> bool {
        self.mark().is_some() && self == other
    }
}

fn header<'a>(headers: &'a HeaderMap, name: &HeaderName) -> Option<&'a str> {
    headers.get(name).and_then(|value| value.to_str().ok())
}

/// The client for all sources. It never asks for a compressed transfer: what is counted are the file's own bytes.
pub(super) fn client() -> Result<Client> {
    Client::builder()
        .user_agent(concat!("covid19-etl/", env!("CARGO_PKG_VERSION")))
        .connect_timeout(Duration::from_secs(20))
        .build()
        .context(|| "cannot set up HTTP".to_owned())
}

/// What comes next.
pub(super) enum Piece {
    /// Some more of the file.
    Bytes(Bytes),
    /// The file begins anew: forget what came so far.
    Restarted,
    /// That was all of it.
    End,
}

/// A file that is being read.
pub(super) struct Source<'a> {
    client: &'a Client,
    url: &'a str,
    patience: &'a Patience,
    version: Version,
    response: Option<Response>,
    position: u64,
    /// What to leave out of the response: the server sends what was there already.
    skip: u64,
    /// How far it ever came when the breaks were last forgiven.
    forgiven_at: u64,
    breaks: u32,
    total_breaks: u32,
}

impl<'a> Source<'a> {
    /// Asks for the file; nothing, if it is still the version that is known.
    pub(super) async fn open(
        client: &'a Client,
        url: &'a str,
        patience: &'a Patience,
        known: Option<Version>,
    ) -> Result<Option<Self>> {
        let mut source = Self::resume(client, url, patience, Version::default(), 0);
        let known = known.unwrap_or_default();
        let mut conditions = HeaderMap::new();
        for (name, value) in [(IF_NONE_MATCH, &known.etag), (IF_MODIFIED_SINCE, &known.last_modified)] {
            if let Some(value) = value.as_ref().and_then(|value| value.parse().ok()) {
                conditions.insert(name, value);
            }
        }
        loop {
            match source.ask(conditions.clone()).await? {
                Some(response) if response.status() == StatusCode::NOT_MODIFIED => return Ok(None),
                Some(response) => {
                    source.version = Version::of(&response);
                    source.response = Some(response);
                    return Ok(Some(source));
                }
                None => {}
            }
        }
    }

    /// A file of which somebody has read the beginning.
    pub(super) fn resume(
        client: &'a Client,
        url: &'a str,
        patience: &'a Patience,
        version: Version,
        position: u64,
    ) -> Self {
        Self {
            client,
            url,
            patience,
            version,
            response: None,
            position,
            skip: 0,
            forgiven_at: position,
            breaks: 0,
            total_breaks: 0,
        }
    }

    /// What the server says of it.
    pub(super) const fn version(&self) -> &Version {
        &self.version
    }

    /// How many bytes have come.
    pub(super) const fn position(&self) -> u64 {
        self.position
    }

    /// How often a connection broke.
    pub(super) const fn total_breaks(&self) -> u32 {
        self.total_breaks
    }

    /// The next piece.
    pub(super) async fn next(&mut self) -> Result<Piece> {
        loop {
            let Some(response) = &mut self.response else {
                if self.reconnect().await? {
                    return Ok(Piece::Restarted);
                }
                continue;
            };
            match tokio::time::timeout(self.patience.silence, response.chunk()).await {
                Ok(Ok(Some(mut bytes))) => {
                    let known = usize::try_from(self.skip).unwrap_or(usize::MAX).min(bytes.len());
                    bytes.advance(known);
                    self.skip -= known as u64;
                    self.position += bytes.len() as u64;
                    if self.position >= self.forgiven_at + PROGRESS {
                        (self.forgiven_at, self.breaks) = (self.position, 0);
                    }
                    if !bytes.is_empty() {
                        return Ok(Piece::Bytes(bytes));
                    }
                }
                Ok(Ok(None)) => match self.version.size {
                    Some(size) if size > self.position => {
                        self.broke(format!("it ended after {} of {size} bytes", self.position)).await?;
                    }
                    _ => return Ok(Piece::End),
                },
                Ok(Err(error)) => self.broke(error).await?,
                Err(_) => {
                    let silence = self.patience.silence.as_secs_f64();
                    self.broke(format!("nothing came for {silence} seconds")).await?;
                }
            }
        }
    }

    /// Asks for the rest; says whether the file begins anew instead.
    async fn reconnect(&mut self) -> Result<bool> {
        let mut wanted = HeaderMap::new();
        if self.position > 0
            && let Some(mark) = self.version.mark()
        {
            wanted.insert(RANGE, from(self.position)?);
            wanted.insert(IF_RANGE, mark.parse().context(|| format!("`{}` has an unusable mark", self.url))?);
        }
        let Some(response) = self.ask(wanted).await? else { return Ok(false) };
        if response.status() == StatusCode::PARTIAL_CONTENT {
            let range = header(response.headers(), &CONTENT_RANGE).unwrap_or_default().to_owned();
            if !continues(&range, self.position, self.version.size) {
                return Err(
                    self.failed(format!("asked for the bytes from {} on, it sent `{range}`", self.position))
                );
            }
            // A server that answers with a range although the file is another one by now.
            let etag = header(response.headers(), &ETAG);
            if etag.is_some() && etag != self.version.etag.as_deref() {
                return Err(self.failed("it sent the rest of another version"));
            }
            self.response = Some(response);
            return Ok(false);
        }
        let version = Version::of(&response);
        self.response = Some(response);
        if self.position > 0 && version.is_the_same_as(&self.version) {
            self.skip = self.position;
            return Ok(false);
        }
        let restarted = self.position > 0;
        (self.version, self.position, self.skip) = (version, 0, 0);
        if restarted {
            tracing::warn!(
                url = self.url,
                "the file changed meanwhile, or has no mark: from its beginning again"
            );
        }
        Ok(restarted)
    }

    /// One request: the response to go on with, or nothing after a break that may pass.
    async fn ask(&mut self, headers: HeaderMap) -> Result<Option<Response>> {
        let request = self.client.get(self.url).headers(headers).send();
        let response = match tokio::time::timeout(self.patience.silence, request).await {
            Ok(Ok(response)) => response,
            Ok(Err(error)) if error.is_builder() => {
                return Err(Failure::usage(format!("`{}` is not a URL that can be downloaded", self.url))
                    .source(error.without_url())
                    .hint("write https://host/file"));
            }
            Ok(Err(error)) => return self.broke(error).await.map(|()| None),
            Err(_) => return self.broke("it does not answer".to_owned()).await.map(|()| None),
        };
        match response.status() {
            StatusCode::OK | StatusCode::PARTIAL_CONTENT | StatusCode::NOT_MODIFIED => Ok(Some(response)),
            StatusCode::RANGE_NOT_SATISFIABLE => {
                let announced = self.version.size.map_or_else(|| "more".to_owned(), |size| size.to_string());
                let has =
                    header(response.headers(), &CONTENT_RANGE).and_then(|range| range.rsplit('/').next());
                Err(self.failed(format!("it announced {announced} bytes and has {}", has.unwrap_or("fewer"))))
            }
            status @ (StatusCode::REQUEST_TIMEOUT | StatusCode::TOO_MANY_REQUESTS) => {
                self.broke(format!("it answered {status}")).await.map(|()| None)
            }
            status if status.is_server_error() => {
                self.broke(format!("it answered {status}")).await.map(|()| None)
            }
            status => Err(self.failed(format!("it answered {status}"))),
        }
    }

    /// Notes a break and pauses, or gives up.
    async fn broke(&mut self, why: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> Result<()> {
        self.response = None;
        self.breaks += 1;
        self.total_breaks += 1;
        let failure = self.failed(why);
        if self.breaks > self.patience.breaks {
            return Err(failure.hint("what is in the store stays; try again later"));
        }
        tracing::warn!(bytes = self.position, attempt = self.breaks, "{failure}; going on");
        let pause = self.patience.first_pause.saturating_mul(1 << (self.breaks - 1).min(16));
        tokio::time::sleep(pause.min(self.patience.longest_pause)).await;
        Ok(())
    }

    fn failed(&self, why: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> Failure {
        Failure::new(format!("cannot download `{}`", self.url))
            .source(why)
            .hint("what is in the store stays; check the address in a browser")
    }
}

fn from(position: u64) -> Result<reqwest::header::HeaderValue> {
    format!("bytes={position}-").parse().context(|| "cannot ask for the rest of a file".to_owned())
}

/// Whether `bytes 100-199/200` is the rest of a file from `position` on, of the size that was announced.
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
    fn only_the_rest_of_the_same_file_continues_it() {
        assert!(continues("bytes 100-199/200", 100, Some(200)));
        assert!(continues("bytes 100-199/*", 100, Some(200)));
        assert!(continues("bytes 100-199/200", 100, None));
        for wrong in ["bytes 0-199/200", "bytes 100-198/199", "items 100-199/200", "bytes */200", ""] {
            assert!(!continues(wrong, 100, Some(200)), "{wrong}");
        }
    }

    #[test]
    fn a_weak_tag_marks_nothing() {
        let version = |etag: Option<&str>, last_modified: Option<&str>| Version {
            etag: etag.map(str::to_owned),
            last_modified: last_modified.map(str::to_owned),
            size: None,
        };
        assert_eq!(version(Some("\"a\""), Some("Mon")).mark(), Some("\"a\""));
        assert_eq!(version(Some("W/\"a\""), Some("Mon")).mark(), Some("Mon"));
        assert_eq!(version(Some("W/\"a\""), None).mark(), None);
        assert!(!version(None, None).is_the_same_as(&version(None, None)));
    }
}
