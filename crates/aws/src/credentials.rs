//! Cached credentials for the object store.

use std::sync::Arc;
use std::time::{Duration, SystemTime};

use async_trait::async_trait;
use aws_credential_types::provider::{ProvideCredentials as _, SharedCredentialsProvider};
use object_store::aws::AwsCredential;
use object_store::{CredentialProvider, Error};
use tokio::sync::Mutex;

/// How long before their expiry credentials are renewed.
const RENEWAL_MARGIN: Duration = Duration::from_mins(5);

/// Caches credentials for the object store, which needs them for every request; the provider would log in, or assume a role, each time.
#[derive(Debug)]
pub(super) struct CachedCredentials {
    provider: SharedCredentialsProvider,
    /// With the time of their expiry.
    cached: Mutex<Option<(Arc<AwsCredential>, Option<SystemTime>)>>,
}

impl CachedCredentials {
    pub(super) fn new(provider: SharedCredentialsProvider) -> Self {
        Self { provider, cached: Mutex::default() }
    }
}

#[async_trait]
impl CredentialProvider for CachedCredentials {
    type Credential = AwsCredential;

    async fn get_credential(&self) -> object_store::Result<Arc<AwsCredential>> {
        let mut cached = self.cached.lock().await;
        let soon = SystemTime::now() + RENEWAL_MARGIN;
        if let Some((credential, expiry)) = cached.as_ref()
            && expiry.is_none_or(|expiry| expiry > soon)
        {
            return Ok(Arc::clone(credential));
        }
        let credentials = self.provider.provide_credentials().await;
        let credentials =
            credentials.map_err(|error| Error::Generic { store: "S3", source: Box::new(error) })?;
        let credential = Arc::new(AwsCredential {
            key_id: credentials.access_key_id().to_owned(),
            secret_key: credentials.secret_access_key().to_owned(),
            token: credentials.session_token().map(str::to_owned),
        });
        *cached = Some((Arc::clone(&credential), credentials.expiry()));
        Ok(credential)
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicU64, Ordering};

    use aws_credential_types::Credentials;
    use aws_credential_types::provider::{ProvideCredentials, future};

    use super::*;

    /// Counts its calls; returns credentials with this lifetime.
    #[derive(Debug)]
    struct Counting(Arc<AtomicU64>, Duration);

    impl ProvideCredentials for Counting {
        fn provide_credentials<'a>(&'a self) -> future::ProvideCredentials<'a>
        where
            Self: 'a,
        {
            self.0.fetch_add(1, Ordering::Relaxed);
            let expiry = SystemTime::now() + self.1;
            future::ProvideCredentials::ready(Ok(Credentials::new("id", "key", None, Some(expiry), "test")))
        }
    }

    #[tokio::test]
    async fn credentials_are_cached_and_renewed_before_expiry() {
        for (good_for, asked) in [(Duration::from_hours(1), 1), (RENEWAL_MARGIN / 2, 3)] {
            let count = Arc::new(AtomicU64::new(0));
            let provider = SharedCredentialsProvider::new(Counting(Arc::clone(&count), good_for));
            let chain = CachedCredentials::new(provider);
            for _ in 0..3 {
                chain.get_credential().await.unwrap();
            }
            assert_eq!(count.load(Ordering::Relaxed), asked, "good for {good_for:?}");
        }
    }
}
