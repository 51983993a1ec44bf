//! Storage: S3 buckets as object stores, with the credentials, region and endpoint of the other clients.

use std::sync::Arc;

use async_trait::async_trait;
use common::failure::{Context as _, Result};
use etl::store::Store;
use object_store::aws::AmazonS3Builder;

use super::names::Name;
use super::{Account, Aws};
use target::Storage;

#[async_trait]
impl Storage for Aws {
    async fn datasets(&self) -> Result<Store> {
        self.bucket(Name::DatasetsBucket).await
    }

    async fn reports(&self) -> Result<Store> {
        self.bucket(Name::ReportsBucket).await
    }
}

impl Aws {
    /// Opens a bucket. Its existence is not checked.
    async fn bucket(&self, name: Name) -> Result<Store> {
        let Account { clients, names, .. } = self.account().await?;
        let bucket = names.need(name)?;
        let url = format!("s3://{bucket}");
        let mut builder = AmazonS3Builder::new()
            .with_region(&clients.region)
            .with_bucket_name(bucket)
            .with_credentials(Arc::clone(&clients.store_credentials) as _)
            .with_retry(etl::store::retry_config());
        if let Some(endpoint) = clients.endpoint() {
            builder = builder.with_allow_http(endpoint.starts_with("http://")).with_endpoint(endpoint);
        }
        let objects = builder.build().context(|| format!("cannot open `{url}`"))?;
        Ok(Store::over(&url, Arc::new(objects)))
    }
}
