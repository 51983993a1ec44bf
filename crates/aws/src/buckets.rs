//! S3 buckets as object stores, with the credentials, region and endpoint of the other clients.

use std::sync::Arc;

use common::failure::{Context as _, Result};
use etl::store::Store;
use object_store::aws::AmazonS3Builder;

use super::clients::Clients;

/// Opens a bucket. Its existence is not checked.
pub(super) fn open(clients: &Clients, bucket: &str) -> Result<Store> {
    let url = format!("s3://{bucket}");
    let credentials = clients.store_credentials(bucket)?;
    let mut builder = AmazonS3Builder::new()
        .with_region(clients.region())
        .with_bucket_name(bucket)
        .with_credentials(credentials)
        .with_retry(etl::store::retry_config());
    if let Some(endpoint) = clients.endpoint() {
        builder = builder.with_allow_http(endpoint.starts_with("http://")).with_endpoint(endpoint);
    }
    let objects = builder.build().context(|| format!("cannot open `{url}`"))?;
    Ok(Store::over(&url, Arc::new(objects)))
}
