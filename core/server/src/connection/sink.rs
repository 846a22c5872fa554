//! Where answers go: a socket that the system can send a file to, or a stream of bytes.

use std::io::{self, IoSlice};
use std::pin::Pin;
use std::task::{Context, Poll};

use headwater_env::FilePlace;
use tokio::io::AsyncWrite;
use tokio::net::TcpStream;
use tokio_rustls::server::TlsStream;

/// A stream that answers are written to.
pub(crate) trait Sink: AsyncWrite + Unpin {
    /// Sends up to `len` bytes of a file from a place on, without reading them (`sendfile(2)`); returns how many. `Unsupported` where the
    /// bytes must be written instead.
    fn poll_send_file(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        from: &FilePlace,
        len: usize,
    ) -> Poll<io::Result<usize>>;

    /// Writes what a file follows at once: it leaves with the beginning of the file (`MSG_MORE`).
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
                // A file system that cannot; or a file that ends before what was mapped of it.
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

    #[cfg(not(target_os = "linux"))]
    fn poll_send_file(
        self: Pin<&mut Self>,
        _: &mut Context<'_>,
        _: &FilePlace,
        _: usize,
    ) -> Poll<io::Result<usize>> {
        Poll::Ready(Err(io::ErrorKind::Unsupported.into()))
    }
}

/// One call of the system that sends, when the socket takes something.
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
            sent => return Poll::Ready(sent),
        }
    }
}

/// What is encrypted is read.
impl Sink for TlsStream<TcpStream> {
    fn poll_send_file(
        self: Pin<&mut Self>,
        _: &mut Context<'_>,
        _: &FilePlace,
        _: usize,
    ) -> Poll<io::Result<usize>> {
        Poll::Ready(Err(io::ErrorKind::Unsupported.into()))
    }
}
