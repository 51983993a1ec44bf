//! Storage: S3 buckets as object stores, with the credentials, region and endpoint of the other clients.

use std::sync::Arc;

use async_trait::async_trait;
use common::failure::{Context as _, Failure, Result};
use etl::store::Store;
use object_store::aws::AmazonS3Builder;
use object_store::prefix::PrefixStore;

use super::Aws;
use super::account::Account;
use target::Storage;

#[async_trait]
impl Storage for Aws {
    async fn datasets(&self) -> Result<Store> {
        let account = self.account().await?;
        let url = account.description.storage.datasets.as_ref().ok_or_else(|| {
            Failure::usage("the target has no datasets")
                .hint("set `datasets` in [targets.NAME.storage] of the configuration file")
        })?;
        bucket(account, url)
    }

    /// Opens the store of reports and run records: a folder of this machine if the target has none.
    async fn reports(&self) -> Result<Store> {
        let account = self.account().await?;
        if let Some(url) = &account.description.storage.reports {
            return bucket(account, url);
        }
        let folder = self.settings.records.join(&self.settings.target).display().to_string();
        Store::open_or_create(&format!("file://{}", folder.replace('%', "%25")))
    }
}

/// Opens a bucket, or a folder in it. Its existence is not checked.
fn bucket(account: &Account, url: &str) -> Result<Store> {
    let Account { clients, .. } = account;
    let path = url.strip_prefix("s3://").map(|path| path.trim_end_matches('/'));
    let (bucket, folder) = path.map(|path| path.split_once('/').unwrap_or((path, ""))).ok_or_else(|| {
        Failure::usage(format!("`{url}` is not a URL of S3")).hint("it is written as s3://bucket/folder")
    })?;
    let mut builder = AmazonS3Builder::new()
        .with_region(&clients.region)
        .with_bucket_name(bucket)
        .with_credentials(Arc::clone(&clients.store_credentials) as _)
        .with_retry(etl::store::retry_config());
    if let Some(endpoint) = clients.endpoint() {
        builder = builder.with_allow_http(endpoint.starts_with("http://")).with_endpoint(endpoint);
    }
    let objects = builder.build().context(|| format!("cannot open `{url}`"))?;
    Ok(match folder {
        "" => Store::over(url, Arc::new(objects)),
        folder => Store::over(url, Arc::new(PrefixStore::new(objects, folder))),
    })
}
