//! Signs for a login, with the agent or with a key file. A file is decrypted only here: the server has accepted its public half by then.

use std::fmt;
use std::sync::Arc;

use russh::keys::agent::{AgentIdentity, client::AgentClient};
use russh::keys::signature::Signer as _;
use russh::keys::ssh_encoding::Encode as _;
use russh::keys::ssh_key::{self, Signature, private::KeypairData};
use russh::keys::{HashAlg, PrivateKey};
use russh::{SendError, Signer};
use tokio::net::UnixStream;

use crate::key_file::KeyFile;

/// Why there is no signature.
#[derive(Debug)]
pub(crate) struct SignError(String);

impl fmt::Display for SignError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl From<SendError> for SignError {
    fn from(_: SendError) -> Self {
        Self("the connection was closed".to_owned())
    }
}

/// The agent, and the identity that it signs with, also for a certificate that it does not hold.
pub(crate) struct AgentSigner<'a> {
    pub(crate) agent: &'a mut AgentClient<UnixStream>,
    pub(crate) identity: AgentIdentity,
}

impl Signer for AgentSigner<'_> {
    type Error = SignError;

    async fn auth_sign(
        &mut self,
        _: &AgentIdentity,
        hash: Option<HashAlg>,
        data: Vec<u8>,
    ) -> Result<Vec<u8>, SignError> {
        let signed = self.agent.sign_request(&self.identity, hash, data).await;
        signed.map_err(|error| SignError(format!("the agent did not sign ({error})")))
    }
}

pub(crate) struct FileSigner<'a>(pub(crate) &'a KeyFile);

impl Signer for FileSigner<'_> {
    type Error = SignError;

    async fn auth_sign(
        &mut self,
        _: &AgentIdentity,
        hash: Option<HashAlg>,
        data: Vec<u8>,
    ) -> Result<Vec<u8>, SignError> {
        let key = self.0.load().await.map_err(SignError)?;
        sign(&key, hash, data).map_err(|error| SignError(format!("cannot sign ({error})")))
    }
}

/// Appends the signature of the data to the data.
fn sign(key: &Arc<PrivateKey>, hash: Option<HashAlg>, mut data: Vec<u8>) -> ssh_key::Result<Vec<u8>> {
    let signature: Signature = match key.key_data() {
        KeypairData::Rsa(pair) => (pair, hash).try_sign(&data)?,
        _ => key.try_sign(&data)?,
    };
    signature.encode_vec()?.encode(&mut data)?;
    Ok(data)
}
