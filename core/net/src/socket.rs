//! Opens TCP connections.

use std::io;
use std::net::SocketAddr;
use std::time::Duration;

use tokio::net::TcpStream;

use crate::address::Address;
use crate::error::ConnectionError;
use crate::race::race;

/// Between the starts of two attempts (RFC 8305 recommends it).
const STAGGER: Duration = Duration::from_millis(250);

/// Connects to the first address of the host that accepts. One that does not answer holds up the next one by a moment only.
pub(crate) async fn open(address: &Address) -> Result<TcpStream, ConnectionError> {
    let attempts = resolve(address)
        .await?
        .into_iter()
        .map(|resolved| async move {
            let connected = connect(resolved).await;
            connected.map_err(|error| (resolved, error))
        });
    let failures = match race(attempts, STAGGER).await {
        Ok(stream) => return Ok(stream),
        Err(failures) => failures,
    };
    Err(match failures.into_iter().next() {
        Some((_, error)) if error.kind() == io::ErrorKind::ConnectionRefused => {
            ConnectionError::unreachable(
                "Nothing listens there: start the broker, or correct the address",
            )
        }
        Some((resolved, error)) => {
            ConnectionError::unreachable(format!("{} cannot be reached ({error})", resolved.ip()))
        }
        None => ConnectionError::unreachable("The name has no address: correct it"),
    })
}

async fn resolve(address: &Address) -> Result<Vec<SocketAddr>, ConnectionError> {
    let found = tokio::net::lookup_host((address.host.as_str(), address.port)).await;
    match found {
        Ok(found) => Ok(found.collect()),
        Err(error) => Err(ConnectionError::unreachable(format!(
            "The name {} does not resolve ({error}): correct it, or check the name server",
            address.host
        ))),
    }
}

async fn connect(resolved: SocketAddr) -> io::Result<TcpStream> {
    let stream = TcpStream::connect(resolved).await?;
    // A request is written whole; waiting for more to send with it would only delay it.
    stream.set_nodelay(true)?;
    rustix::net::sockopt::set_socket_keepalive(&stream, true)?;
    Ok(stream)
}
