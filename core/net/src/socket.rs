//! Opens TCP connections.

use std::io;
use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

use tokio::net::TcpStream;

use crate::address::Address;
use crate::error::ConnectionError;
use crate::race::race;

/// The time between the starts of two attempts (recommended by RFC 8305).
const STAGGER: Duration = Duration::from_millis(250);

/// The reason why no address of a host accepted a connection. `Display` is a part of a sentence, without advice.
#[derive(Debug, thiserror::Error)]
pub(crate) enum OpenFailure {
    /// Each address refused the connection.
    #[error("nothing listens there")]
    Refused,
    /// An address that did not answer, or that has no route.
    #[error("{0} cannot be reached ({1})")]
    Unreachable(IpAddr, io::Error),
    /// The name server does not have the name, or did not answer.
    #[error("the name {0} does not resolve ({1})")]
    Unresolved(String, io::Error),
    /// The name has no address.
    #[error("the name has no address")]
    NoAddress,
}

impl From<OpenFailure> for ConnectionError {
    /// Adds the remedy for a broker.
    fn from(failure: OpenFailure) -> Self {
        Self::unreachable(match failure {
            OpenFailure::Refused => {
                "Nothing listens there: start the broker, or correct the address".to_owned()
            }
            OpenFailure::Unreachable(..) => {
                format!("{failure}: check the address and the firewall")
            }
            OpenFailure::Unresolved(name, error) => {
                format!(
                    "The name {name} does not resolve ({error}): correct it, or check the name server"
                )
            }
            OpenFailure::NoAddress => "The name has no address: correct it".to_owned(),
        })
    }
}

/// Connects to the first address of the host that accepts. An address that does not answer delays the attempt at the
/// next one only for a moment.
pub(crate) async fn open(address: &Address) -> Result<TcpStream, OpenFailure> {
    let attempts = resolve(address).await?;
    first(attempts).await
}

/// Connects to the first of these addresses that accepts.
async fn first(addresses: Vec<SocketAddr>) -> Result<TcpStream, OpenFailure> {
    let attempts = addresses.into_iter().map(|resolved| async move {
        let connected = connect(resolved).await;
        connected.map_err(|error| (resolved, error))
    });
    let failures = match race(attempts, STAGGER).await {
        Ok(stream) => return Ok(stream),
        Err(failures) => failures,
    };
    let is_refusal = |error: &io::Error| error.kind() == io::ErrorKind::ConnectionRefused;
    let has_failures = !failures.is_empty();
    let other = failures.into_iter().find(|(_, error)| !is_refusal(error));
    Err(match other {
        Some((resolved, error)) => OpenFailure::Unreachable(resolved.ip(), error),
        None if has_failures => OpenFailure::Refused,
        None => OpenFailure::NoAddress,
    })
}

async fn resolve(address: &Address) -> Result<Vec<SocketAddr>, OpenFailure> {
    let found = tokio::net::lookup_host((address.host.as_str(), address.port)).await;
    match found {
        Ok(found) => Ok(found.collect()),
        Err(error) => Err(OpenFailure::Unresolved(address.host.clone(), error)),
    }
}

async fn connect(resolved: SocketAddr) -> io::Result<TcpStream> {
    let stream = TcpStream::connect(resolved).await?;
    // Each write is a whole request; waiting for more bytes would only delay it.
    stream.set_nodelay(true)?;
    rustix::net::sockopt::set_socket_keepalive(&stream, true)?;
    Ok(stream)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// An address of this machine without a listener.
    fn unused() -> SocketAddr {
        let listener = std::net::TcpListener::bind("127.0.0.1:0");
        listener.and_then(|listener| listener.local_addr()).unwrap()
    }

    #[tokio::test]
    async fn an_address_behind_dead_ones_is_reached() {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let alive = listener.local_addr().unwrap();
        // Addresses for documentation, which do not answer or have no route.
        let dead = ["192.0.2.1:9092", "[2001:db8::1]:9092"];
        let mut addresses: Vec<SocketAddr> =
            dead.iter().map(|dead| dead.parse().unwrap()).collect();
        addresses.extend([unused(), alive]);
        let stream = first(addresses).await.unwrap();
        assert_eq!(stream.peer_addr().unwrap(), alive);
    }

    #[tokio::test]
    async fn addresses_without_a_listener_and_no_addresses_have_different_errors() {
        let refused = first(vec![unused(), unused()]).await.unwrap_err();
        assert!(matches!(refused, OpenFailure::Refused), "{refused}");
        let none = first(Vec::new()).await.unwrap_err();
        assert!(matches!(none, OpenFailure::NoAddress), "{none}");
    }
}
