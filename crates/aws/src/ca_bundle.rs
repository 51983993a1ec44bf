//! The certificate authorities of RDS: named by the user, or fetched once and kept in the cache.
//!
//! They are public and come over a connection that is checked against the machine's own authorities.

use std::path::PathBuf;
use std::time::Duration;

use common::failure::{Context as _, Failure, Result};
use etcetera::BaseStrategy as _;

use target::WithOrigin;

/// Where AWS publishes them for all regions.
const SOURCE: &str = "https://truststore.pki.rds.amazonaws.com/global/global-bundle.pem";

const PATIENCE: Duration = Duration::from_secs(20);

/// The file that holds them.
pub(super) async fn provide(named: Option<&WithOrigin<PathBuf>>) -> Result<PathBuf> {
    if let Some(named) = named {
        let path = &named.value;
        return match std::fs::read_to_string(path) {
            Ok(text) if is_bundle(&text) => Ok(path.clone()),
            Ok(_) => Err(Failure::usage(format!("`{}` holds no certificate", path.display()))
                .hint("--ssl-root-cert wants the authorities in PEM")),
            Err(error) => Err(Failure::usage(format!("cannot read `{}`", path.display())).source(error)),
        };
    }
    let folder = etcetera::choose_base_strategy().context(|| "cannot find the cache folder".to_owned())?;
    let folder = folder.cache_dir().join("covidctl");
    let path = folder.join("rds-global-bundle.pem");
    if std::fs::read_to_string(&path).is_ok_and(|text| is_bundle(&text)) {
        return Ok(path);
    }
    let what = || format!("cannot fetch the certificate authorities of RDS from `{SOURCE}`");
    let fetched = fetch().await.context(what).and_then(|text| {
        if is_bundle(&text) {
            Ok(text)
        } else {
            Err(Failure::new(what()).source("what came is no certificate"))
        }
    });
    let text = fetched
        .map_err(|failure| failure.hint("download it by hand and name it with --ssl-root-cert FILE"))?;
    let keep = || format!("cannot keep the certificate authorities in `{}`", path.display());
    std::fs::create_dir_all(&folder).context(keep)?;
    // Whole or not at all, also where two of us fetch it.
    common::atomic_file::write(&path, text.as_bytes()).context(keep)?;
    Ok(path)
}

async fn fetch() -> reqwest::Result<String> {
    let client = reqwest::Client::builder().timeout(PATIENCE).https_only(true).build()?;
    client.get(SOURCE).send().await?.error_for_status()?.text().await
}

fn is_bundle(text: &str) -> bool {
    text.contains("-----BEGIN CERTIFICATE-----")
}

#[cfg(test)]
mod tests {
    use super::*;
    use target::Origin;

    #[tokio::test]
    async fn a_file_that_the_user_names_is_used_or_refused() {
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
