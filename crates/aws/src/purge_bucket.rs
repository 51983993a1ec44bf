//! Deletes every object version and delete marker of an S3 bucket.
//!
//! `object_store` has no versions, so these two requests are signed by its signer and parsed as XML; the S3 client of the SDK would cost
//! every build more.

use std::time::Duration;

use common::failure::{Context as _, Exit, Failure, Result};
use futures_util::{StreamExt as _, TryStreamExt as _, stream};
use object_store::CredentialProvider as _;
use object_store::aws::AwsAuthorizer;
use object_store::client::{HttpRequest, HttpRequestBody};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use reqwest::{Method, StatusCode, Url};
use serde::Deserialize;

use super::clients::Clients;

/// What a signed key may hold unescaped beside letters and digits.
const UNESCAPED: &AsciiSet =
    &NON_ALPHANUMERIC.remove(b'-').remove(b'_').remove(b'.').remove(b'~').remove(b'/');

const CONCURRENCY: usize = 16;

const MAX_ATTEMPTS: u32 = 4;

const REQUEST_TIMEOUT: Duration = Duration::from_secs(30);

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Page {
    #[serde(rename = "Version")]
    versions: Vec<Version>,
    #[serde(rename = "DeleteMarker")]
    markers: Vec<Version>,
}

/// An object version or a delete marker.
#[derive(Debug, Deserialize, PartialEq, Eq)]
#[serde(rename_all = "PascalCase")]
struct Version {
    key: String,
    version_id: String,
}

/// Purges a bucket, which need not exist.
pub(super) async fn purge(clients: &Clients, bucket: &str) -> Result<()> {
    let bucket = Bucket::open(clients, bucket)?;
    // The listed versions are deleted before the next request, so the next page is always the first.
    loop {
        let Some(page) = bucket.list().await? else { return Ok(()) };
        let versions: Vec<Version> = page.versions.into_iter().chain(page.markers).collect();
        if versions.is_empty() {
            return Ok(());
        }
        let deletions = stream::iter(versions.iter().map(|version| bucket.delete(version)));
        deletions.buffer_unordered(CONCURRENCY).try_collect::<()>().await?;
    }
}

struct Bucket<'a> {
    clients: &'a Clients,
    name: &'a str,
    url: Url,
    http: reqwest::Client,
}

impl<'a> Bucket<'a> {
    fn open(clients: &'a Clients, name: &'a str) -> Result<Self> {
        let what = || format!("cannot purge the bucket `{name}`");
        let endpoint = match clients.endpoint() {
            Some(endpoint) => endpoint.trim_end_matches('/').to_owned(),
            None => format!("https://s3.{}.amazonaws.com", clients.region),
        };
        let url = Url::parse(&format!("{endpoint}/{name}")).context(what)?;
        let http = reqwest::Client::builder().timeout(REQUEST_TIMEOUT).build().context(what)?;
        Ok(Self { clients, name, url, http })
    }

    fn what(&self) -> String {
        format!("cannot purge the bucket `{}`", self.name)
    }

    /// Returns the first page of versions, or `None` if the bucket does not exist.
    async fn list(&self) -> Result<Option<Page>> {
        let mut url = self.url.clone();
        url.set_query(Some("versions="));
        let text = self.send(Method::GET, &url, "s3:ListBucketVersions").await?;
        let page = text.map(|text| quick_xml::de::from_str(&text)).transpose();
        page.context(|| format!("cannot read what is in the bucket `{}`", self.name))
    }

    async fn delete(&self, version: &Version) -> Result<()> {
        let mut url = self.url.clone();
        url.set_path(&format!("{}/{}", self.url.path(), percent_encode(&version.key)));
        url.query_pairs_mut().append_pair("versionId", &version.version_id);
        self.send(Method::DELETE, &url, "s3:DeleteObjectVersion").await.map(drop)
    }

    /// Signs and sends a request; retries if S3 is busy or the connection is lost. Returns the content, or `None` if nothing is there.
    async fn send(&self, method: Method, url: &Url, action: &str) -> Result<Option<String>> {
        let mut attempt = 1;
        let answer = loop {
            let answer = self.http.execute(self.signed(&method, url).await?).await;
            let is_busy = answer.as_ref().map_or(true, |answer| answer.status().is_server_error());
            if !is_busy || attempt == MAX_ATTEMPTS {
                break answer.context(|| self.what())?;
            }
            tokio::time::sleep(Duration::from_millis(100) * 2_u32.pow(attempt)).await;
            attempt += 1;
        };
        let status = answer.status();
        let text = answer.text().await.context(|| self.what())?;
        match status {
            StatusCode::FORBIDDEN => Err(Failure::new(self.what())
                .source(format!("`{action}` is not allowed: {}", error_message(&text)))
                .hint(format!(
                    "ask for the right to `{action}`; docs/reference/iam-administrator.json lists all that are used"
                ))
                .exit_code(Exit::Credentials)),
            StatusCode::NOT_FOUND => Ok(None),
            status if status.is_success() => Ok(Some(text)),
            status => Err(Failure::new(self.what()).source(format!("S3 answers {status}: {}", error_message(&text)))),
        }
    }

    async fn signed(&self, method: &Method, url: &Url) -> Result<reqwest::Request> {
        let what = || self.what();
        let credential = self.clients.store_credentials.get_credential().await.context(what)?;
        let mut request = HttpRequest::new(HttpRequestBody::empty());
        *request.method_mut() = method.clone();
        *request.uri_mut() = url.as_str().parse().context(what)?;
        AwsAuthorizer::new(&credential, "s3", &self.clients.region)
            .try_authorize(&mut request, None)
            .context(what)?;
        let mut signed = reqwest::Request::new(method.clone(), url.clone());
        *signed.headers_mut() = request.headers().clone();
        Ok(signed)
    }
}

fn percent_encode(key: &str) -> String {
    utf8_percent_encode(key, UNESCAPED).to_string()
}

/// Returns the message of an error document.
fn error_message(xml: &str) -> &str {
    let message = xml.split_once("<Message>").and_then(|(_, after)| after.split_once("</Message>"));
    message.map_or("it says no more", |(message, _)| message)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn page_has_versions_and_delete_markers() {
        let page: Page = quick_xml::de::from_str(
            r#"<?xml version="1.0"?><ListVersionsResult xmlns="http://s3.amazonaws.com/doc/2006-03-01/"><Name>b</Name>
            <Version><Key>a b/&amp;.csv</Key><VersionId>1</VersionId><IsLatest>false</IsLatest></Version>
            <DeleteMarker><Key>a</Key><VersionId>2</VersionId></DeleteMarker>
            <Version><Key>c</Key><VersionId>null</VersionId></Version></ListVersionsResult>"#,
        )
        .unwrap();
        let keys: Vec<_> = page.versions.iter().map(|version| version.key.as_str()).collect();
        assert_eq!(keys, ["a b/&.csv", "c"]);
        assert_eq!(page.markers, [Version { key: "a".to_owned(), version_id: "2".to_owned() }]);
        let none: Page = quick_xml::de::from_str("<ListVersionsResult></ListVersionsResult>").unwrap();
        assert!(none.versions.is_empty() && none.markers.is_empty());
        assert_eq!(percent_encode("a b/ñ+1.csv"), "a%20b/%C3%B1%2B1.csv");
        assert_eq!(error_message("<Error><Code>X</Code><Message>no</Message></Error>"), "no");
    }
}
