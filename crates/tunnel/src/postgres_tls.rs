//! TLS to a PostgreSQL server on behalf of a client that does not encrypt, because it connects to a Unix socket.
//!
//! The client's channel binding would be that of a connection that it does not have, so that the server's offer of it
//! (`SCRAM-SHA-256-PLUS`) is withheld from the client, as by every proxy that terminates TLS.

use std::io::{Error, ErrorKind, Result};
use std::path::Path;
use std::sync::Arc;

use common::failure::{Context as _, Failure};
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, ServerName};
use rustls::{ClientConfig, RootCertStore};
use tokio::io::{
    AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _, copy_bidirectional_with_sizes,
};
use tokio::net::{TcpStream, UnixStream};
use tokio_rustls::TlsConnector;

/// Codes of requests in place of a startup message (PostgreSQL, message formats).
const SSL_REQUEST: u32 = 80_877_103;
const GSS_ENCRYPTION_REQUEST: u32 = 80_877_104;

/// The code of the authentication message that lists mechanisms of SASL.
const SASL: u32 = 10;

/// Bytes of a connection to copy at once in each direction.
pub(crate) const COPY_SIZE: usize = 128 << 10;

const CHANNEL_BINDING: &[u8] = b"SCRAM-SHA-256-PLUS";

/// Limits the messages before the authentication, which are short.
const MAX_MESSAGE: u32 = 64 << 10;

/// The certificate that a server must have.
#[derive(Clone)]
pub(crate) struct PostgresTls {
    connector: TlsConnector,
    host: ServerName<'static>,
}

impl PostgresTls {
    /// Trusts the authorities of a bundle in PEM format, for certificates of this host.
    pub(crate) fn new(ca_bundle: &Path, host: &str) -> common::failure::Result<Self> {
        let shown = ca_bundle.display();
        let mut roots = RootCertStore::empty();
        let certificates = CertificateDer::pem_file_iter(ca_bundle)
            .map_err(|error| Failure::usage(format!("cannot read the CA bundle `{shown}`")).source(error))?;
        // An authority that this library does not understand cannot vouch for the server; the others can.
        let (_, _) = roots.add_parsable_certificates(certificates.filter_map(std::result::Result::ok));
        if roots.is_empty() {
            return Err(Failure::usage(format!("`{shown}` contains no certificate"))
                .hint("--ssl-root-cert needs a CA bundle in PEM format"));
        }
        let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
        let config = ClientConfig::builder_with_provider(provider).with_safe_default_protocol_versions();
        let config = config.context(|| "cannot set up TLS".to_owned())?;
        let config = config.with_root_certificates(roots).with_no_client_auth();
        let host = ServerName::try_from(host.to_owned())
            .map_err(|_| Failure::usage(format!("`{host}` is no host name for TLS")))?;
        Ok(Self { connector: TlsConnector::from(Arc::new(config)), host })
    }

    /// Forwards one connection. If the server is not the one that it should be, the client gets the reason as an error of the database.
    pub(crate) async fn forward(&self, mut client: UnixStream, server: TcpStream) -> Result<()> {
        let startup = startup(&mut client).await?;
        let mut server = match self.connect(server).await {
            Ok(server) => server,
            Err(error) => {
                let host = self.host.to_str();
                let text = format!("no verified TLS connection to {host}: {error}");
                return client.write_all(&error_response(&text)).await;
            }
        };
        server.write_all(&startup).await?;
        server.flush().await?;
        // The client waits for this before it sends anything else.
        copy_until_authentication(&mut server, &mut client).await?;
        copy_bidirectional_with_sizes(&mut client, &mut server, COPY_SIZE, COPY_SIZE).await.map(|_| ())
    }

    async fn connect(&self, mut server: TcpStream) -> Result<tokio_rustls::client::TlsStream<TcpStream>> {
        server.write_u32(8).await?;
        server.write_u32(SSL_REQUEST).await?;
        match server.read_u8().await? {
            b'S' => self.connector.connect(self.host.clone(), server).await,
            _ => Err(Error::new(ErrorKind::Unsupported, "the server does not offer TLS")),
        }
    }
}

/// Reads the client's first message with its length, which is a startup message or the request to cancel a query; refuses encryption before
/// it.
async fn startup(client: &mut (impl AsyncRead + AsyncWrite + Unpin)) -> Result<Vec<u8>> {
    loop {
        let (length, code) = (client.read_u32().await?, client.read_u32().await?);
        if [SSL_REQUEST, GSS_ENCRYPTION_REQUEST].contains(&code) {
            client.write_all(b"N").await?;
            continue;
        }
        if !(8..=MAX_MESSAGE).contains(&length) {
            return Err(ErrorKind::InvalidData.into());
        }
        let mut message = vec![0; length as usize];
        message[..4].copy_from_slice(&length.to_be_bytes());
        message[4..8].copy_from_slice(&code.to_be_bytes());
        client.read_exact(&mut message[8..]).await?;
        return Ok(message);
    }
}

