//! Reads response frames.

use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use bytes::{Bytes, BytesMut};
use headwater_protocol::frame::{LENGTH_BYTES, take_frame};
use tokio::io::{AsyncRead, AsyncReadExt as _};

use crate::error::ConnectionError;
use crate::tls;

/// The size of a read unless a large frame is arriving.
const READ_BYTES: usize = 16 * 1024;

/// The size limit of a response, unless a fetch requested more. librdkafka's `receive.message.max.bytes` has the same
/// default.
pub(crate) const FRAME_BYTES_MAX: u32 = 100_000_000;

/// The size limit of a connection's frames. Its writer, which raises it, and its reader share it.
#[derive(Debug, Clone)]
pub(crate) struct FrameLimit(Arc<AtomicU32>);

impl Default for FrameLimit {
    fn default() -> Self {
        Self(Arc::new(AtomicU32::new(FRAME_BYTES_MAX)))
    }
}

impl FrameLimit {
    /// Raises the limit to at least `bytes`.
    pub(crate) fn raise(&self, bytes: u32) {
        self.0.fetch_max(bytes, Ordering::Relaxed);
    }

    fn get(&self) -> u32 {
        self.0.load(Ordering::Relaxed)
    }
}

/// Reads frames from a stream. Each frame has its own memory, and a large one a buffer of exactly its size, so that a
/// slice of one frame does not keep other frames in memory.
#[derive(Debug)]
pub(crate) struct FrameReader<R> {
    stream: R,
    limit: FrameLimit,
    received: BytesMut,
}

impl<R: AsyncRead + Unpin> FrameReader<R> {
    pub(crate) fn new(stream: R, limit: FrameLimit) -> Self {
        Self {
            stream,
            limit,
            received: BytesMut::with_capacity(READ_BYTES),
        }
    }

    /// The next frame, without its length; `None` if the peer closed the connection between two frames.
    ///
    /// Must not be called again after an error, or after its future was dropped.
    pub(crate) async fn next(&mut self) -> Result<Option<Bytes>, ConnectionError> {
        loop {
            if let Some(length) = self.announced_length() {
                if self.received.len() >= LENGTH_BYTES + length {
                    return self.take().map(Some);
                }
                if length > READ_BYTES {
                    return self.read_large(length).await.map(Some);
                }
            }
            self.received.reserve(READ_BYTES);
            if self.read_some().await? == 0 {
                return self.end();
            }
        }
    }

    /// The length of the next frame, if it has arrived and is within the limit: [`take_frame`] reports other lengths.
    fn announced_length(&self) -> Option<usize> {
        let prefix = self.received.first_chunk::<LENGTH_BYTES>()?;
        let length = u32::from_be_bytes(*prefix);
        Some(if length > self.limit.get() {
            0
        } else {
            length as usize
        })
    }

    fn take(&mut self) -> Result<Bytes, ConnectionError> {
        match take_frame(&mut self.received, self.limit.get()) {
            Ok(Some(frame)) => Ok(Bytes::copy_from_slice(&frame)),
            Ok(None) => Err(ConnectionError::protocol(
                "The broker's response is incomplete",
            )),
            Err(error) => Err(foreign_protocol(&self.received, &error)),
        }
    }

    /// Reads the rest of a frame into its own buffer.
    async fn read_large(&mut self, length: usize) -> Result<Bytes, ConnectionError> {
        let mut frame = BytesMut::with_capacity(length);
        frame.extend_from_slice(&self.received[LENGTH_BYTES..]);
        self.received.clear();
        while frame.len() < length {
            let left = length - frame.len();
            let mut rest = (&mut self.stream).take(left as u64);
            match rest.read_buf(&mut frame).await {
                Ok(0) => return Err(closed_within_a_response()),
                Ok(_) => {}
                Err(error) => return Err(read_failure(&error)),
            }
        }
        Ok(frame.freeze())
    }

    async fn read_some(&mut self) -> Result<usize, ConnectionError> {
        match self.stream.read_buf(&mut self.received).await {
            Err(error) if is_end(&error) => Ok(0),
            read => read.map_err(|error| read_failure(&error)),
        }
    }

    fn end(&self) -> Result<Option<Bytes>, ConnectionError> {
        if self.received.is_empty() {
            Ok(None)
        } else {
            Err(closed_within_a_response())
        }
    }

    /// The stream, between two responses. Bytes that have arrived after the last response belong to no request.
    pub(crate) fn into_stream(self) -> Result<R, ConnectionError> {
        if self.received.is_empty() {
            Ok(self.stream)
        } else {
            Err(out_of_order())
        }
    }

    pub(crate) fn stream_mut(&mut self) -> &mut R {
        &mut self.stream
    }
}

/// The correlation id of the response in `frame`; `None` if the frame is too short for one.
pub(crate) fn response_id(frame: &[u8]) -> Option<i32> {
    frame.first_chunk().map(|id| i32::from_be_bytes(*id))
}

/// The error for a response without a request. The peer has answered before, so it is a broker: another connection may
/// help.
pub(crate) fn out_of_order() -> ConnectionError {
    ConnectionError::unreachable("The broker answered a request that was not sent, or not in order")
}

fn closed_within_a_response() -> ConnectionError {
    ConnectionError::unreachable("The broker closed the connection in the middle of a response")
}

fn read_failure(error: &io::Error) -> ConnectionError {
    if tls::is_alert(error) {
        return tls::refused_by_alert(error);
    }
    ConnectionError::unreachable(format!("The connection to the broker was lost ({error})"))
}

/// Whether the peer ended a TLS connection without a close message, as brokers do.
fn is_end(error: &io::Error) -> bool {
    error.kind() == io::ErrorKind::UnexpectedEof
}

