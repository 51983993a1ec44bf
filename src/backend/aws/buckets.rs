//! Buckets of S3 as stores, with the same credentials, region and endpoint as every other service.

use std::sync::Arc;

use async_trait::async_trait;
use aws_credential_types::provider::{ProvideCredentials as _, SharedCredentialsProvider};
use etl::failure::{Exit, Failure, OrFail as _, Result};
use etl::store::Store;
use object_store::aws::{AmazonS3Builder, AwsCredential};
use object_store::{CredentialProvider, Error};

use super::clients::Clients;

/// Hands the chain's credentials to the object store. The chain renews them before they expire.
#[derive(Debug)]
pub(super) struct Chain(SharedCredentialsProvider);

impl Chain {
    /// For a bucket.
    pub(super) fn of(clients: &Clients, bucket: &str) -> Result<Self> {
        clients.config().credentials_provider().map(Self).ok_or_else(|| {
            Failure::new(format!("cannot open `s3://{bucket}`"))
                .because("there are no credentials for AWS")
                .exiting(Exit::Credentials)
        })
    }
}

#[async_trait]
impl CredentialProvider for Chain {
    type Credential = AwsCredential;

    async fn get_credential(&self) -> object_store::Result<Arc<AwsCredential>> {
        let credentials = self.0.provide_credentials().await;
        let credentials =
            credentials.map_err(|error| Error::Generic { store: "S3", source: Box::new(error) })?;
        Ok(Arc::new(AwsCredential {
            key_id: credentials.access_key_id().to_owned(),
            secret_key: credentials.secret_access_key().to_owned(),
            token: credentials.session_token().map(str::to_owned),
        }))
    }
}

/// Opens a bucket; whether it exists is seen at the first request.
pub(super) fn open(clients: &Clients, bucket: &str) -> Result<Store> {
    let url = format!("s3://{bucket}");
    let mut builder = AmazonS3Builder::new()
        .with_region(clients.region())
        .with_bucket_name(bucket)
        .with_credentials(Arc::new(Chain::of(clients, bucket)?))
        .with_retry(etl::store::patience());
    if let Some(endpoint) = clients.endpoint() {
        builder = builder.with_allow_http(endpoint.starts_with("http://")).with_endpoint(endpoint);
    }
    let objects = builder.build().or_fail(|| format!("cannot open `{url}`"))?;
    Ok(Store::over(&url, Arc::new(objects)))
}