/// Forwards the server's messages until it has said how the client authenticates, without the offer of channel binding.
async fn copy_until_authentication(
    from: &mut (impl AsyncRead + Unpin),
    to: &mut (impl AsyncWrite + Unpin),
) -> Result<()> {
    loop {
        let kind = match from.read_u8().await {
            Err(error) if error.kind() == ErrorKind::UnexpectedEof => return Ok(()),
            kind => kind?,
        };
        let length = from.read_u32().await?;
        if !(4..=MAX_MESSAGE).contains(&length) {
            return Err(ErrorKind::InvalidData.into());
        }
        let mut body = vec![0; length as usize - 4];
        from.read_exact(&mut body).await?;
        if kind == b'R' {
            body = without_channel_binding(&body);
        }
        to.write_all(&message(kind, &body)).await?;
        // Only a negotiated version of the protocol and notices come before.
        if matches!(kind, b'R' | b'E') {
            return Ok(());
        }
    }
}

/// Removes the mechanism with channel binding from a list of mechanisms; leaves other messages as they are.
fn without_channel_binding(body: &[u8]) -> Vec<u8> {
    match body.split_first_chunk() {
        Some((code, mechanisms)) if u32::from_be_bytes(*code) == SASL => {
            let kept = mechanisms.split_inclusive(|byte| *byte == 0);
            let kept = kept.filter(|name| name.strip_suffix(b"\0") != Some(CHANNEL_BINDING));
            code.iter().chain(kept.flatten()).copied().collect()
        }
        _ => body.to_vec(),
    }
}

fn message(kind: u8, body: &[u8]) -> Vec<u8> {
    // Bodies are shorter than MAX_MESSAGE.
    let length = u32::try_from(body.len() + 4).unwrap_or(u32::MAX);
    [&[kind], &length.to_be_bytes()[..], body].concat()
}

/// Returns a fatal error with the code of a failed connection.
fn error_response(text: &str) -> Vec<u8> {
    let fields = format!("SFATAL\0VFATAL\0C08001\0Mcovidctl: {text}\0\0");
    message(b'E', fields.as_bytes())
}

#[cfg(all(test, not(shuttle)))]
mod tests {
    use super::*;

    #[test]
    fn channel_binding_alone_is_removed_from_mechanisms() {
        let list = |names: &str| [&SASL.to_be_bytes()[..], names.as_bytes()].concat();
        assert_eq!(
            without_channel_binding(&list("SCRAM-SHA-256-PLUS\0SCRAM-SHA-256\0\0")),
            list("SCRAM-SHA-256\0\0")
        );
        let md5 = [&5_u32.to_be_bytes()[..], b"salt"].concat();
        for body in [&list("SCRAM-SHA-256\0\0")[..], &md5, b"", b"abc"] {
            assert_eq!(without_channel_binding(body), body);
        }
    }

    #[tokio::test]
    async fn encryption_is_refused_before_the_startup_message() {
        let (mut client, mut near) = tokio::io::duplex(1024);
        let startup_message = [0, 0, 0, 10, 0, 3, 0, 0, b'x', 0];
        let ssl_request = [&8_u32.to_be_bytes()[..], &SSL_REQUEST.to_be_bytes()].concat();
        client.write_all(&[&ssl_request[..], &startup_message].concat()).await.unwrap();
        assert_eq!(startup(&mut near).await.unwrap(), startup_message);
        assert_eq!(client.read_u8().await.unwrap(), b'N');
        client.write_all(&[0xff; 8]).await.unwrap();
        assert_eq!(startup(&mut near).await.unwrap_err().kind(), ErrorKind::InvalidData);
    }

    #[tokio::test]
    async fn messages_pass_until_authentication() {
        let version = message(b'v', &[0; 8]);
        let mechanisms = |names: &str| message(b'R', &[&SASL.to_be_bytes()[..], names.as_bytes()].concat());
        let sent = [&version[..], &mechanisms("SCRAM-SHA-256\0SCRAM-SHA-256-PLUS\0\0"), b"rest"].concat();
        let (mut from, mut to) = (&sent[..], Vec::new());
        copy_until_authentication(&mut from, &mut to).await.unwrap();
        assert_eq!(to, [&version[..], &mechanisms("SCRAM-SHA-256\0\0")].concat());
        assert_eq!(from, b"rest");
        let error = error_response("no");
        let (mut from, mut to) = (&error[..], Vec::new());
        copy_until_authentication(&mut from, &mut to).await.unwrap();
        assert_eq!(to, error);
    }
}