/// The error for bytes that are not Kafka's protocol. If they belong to a common protocol, the message includes its
/// name.
fn foreign_protocol(received: &[u8], error: &dyn std::error::Error) -> ConnectionError {
    if received.starts_with(b"HTTP") {
        return ConnectionError::protocol(
            "The server answers in HTTP, so it is not a Kafka broker: check the port",
        );
    }
    // The first bytes of a TLS alert or handshake record.
    if matches!(received, [0x15 | 0x16, 0x03, ..]) {
        return ConnectionError::protocol(
            "The broker speaks TLS there: set security.protocol to SSL or SASL_SSL",
        );
    }
    ConnectionError::protocol(format!(
        "The server is not a Kafka broker, or answers with more than {FRAME_BYTES_MAX} bytes ({error}): check the address; for large records raise fetch.max.bytes"
    ))
}

#[cfg(test)]
mod tests {
    use parking_lot::Mutex;
    use rstest::rstest;

    use super::*;

    fn frame(body: &[u8]) -> Vec<u8> {
        let mut frame = (body.len() as u32).to_be_bytes().to_vec();
        frame.extend_from_slice(body);
        frame
    }

    #[tokio::test]
    async fn frames_of_all_sizes_are_read_whole_however_they_arrive() {
        let sizes = [
            0,
            1,
            5,
            READ_BYTES - 4,
            READ_BYTES,
            READ_BYTES + 1,
            300_000,
            3,
        ];
        let bodies: Vec<Vec<u8>> = sizes
            .iter()
            .map(|size| (0..*size).map(|at| (at % 251) as u8).collect())
            .collect();
        let bytes: Vec<u8> = bodies.iter().flat_map(|body| frame(body)).collect();
        for piece in [1, 7, 4_096, bytes.len()] {
            let stream = PieceReader::new(&bytes, piece);
            let mut reader = FrameReader::new(stream, FrameLimit::default());
            for body in &bodies {
                assert_eq!(reader.next().await.unwrap().unwrap(), *body);
            }
            assert_eq!(reader.next().await.unwrap(), None);
        }
    }

    /// Records that a fetch returns become the columns of a table without a copy.
    #[tokio::test]
    async fn the_rest_of_a_large_frame_is_read_into_its_own_memory() {
        let size = 10 * READ_BYTES;
        let bytes = frame(&vec![7; size]);
        let stream = PieceReader::new(&bytes, READ_BYTES);
        let addresses = Arc::clone(&stream.addresses);
        let read = FrameReader::new(stream, FrameLimit::default()).next().await;
        let read = read.unwrap().unwrap();
        let memory = read.as_ptr_range();
        let addresses = addresses.lock();
        // The first read, which has the length, is of another buffer.
        let in_frame =
            |(start, _): &&(usize, usize)| (memory.start.addr()..memory.end.addr()).contains(start);
        let direct: usize = addresses
            .iter()
            .filter(in_frame)
            .map(|(_, size)| size)
            .sum();
        assert!(direct >= size - READ_BYTES, "{direct} of {size} bytes");
    }

    /// A reader that returns at most `piece` bytes per read, and records the address and the size of each read.
    struct PieceReader<'a> {
        bytes: &'a [u8],
        piece: usize,
        addresses: Arc<Mutex<Vec<(usize, usize)>>>,
    }

    impl<'a> PieceReader<'a> {
        fn new(bytes: &'a [u8], piece: usize) -> Self {
            Self {
                bytes,
                piece,
                addresses: Arc::default(),
            }
        }
    }

    impl AsyncRead for PieceReader<'_> {
        fn poll_read(
            mut self: std::pin::Pin<&mut Self>,
            _: &mut std::task::Context<'_>,
            buffer: &mut tokio::io::ReadBuf<'_>,
        ) -> std::task::Poll<io::Result<()>> {
            let size = self.piece.min(self.bytes.len()).min(buffer.remaining());
            let (now, later) = self.bytes.split_at(size);
            buffer.put_slice(now);
            let end = buffer.filled().as_ptr_range().end.addr();
            self.addresses.lock().push((end - size, size));
            self.bytes = later;
            std::task::Poll::Ready(Ok(()))
        }
    }

    #[rstest]
    #[case::http(b"HTTP/1.1 400 Bad Request\r\n\r\n".to_vec(), "HTTP")]
    #[case::tls(vec![0x15, 0x03, 0x03, 0, 2, 2, 40], "security.protocol")]
    #[case::negative((-1_i32).to_be_bytes().to_vec(), "not a Kafka broker")]
    #[case::too_large((FRAME_BYTES_MAX + 1).to_be_bytes().to_vec(), "not a Kafka broker")]
    #[case::cut(frame(b"abcdef")[..7].to_vec(), "in the middle")]
    #[tokio::test]
    async fn bytes_that_are_not_a_frame_are_an_error(
        #[case] bytes: Vec<u8>,
        #[case] expected: &str,
    ) {
        let mut reader = FrameReader::new(&bytes[..], FrameLimit::default());
        let error = reader.next().await.unwrap_err().to_string();
        assert!(error.contains(expected), "{error}");
    }

    #[tokio::test]
    async fn a_raised_limit_lets_larger_frames_in() {
        let limit = FrameLimit::default();
        limit.raise(FRAME_BYTES_MAX + 10);
        let bytes = (FRAME_BYTES_MAX + 1).to_be_bytes();
        let mut reader = FrameReader::new(&bytes[..], limit);
        let error = reader.next().await.unwrap_err().to_string();
        assert!(error.contains("in the middle"), "{error}");
    }
}
