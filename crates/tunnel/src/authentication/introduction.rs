//! A key of the moment: made in memory, handed to the bastion by somebody who may (EC2 Instance Connect), and forgotten with the
//! tunnel. It never touches the disk.

use std::sync::Arc;
use std::time::{Duration, Instant};

use common::failure::{Context as _, Result};
use russh::client::{AuthResult, Handle};
use russh::keys::{Algorithm, PrivateKey, PrivateKeyWithHashAlg};
use tokio::sync::Mutex;

use super::{Tried, refusal};
use crate::bastion::{Bastion, Discovery};
use crate::session::Guard;

/// The bastion lets a key in for a minute; a handshake takes its time, too.
const FRESH: Duration = Duration::from_secs(40);

/// How it is called in what was tried.
const NAME: &str = "a key by EC2 Instance Connect";

/// A key, and to whom it was introduced last.
pub(super) struct Introduction {
    key: Arc<PrivateKey>,
    last: Mutex<Option<(String, Instant)>>,
}

impl Introduction {
    pub(super) fn new() -> Result<Self> {
        let key = PrivateKey::random(&mut rand::rng(), Algorithm::Ed25519);
        Ok(Self { key: Arc::new(key.context(|| "cannot make a key".to_owned())?), last: Mutex::default() })
    }

    /// Is introduced, where there is somebody to do it, and logs in.
    pub(super) async fn log_in(
        &self,
        handle: &mut Handle<Guard>,
        bastion: &Bastion,
        discovery: &dyn Discovery,
        tried: &mut Tried,
    ) -> bool {
        match self.introduced(bastion, discovery).await {
            Ok(true) => {}
            Ok(false) => return false,
            Err(failure) => {
                tried.note(NAME, failure);
                return false;
            }
        }
        let key = PrivateKeyWithHashAlg::new(Arc::clone(&self.key), None);
        match handle.authenticate_publickey(&bastion.user, key).await {
            Ok(AuthResult::Success) => return true,
            Ok(refused) => tried.note(NAME, refusal(&refused)),
            Err(error) => tried.note(NAME, error),
        }
        // Whatever went wrong, the next attempt begins from the beginning.
        *self.last.lock().await = None;
        false
    }

    /// Several sessions begin at once; one introduction is enough for all of them.
    async fn introduced(&self, bastion: &Bastion, discovery: &dyn Discovery) -> Result<bool> {
        let mut last = self.last.lock().await;
        let identity = bastion.identity();
        if last.as_ref().is_some_and(|(to, when)| *to == identity && when.elapsed() < FRESH) {
            return Ok(true);
        }
        let public = self.key.public_key().to_openssh().context(|| "cannot write down a key".to_owned())?;
        let introduced = discovery.introduce(bastion, &public).await?;
        if introduced {
            *last = Some((identity, Instant::now()));
        }
        Ok(introduced)
    }
}
