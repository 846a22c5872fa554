//! The streams that responses are written to.

use std::io::{self, IoSlice};
use std::pin::Pin;
use std::task::{Context, Poll};

use headwater_env::FilePlace;
use tokio::io::AsyncWrite;
use tokio::net::TcpStream;
use tokio_rustls::server::TlsStream;

/// A stream for responses.
pub(crate) trait Sink: AsyncWrite + Unpin {
    /// Sends up to `len` bytes of a file from a position with `sendfile(2)`. Returns the number of bytes sent, or
    /// `Unsupported` if the bytes must be written instead.
    fn poll_send_file(
        self: Pin<&mut Self>,
        _cx: &mut Context<'_>,
        _from: &FilePlace,
        _len: usize,
    ) -> Poll<io::Result<usize>> {
        Poll::Ready(Err(io::ErrorKind::Unsupported.into()))
    }

    /// Writes bytes that a file range follows, so that both can share a packet (`MSG_MORE`).
    fn poll_write_before_file(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        parts: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        self.poll_write_vectored(cx, parts)
    }
}

impl Sink for TcpStream {
    #[cfg(target_os = "linux")]
    fn poll_send_file(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        from: &FilePlace,
        len: usize,
    ) -> Poll<io::Result<usize>> {
        use rustix::io::Errno;

        let stream = &*self;
        poll_send(stream, cx, || {
            let mut position = from.position;
            match rustix::fs::sendfile(stream, &*from.file, Some(&mut position), len) {
                // The file system does not support it, or the file is shorter than its map.
                Err(Errno::INVAL | Errno::NOSYS) | Ok(0) => Err(io::ErrorKind::Unsupported.into()),
                sent => Ok(sent?),
            }
        })
    }

    #[cfg(target_os = "linux")]
    fn poll_write_before_file(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        parts: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        use rustix::net::{SendAncillaryBuffer, SendFlags, sendmsg};

        let stream = &*self;
        poll_send(stream, cx, || {
            let mut nothing = SendAncillaryBuffer::default();
            let flags = SendFlags::MORE | SendFlags::NOSIGNAL;
            Ok(sendmsg(stream, parts, &mut nothing, flags)?)
        })
    }
}

/// Calls a sending system call when the socket is writable.
#[cfg(target_os = "linux")]
fn poll_send(
    stream: &TcpStream,
    cx: &mut Context<'_>,
    mut send: impl FnMut() -> io::Result<usize>,
) -> Poll<io::Result<usize>> {
    loop {
        std::task::ready!(stream.poll_write_ready(cx))?;
        match stream.try_io(tokio::io::Interest::WRITABLE, &mut send) {
            Err(error)
                if matches!(
                    error.kind(),
                    io::ErrorKind::WouldBlock | io::ErrorKind::Interrupted
                ) => {}
            done => return Poll::Ready(done),
        }
    }
}

/// Encryption needs the bytes in memory.
impl Sink for TlsStream<TcpStream> {}

#[cfg(test)]
mod tests {
    use std::pin::Pin;

    use bytes::Bytes;
    use headwater_env::{Env as _, File as _, OpenMode, RealEnv, RealFile, file_behind};
    use tokio::io::{AsyncRead, AsyncReadExt as _, duplex};
    use tokio::net::TcpListener;
    use tokio::time::Instant;

    use super::*;
    use crate::connection::outbound::Outbound;

    const LEN: u64 = 3_000_000;

    /// A map of an unlinked file, and the file, which the map does not keep open.
    fn map() -> (RealFile, Bytes) {
        let dir = tempfile::tempdir().unwrap();
        let file = RealEnv
            .open_file(&dir.path().join("file"), OpenMode::Create)
            .unwrap();
        let written: Vec<u8> = (0..LEN).map(|at| (at ^ (at >> 8)) as u8).collect();
        file.write_all_at(&written, 0).unwrap();
        let map = file
            .map(0..LEN)
            .unwrap()
            .expect("a small range can be mapped");
        (file, map)
    }

    /// Sends responses with large and small file ranges, and checks the received bytes.
    async fn check(mut stream: impl Sink, mut peer: impl AsyncRead + Unpin) {
        let (_file, map) = map();
        assert!(file_behind(&map).is_some());
        let answers = [
            vec![Bytes::from_static(b"header"), map.slice(777..1_500_777)],
            vec![map.slice(10..20), map.slice(100_000..100_200)],
            vec![
                map.slice(0..65_536),
                Bytes::from_static(b"between"),
                map.slice(5..),
                Bytes::from_static(b"end"),
            ],
        ];
        let expected: Vec<u8> = answers.iter().flatten().flatten().copied().collect();
        let mut outbound = Outbound::new(Instant::now());
        for pieces in answers {
            outbound.push(pieces.into_iter(), Instant::now());
        }
        let sending = std::future::poll_fn(|cx| {
            while !outbound.is_done() {
                let now = Instant::now();
                match outbound.poll_write(Pin::new(&mut stream), cx, now) {
                    Poll::Ready(written) => written.map(drop).unwrap(),
                    Poll::Pending => return Poll::Pending,
                }
            }
            Poll::Ready(())
        });
        let mut received = vec![0; expected.len()];
        let ((), read) = tokio::join!(sending, peer.read_exact(&mut received));
        read.unwrap();
        assert!(received == expected, "the received bytes differ");
    }

    #[tokio::test]
    async fn a_socket_gets_the_bytes_of_the_file() {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let peer = TcpStream::connect(listener.local_addr().unwrap());
        let (accepted, peer) = tokio::join!(listener.accept(), peer);
        check(accepted.unwrap().0, peer.unwrap()).await;
    }

    #[tokio::test]
    async fn a_stream_without_sendfile_gets_the_same_bytes() {
        let (stream, peer) = duplex(10_000);
        check(stream, peer).await;
    }
}
