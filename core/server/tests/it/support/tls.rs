//! Listeners with TLS, and clients that trust them.

use std::net::TcpStream;
use std::sync::Arc;

use headwater_server::{ListenerOptions, SecurityProtocol, ServeOptions, Server, TlsOptions};
use tokio_rustls::rustls::crypto::ring;
use tokio_rustls::rustls::pki_types::{CertificateDer, ServerName};
use tokio_rustls::rustls::{ClientConfig, ClientConnection, RootCertStore, StreamOwned};

use super::{Client, local, tcp};

/// A self-signed certificate for `localhost`.
pub fn certificate() -> (TlsOptions, CertificateDer<'static>) {
    let made = rcgen::generate_simple_self_signed(vec!["localhost".to_owned()]).unwrap();
    let options = TlsOptions {
        certificate_chain: made.cert.pem().into_bytes(),
        private_key: made.signing_key.serialize_pem().into_bytes(),
    };
    (options, made.cert.der().clone())
}

/// A plaintext listener, and a second one with this protocol.
pub fn encrypted(protocol: SecurityProtocol) -> (ServeOptions, CertificateDer<'static>) {
    let (tls, certificate) = certificate();
    let mut options = local();
    options.listeners.push(ListenerOptions {
        protocol,
        tls: Some(tls),
        ..ListenerOptions::new("127.0.0.1", 0)
    });
    (options, certificate)
}

/// The client side of TLS, before its first byte.
pub fn connection(certificate: CertificateDer<'static>) -> ClientConnection {
    let mut roots = RootCertStore::empty();
    roots.add(certificate).unwrap();
    let config = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_root_certificates(roots)
        .with_no_client_auth();
    let name = ServerName::try_from("localhost").unwrap();
    ClientConnection::new(Arc::new(config), name).unwrap()
}

/// A client of the second listener.
pub fn tls(
    server: &Server,
    certificate: CertificateDer<'static>,
) -> Client<StreamOwned<ClientConnection, TcpStream>> {
    let stream = tcp(server.addresses()[1]);
    Client::new(StreamOwned::new(connection(certificate), stream))
}
