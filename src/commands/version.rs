//! `covidctl version`: what this program is, and with `--check` whether a later release exists.

use std::fmt;
use std::time::Duration;

use common::failure::{Context as _, Failure, Result};
use reqwest::header::LOCATION;
use reqwest::redirect::Policy;
use semver::Version;
use serde::Serialize;

use crate::build_info::{COMMIT, DATE, REPOSITORY, VERSION};
use crate::cli::VersionArgs;
use crate::printer::Printer;

const REQUEST_TIMEOUT: Duration = Duration::from_secs(10);

#[derive(Debug, Serialize)]
struct Program {
    version: &'static str,
    commit: Option<&'static str>,
    date: Option<&'static str>,
    /// Whether the target on AWS is part of the program.
    aws: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    latest: Option<LatestRelease>,
}

#[derive(Debug, Serialize)]
struct LatestRelease {
    version: String,
    url: String,
    /// Whether it is later than this program.
    newer: bool,
}

impl fmt::Display for Program {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "covidctl {VERSION}")?;
        match &self.latest {
            None => Ok(()),
            Some(LatestRelease { version, url, newer: true }) => {
                write!(f, "\n{version} is available: {url}")
            }
            Some(LatestRelease { version, .. }) if version == self.version => {
                write!(f, "\nthis is the latest release")
            }
            Some(LatestRelease { version, .. }) => {
                write!(f, "\nthe latest release is {version}, which is older")
            }
        }
    }
}

pub(super) async fn run(args: &VersionArgs, printer: &Printer) -> Result<()> {
    let version = env!("CARGO_PKG_VERSION");
    let latest = if args.check { Some(latest(args.repository.as_deref(), version).await?) } else { None };
    printer.show(&Program { version, commit: COMMIT, date: DATE, aws: cfg!(feature = "aws"), latest })
}

/// Returns the latest release: the page `releases/latest` of the repository redirects to it.
async fn latest(repository: Option<&str>, version: &str) -> Result<LatestRelease> {
    let repository = repository.or(REPOSITORY).ok_or_else(|| {
        Failure::usage("this build does not know the repository that releases it")
            .hint("covidctl version --check --repository https://github.com/OWNER/NAME")
    })?;
    let page = format!("{}/releases/latest", repository.trim_end_matches('/'));
    let what = || format!("cannot ask `{page}` for the latest release");
    let client = reqwest::Client::builder().timeout(REQUEST_TIMEOUT).redirect(Policy::none()).build();
    let response = client.context(what)?.get(&page).send().await.context(what)?;
    let url = response.headers().get(LOCATION).and_then(|url| url.to_str().ok()).unwrap_or_default();
    let Some((tag, latest)) = released(url) else {
        let answer = Failure::new(match response.status() {
            status if status.is_redirection() => format!("`{repository}` has no release yet"),
            status => format!("`{page}` answers {status}"),
        });
        return Err(answer.hint("set --repository to the repository with the releases; it must be public"));
    };
    let this = Version::parse(version).context(|| format!("`{version}` is no version"))?;
    Ok(LatestRelease { newer: latest > this, version: latest.to_string(), url: complete(&page, url, tag) })
}

/// Returns the tag and the version of the page of a release, such as `…/releases/tag/v0.2.0`.
fn released(url: &str) -> Option<(&str, Version)> {
    let (_, tag) = url.split_once("/releases/tag/")?;
    let version = Version::parse(tag.strip_prefix('v')?).ok()?;
    Some((tag, version))
}

/// Returns the URL with its host, which a redirect may leave out.
fn complete(page: &str, url: &str, tag: &str) -> String {
    if url.starts_with('/') {
        format!("{}/tag/{tag}", page.trim_end_matches("/latest"))
    } else {
        url.to_owned()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn release_is_read_from_url_of_its_page() {
        let url = "https://git.example/o/n/releases/tag/v1.10.0";
        assert_eq!(released(url), Some(("v1.10.0", Version::new(1, 10, 0))));
        assert!(Version::new(1, 10, 0) > Version::new(1, 9, 9));
        for other in ["https://git.example/o/n/releases", "https://git.example/o/n/releases/tag/nightly", ""]
        {
            assert_eq!(released(other), None, "{other}");
        }
    }

    #[test]
    fn redirect_without_host_is_completed() {
        let page = "https://git.example/o/n/releases/latest";
        let wanted = "https://git.example/o/n/releases/tag/v1.0.0";
        assert_eq!(complete(page, "/o/n/releases/tag/v1.0.0", "v1.0.0"), wanted);
        assert_eq!(complete(page, wanted, "v1.0.0"), wanted);
    }
}
