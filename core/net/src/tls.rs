//! TLS to brokers.

use std::io;
use std::sync::Arc;

use headwater_client::Result;
use tokio_rustls::TlsConnector;
use tokio_rustls::rustls::client::WebPkiServerVerifier;
use tokio_rustls::rustls::client::danger::{
    HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier,
};
use tokio_rustls::rustls::crypto::ring;
use tokio_rustls::rustls::pki_types::pem::PemObject as _;
use tokio_rustls::rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName, UnixTime};
use tokio_rustls::rustls::{
    self, CertificateError, ClientConfig, DigitallySignedStruct, RootCertStore, SignatureScheme,
};

use crate::config::config_error;
use crate::error::ConnectionError;

/// Both forms of an encrypted key in PEM contain this: `BEGIN ENCRYPTED PRIVATE KEY`, and `Proc-Type: 4,ENCRYPTED`.
const ENCRYPTED: &[u8] = b"ENCRYPTED";

/// The configuration of TLS, in PEM.
pub(crate) struct TlsFiles {
    /// The certificates of the authorities; `None`: the system's.
    pub(crate) trusted: Option<Vec<u8>>,
    /// The prefix of the keys that set the authorities, for messages: `ssl.truststore`.
    pub(crate) trusted_key: &'static str,
    /// The client's certificate and those of its issuers.
    pub(crate) certificate_chain: Option<Vec<u8>>,
    /// The key of the client's certificate.
    pub(crate) private_key: Option<Vec<u8>>,
    pub(crate) verify_host_name: bool,
}

/// Starts TLS on connections. Cloning is cheap.
#[derive(Clone)]
pub(crate) struct Tls {
    connector: TlsConnector,
}

impl Tls {
    /// Reads and checks the certificates.
    pub(crate) fn new(files: &TlsFiles) -> Result<Self> {
        let provider = Arc::new(ring::default_provider());
        let roots = match &files.trusted {
            Some(pem) => given_roots(pem, files.trusted_key)?,
            None => system_roots(files.trusted_key)?,
        };
        let verifier =
            WebPkiServerVerifier::builder_with_provider(Arc::new(roots), Arc::clone(&provider))
                .build()
                .map_err(|error| {
                    config_error(&format!(
                        "The trusted certificates cannot be used ({error})."
                    ))
                })?;
        let verifier: Arc<dyn ServerCertVerifier> = if files.verify_host_name {
            verifier
        } else {
            Arc::new(AnyHostName(verifier))
        };
        let config = ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .map_err(|error| config_error(&format!("TLS cannot be used ({error}).")))?
            .dangerous()
            .with_custom_certificate_verifier(verifier);
        let config = match (&files.certificate_chain, &files.private_key) {
            (None, None) => config.with_no_client_auth(),
            (Some(chain), Some(key)) => config
                .with_client_auth_cert(own_chain(chain)?, own_key(key)?)
                .map_err(|error| {
                    config_error(&format!(
                        "The client's certificate and private key cannot be used ({error}): set the key that belongs to the first certificate."
                    ))
                })?,
            (Some(_), None) => return Err(config_error("ssl.keystore.key is missing: a client certificate requires its private key.")),
            (None, Some(_)) => {
                return Err(config_error("ssl.keystore.certificate.chain is missing: a private key requires its certificate."));
            }
        };
        Ok(Self {
            connector: TlsConnector::from(Arc::new(config)),
        })
    }

    pub(crate) fn connector(&self) -> &TlsConnector {
        &self.connector
    }
}

fn given_roots(pem: &[u8], key: &str) -> Result<RootCertStore> {
    let mut roots = RootCertStore::empty();
    for certificate in CertificateDer::pem_slice_iter(pem) {
        let added = certificate
            .map_err(|error| error.to_string())
            .and_then(|certificate| roots.add(certificate).map_err(|error| error.to_string()));
        added.map_err(|error| {
            config_error(&format!(
                "The certificates of {key} cannot be read ({error}): set the authorities' certificates in PEM."
            ))
        })?;
    }
    if roots.is_empty() {
        return Err(config_error(&format!(
            "{key} contains no certificate: set the authorities' certificates in PEM."
        )));
    }
    Ok(roots)
}

fn system_roots(key: &str) -> Result<RootCertStore> {
    let found = rustls_native_certs::load_native_certs();
    let mut roots = RootCertStore::empty();
    roots.add_parsable_certificates(found.certs);
    if roots.is_empty() {
        return Err(config_error(&format!(
            "This system has no trusted certificates: set {key}.location to the authorities' certificates."
        )));
    }
    Ok(roots)
}

