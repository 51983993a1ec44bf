//! The CA bundle of RDS: a file of the user, or downloaded once to the cache directory.

use std::path::PathBuf;
use std::time::Duration;

use common::failure::{Context as _, Failure, Result};
use etcetera::BaseStrategy as _;

use crate::https_text;
use target::WithOrigin;

/// The bundle of all regions.
const BUNDLE_URL: &str = "https://truststore.pki.rds.amazonaws.com/global/global-bundle.pem";

const DOWNLOAD_TIMEOUT: Duration = Duration::from_secs(20);

/// Returns the file of the bundle.
pub(super) async fn provide(named: Option<&WithOrigin<PathBuf>>) -> Result<PathBuf> {
    if let Some(named) = named {
        let path = &named.value;
        return match std::fs::read_to_string(path) {
            Ok(text) if is_bundle(&text) => Ok(path.clone()),
            Ok(_) => Err(Failure::usage(format!("`{}` contains no certificate", path.display()))
                .hint("--ssl-root-cert needs a CA bundle in PEM format")),
            Err(error) => Err(Failure::usage(format!("cannot read `{}`", path.display())).source(error)),
        };
    }
    let folder = etcetera::choose_base_strategy().context(|| "cannot find the cache directory".to_owned())?;
    let folder = folder.cache_dir().join("covidctl");
    let path = folder.join("rds-global-bundle.pem");
    if std::fs::read_to_string(&path).is_ok_and(|text| is_bundle(&text)) {
        return Ok(path);
    }
    let what = || format!("cannot download the CA bundle of RDS from `{BUNDLE_URL}`");
    let fetched = match https_text(BUNDLE_URL, DOWNLOAD_TIMEOUT).await.context(what) {
        Ok(text) if !is_bundle(&text) => {
            Err(Failure::new(what()).source("the response contains no certificate"))
        }
        fetched => fetched,
    };
    let text =
        fetched.map_err(|failure| failure.hint("download it and pass it with --ssl-root-cert FILE"))?;
    let keep = || format!("cannot store the CA bundle in `{}`", path.display());
    std::fs::create_dir_all(&folder).context(keep)?;
    common::atomic_file::write(&path, text.as_bytes()).context(keep)?;
    Ok(path)
}

fn is_bundle(text: &str) -> bool {
    text.contains("-----BEGIN CERTIFICATE-----")
}

#[cfg(test)]
mod tests {
    use super::*;
    use target::Origin;

    #[tokio::test]
    async fn named_bundle_is_used_or_refused() {
        let folder = tempfile::tempdir().unwrap();
        let named = |name: &str| WithOrigin { value: folder.path().join(name), origin: Origin::Flag };
        std::fs::write(folder.path().join("good"), "-----BEGIN CERTIFICATE-----\n").unwrap();
        std::fs::write(folder.path().join("bad"), "<html>").unwrap();
        assert_eq!(provide(Some(&named("good"))).await.unwrap(), folder.path().join("good"));
        for wrong in ["bad", "missing"] {
            assert_eq!(provide(Some(&named(wrong))).await.unwrap_err().exit().code(), 2);
        }
    }
}
