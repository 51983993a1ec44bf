//! EC2 Instance Connect: an ephemeral key, which is never written to disk, and the bastion that it was last authorized on.

use std::sync::Arc;
use std::time::{Duration, Instant};

use common::failure::{Context as _, Result};
use russh::keys::{Algorithm, PrivateKey};
use tokio::sync::Mutex;

use crate::bastion::{Bastion, Discovery};

/// The bastion accepts an authorized key for 60 s; the rest is for the handshake.
const AUTHORIZATION_REUSE: Duration = Duration::from_secs(40);

pub(crate) struct InstanceConnect {
    key: Arc<PrivateKey>,
    authorized: Mutex<Option<(String, Instant)>>,
}

impl InstanceConnect {
    pub(crate) fn new() -> Result<Self> {
        let key = PrivateKey::random(&mut rand::rng(), Algorithm::Ed25519);
        let key = key.context(|| "cannot generate an SSH key".to_owned())?;
        Ok(Self { key: Arc::new(key), authorized: Mutex::default() })
    }

    /// Authorizes the key, if the provider can, and returns it. Sessions that are opened at the same time share one authorization.
    pub(crate) async fn authorized_key(
        &self,
        bastion: &Bastion,
        discovery: &dyn Discovery,
    ) -> Result<Option<Arc<PrivateKey>>> {
        let mut authorized = self.authorized.lock().await;
        let identity = bastion.identity();
        let is_fresh = authorized
            .as_ref()
            .is_some_and(|(bastion, since)| *bastion == identity && since.elapsed() < AUTHORIZATION_REUSE);
        if !is_fresh {
            let public = self.key.public_key().to_openssh();
            let public = public.context(|| "cannot encode an SSH key".to_owned())?;
            if !discovery.send_public_key(bastion, &public).await? {
                return Ok(None);
            }
            *authorized = Some((identity, Instant::now()));
        }
        Ok(Some(Arc::clone(&self.key)))
    }

    /// Makes the next login authorize the key again.
    pub(crate) async fn forget_authorization(&self) {
        *self.authorized.lock().await = None;
    }
}
