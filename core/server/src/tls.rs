//! TLS for listeners.

use std::fmt;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::crypto::ring;
use tokio_rustls::rustls::pki_types::pem::{self, PemObject as _};
use tokio_rustls::rustls::pki_types::{CertificateDer, PrivateKeyDer};
use tokio_rustls::rustls::{self, ServerConfig};

/// The certificate of a listener, in PEM.
#[derive(Clone, PartialEq, Eq)]
pub struct TlsOptions {
    /// The server's certificate and its chain (`ssl.keystore.certificate.chain`).
    pub certificate_chain: Vec<u8>,
    /// The private key of the server's certificate, not encrypted (`ssl.keystore.key`).
    pub private_key: Vec<u8>,
}

/// Why the TLS options cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum TlsError {
    /// A file cannot be read.
    #[error("{} cannot be read ({source}): give a file that this user may read", .path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// The system's error.
        source: io::Error,
    },
    /// The certificates cannot be read.
    #[error(
        "the certificate chain is not PEM with certificates ({0}): give the server's certificate first, then its chain"
    )]
    Certificates(pem::Error),
    /// There is no certificate.
    #[error("the certificate chain is empty: give the server's certificate in PEM")]
    NoCertificate,
    /// The key cannot be read.
    #[error(
        "the private key is not PEM with an unencrypted key ({0}): give a PKCS #8, PKCS #1 or SEC 1 key"
    )]
    Key(pem::Error),
    /// Certificate and key cannot be used.
    #[error(
        "certificate and private key cannot be used ({0}): give a key that belongs to the first certificate"
    )]
    Unusable(rustls::Error),
}

impl TlsOptions {
    /// Reads the certificate chain and the private key from these files.
    pub fn read(certificate_chain: &Path, private_key: &Path) -> Result<Self, TlsError> {
        let read = |path: &Path| {
            fs::read(path).map_err(|source| TlsError::File {
                path: path.to_owned(),
                source,
            })
        };
        Ok(Self {
            certificate_chain: read(certificate_chain)?,
            private_key: read(private_key)?,
        })
    }

    pub(crate) fn acceptor(&self) -> Result<TlsAcceptor, TlsError> {
        let chain = CertificateDer::pem_slice_iter(&self.certificate_chain)
            .collect::<Result<Vec<_>, _>>()
            .map_err(TlsError::Certificates)?;
        if chain.is_empty() {
            return Err(TlsError::NoCertificate);
        }
        let key = PrivateKeyDer::from_pem_slice(&self.private_key).map_err(TlsError::Key)?;
        let config = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
            .with_safe_default_protocol_versions()
            .map_err(TlsError::Unusable)?
            .with_no_client_auth()
            .with_single_cert(chain, key)
            .map_err(TlsError::Unusable)?;
        Ok(TlsAcceptor::from(Arc::new(config)))
    }
}

impl fmt::Debug for TlsOptions {
    /// Omits the key.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TlsOptions").finish_non_exhaustive()
    }
}