fn own_chain(pem: &[u8]) -> Result<Vec<CertificateDer<'static>>> {
    let chain = CertificateDer::pem_slice_iter(pem).collect::<std::result::Result<Vec<_>, _>>();
    match chain {
        Ok(chain) if !chain.is_empty() => Ok(chain),
        Ok(_) => Err(config_error(
            "The client's certificate chain is empty: set the client's certificate first, then its issuers', in PEM.",
        )),
        Err(error) => Err(config_error(&format!(
            "The client's certificate chain cannot be read ({error}): set it in PEM."
        ))),
    }
}

fn own_key(pem: &[u8]) -> Result<PrivateKeyDer<'static>> {
    let is_encrypted = pem
        .windows(ENCRYPTED.len())
        .any(|window| window == ENCRYPTED);
    if is_encrypted {
        return Err(config_error(
            "The client's private key is encrypted: decrypt it, for example with `openssl pkey -in KEY -out DECRYPTED_KEY`, and use the result.",
        ));
    }
    PrivateKeyDer::from_pem_slice(pem).map_err(|error| {
        config_error(&format!(
            "The client's private key cannot be read ({error}): set an unencrypted PKCS #8, PKCS #1 or SEC 1 key in PEM."
        ))
    })
}

/// Verifies everything about a certificate except the host name.
#[derive(Debug)]
struct AnyHostName(Arc<WebPkiServerVerifier>);

impl ServerCertVerifier for AnyHostName {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        server_name: &ServerName<'_>,
        ocsp_response: &[u8],
        now: UnixTime,
    ) -> std::result::Result<ServerCertVerified, rustls::Error> {
        let verified =
            self.0
                .verify_server_cert(end_entity, intermediates, server_name, ocsp_response, now);
        match verified {
            Err(rustls::Error::InvalidCertificate(
                CertificateError::NotValidForName | CertificateError::NotValidForNameContext { .. },
            )) => Ok(ServerCertVerified::assertion()),
            verified => verified,
        }
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> std::result::Result<HandshakeSignatureValid, rustls::Error> {
        self.0
            .verify_tls12_signature(message, certificate, signature)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> std::result::Result<HandshakeSignatureValid, rustls::Error> {
        self.0
            .verify_tls13_signature(message, certificate, signature)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.0.supported_verify_schemes()
    }
}

/// Why a TLS handshake with `host` failed.
pub(crate) fn handshake_failure(error: &io::Error, host: &str) -> ConnectionError {
    let tls = error
        .get_ref()
        .and_then(|source| source.downcast_ref::<rustls::Error>());
    match tls {
        Some(rustls::Error::InvalidCertificate(reason)) => {
            ConnectionError::authentication(certificate_failure(reason, host))
        }
        Some(rustls::Error::AlertReceived(_)) => refused_by_alert(error),
        None => ConnectionError::unreachable(
            "The connection was closed during the TLS handshake: check that the broker runs and that its listener speaks TLS; if it does not, set security.protocol to PLAINTEXT or SASL_PLAINTEXT",
        ),
        Some(rustls::Error::InvalidMessage(_)) => ConnectionError::protocol(format!(
            "The broker does not speak TLS there ({error}): set security.protocol to PLAINTEXT or SASL_PLAINTEXT, or use the port of its TLS listener"
        )),
        Some(other) => ConnectionError::protocol(format!(
            "The TLS handshake failed ({other}): check both sides' TLS settings"
        )),
    }
}

/// Whether the broker ended the connection with a TLS alert. In TLS 1.3 the broker checks the client's certificate
/// after the handshake.
pub(crate) fn is_alert(error: &io::Error) -> bool {
    let tls = error
        .get_ref()
        .and_then(|source| source.downcast_ref::<rustls::Error>());
    matches!(tls, Some(rustls::Error::AlertReceived(_)))
}

/// The error for a TLS alert of the broker.
pub(crate) fn refused_by_alert(error: &io::Error) -> ConnectionError {
    ConnectionError::authentication(format!(
        "The broker refused the TLS connection ({error}): set ssl.keystore.location to a certificate that it accepts"
    ))
}

fn certificate_failure(reason: &CertificateError, host: &str) -> String {
    match reason {
        CertificateError::Expired | CertificateError::ExpiredContext { .. } => {
            "The broker's certificate has expired: renew it".to_owned()
        }
        CertificateError::NotValidYet | CertificateError::NotValidYetContext { .. } => {
            "The broker's certificate is not valid yet: check the clocks of both machines".to_owned()
        }
        CertificateError::NotValidForName | CertificateError::NotValidForNameContext { .. } => {
            format!(
                "The broker's certificate is not valid for {host}: connect with a name that it carries, or set ssl.endpoint.identification.algorithm to an empty text"
            )
        }
        // Two authorities may have the same name and different keys.
        CertificateError::UnknownIssuer | CertificateError::BadSignature => {
            "The broker's certificate was issued by an authority that is not trusted: set ssl.truststore.location to the authority's certificate"
                .to_owned()
        }
        other => format!("The broker's certificate is not valid: {other}"),
    }
}
