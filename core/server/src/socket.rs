//! Socket options of accepted connections.

use std::io;
use std::net::SocketAddr;

use tokio::net::TcpStream;

/// A congestion control that every Linux supports without privileges. Without losses its window only grows.
#[cfg(target_os = "linux")]
const UNPACED: &str = "reno";

/// Configures the socket of a connection from `peer`.
pub(crate) fn prepare(stream: &TcpStream, peer: SocketAddr) -> io::Result<()> {
    // Responses are written whole; waiting for more data would only delay them.
    stream.set_nodelay(true)?;
    if is_same_machine(stream.local_addr()?, peer) {
        disable_pacing(stream);
    }
    Ok(())
}

fn is_same_machine(local: SocketAddr, peer: SocketAddr) -> bool {
    let (local, peer) = (local.ip().to_canonical(), peer.ip().to_canonical());
    peer.is_loopback() || local == peer
}

/// Loopback connections need no pacing: with BBR as the system's default, each mebibyte takes more than twice the time.
/// See docs/decisions/loopback-congestion-control.md.
#[cfg(target_os = "linux")]
fn disable_pacing(stream: &TcpStream) {
    if let Err(error) = rustix::net::sockopt::set_tcp_congestion(stream, UNPACED) {
        tracing::debug!(%error, "a connection keeps the machine's congestion control");
    }
}

#[cfg(not(target_os = "linux"))]
fn disable_pacing(_: &TcpStream) {}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    #[rstest]
    #[case::loopback("127.0.0.1", "127.0.0.1", true)]
    #[case::other_loopback("127.0.0.1", "127.0.0.2", true)]
    #[case::version_6("::1", "::1", true)]
    #[case::mapped("::ffff:127.0.0.1", "::ffff:127.0.0.1", true)]
    #[case::own_address("192.0.2.7", "192.0.2.7", true)]
    #[case::neighbour("192.0.2.7", "192.0.2.8", false)]
    #[case::far("192.0.2.7", "198.51.100.1", false)]
    fn loopback_connections_are_detected_by_their_addresses(
        #[case] local: &str,
        #[case] peer: &str,
        #[case] same: bool,
    ) {
        let address = |ip: &str| SocketAddr::new(ip.parse().unwrap(), 9092);
        assert_eq!(is_same_machine(address(local), address(peer)), same);
    }

    #[cfg(target_os = "linux")]
    #[tokio::test]
    async fn a_loopback_connection_is_neither_delayed_nor_paced() {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let client = TcpStream::connect(listener.local_addr().unwrap());
        let (accepted, _client) = tokio::join!(listener.accept(), client);
        let (stream, peer) = accepted.unwrap();
        prepare(&stream, peer).unwrap();
        assert!(stream.nodelay().unwrap());
        let chosen = rustix::net::sockopt::tcp_congestion(&stream).unwrap();
        assert_eq!(chosen, UNPACED);
    }
}
