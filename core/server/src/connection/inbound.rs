//! The receive buffer of a connection.

use bytes::{Bytes, BytesMut};
use headwater_protocol::frame::{FrameError, LENGTH_BYTES, take_frame};
use tokio::io::{AsyncRead, AsyncReadExt as _};
use tokio::time::Instant;

/// The minimum size of a read.
const READ_BYTES: usize = 16 * 1024;
/// The maximum of the growing read size of a busy client.
const READ_BYTES_BUSY: usize = 128 * 1024;
/// The initial buffer size for a frame, if the connection has received one of this size before; at most this.
const KNOWN_BYTES_MAX: usize = 1024 * 1024;

/// The receive buffer of a connection.
///
/// It grows as bytes arrive: a long frame gets at most as much additional memory as it has received, or as much as an
/// earlier frame of the connection. Frames are slices of the buffer; its memory is reused when they are dropped.
///
/// Short requests that a client has in flight are read together: each read that fills its buffer doubles the size of
/// the next. Then one system call receives them, and one sends all responses.
#[derive(Debug)]
pub(super) struct Inbound {
    buffer: BytesMut,
    /// The size of the largest frame so far, up to a limit.
    known: usize,
    /// The minimum size of the next read.
    stride: usize,
    /// When the current frame started to arrive.
    since: Instant,
}

impl Inbound {
    pub(super) fn new(now: Instant) -> Self {
        Self {
            buffer: BytesMut::new(),
            known: 0,
            stride: READ_BYTES,
            since: now,
        }
    }

    /// The next frame, if it is complete.
    pub(super) fn take(&mut self, limit: usize, now: Instant) -> Result<Option<Bytes>, FrameError> {
        let frame = take_frame(&mut self.buffer, u32::try_from(limit).unwrap_or(u32::MAX))?;
        if let Some(frame) = &frame {
            self.known = self.known.max(frame.len().min(KNOWN_BYTES_MAX));
            self.since = now;
        }
        Ok(frame)
    }

    /// Reads once. Returns the number of bytes, 0 at the end of the stream.
    pub(super) async fn read(
        &mut self,
        stream: &mut (impl AsyncRead + Unpin),
        now: Instant,
    ) -> std::io::Result<usize> {
        let wanted = self.wanted();
        self.buffer.reserve(wanted);
        if self.buffer.is_empty() {
            self.since = now;
        }
        let read = stream.read_buf(&mut self.buffer).await?;
        if wanted == self.stride && read >= wanted {
            self.stride = (2 * self.stride).min(READ_BYTES_BUSY);
        }
        Ok(read)
    }

    /// The size of the next read.
    fn wanted(&self) -> usize {
        let most = self.buffer.len().max(self.known).max(READ_BYTES);
        match self.arriving() {
            None => most.max(self.stride),
            // At most the rest of the frame, so that the next frame starts at the front of the buffer and is never
            // moved.
            Some(whole) if whole > self.stride => (whole - self.buffer.len()).min(most),
            Some(_) => self.stride,
        }
    }

    /// The size of the current frame, if its length has arrived.
    fn arriving(&self) -> Option<usize> {
        let length = i32::from_be_bytes(*self.buffer.first_chunk::<LENGTH_BYTES>()?);
        Some(usize::try_from(length).unwrap_or(0) + LENGTH_BYTES)
    }

    /// Releases the memory of an empty buffer.
    pub(super) fn release(&mut self) {
        if self.buffer.is_empty() {
            self.buffer = BytesMut::new();
        }
    }

    /// The size of the buffer in bytes.
    pub(super) fn capacity(&self) -> usize {
        self.buffer.capacity()
    }

    /// When the current incomplete frame started to arrive.
    pub(super) fn arriving_since(&self) -> Option<Instant> {
        (!self.buffer.is_empty()).then_some(self.since)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LIMIT: usize = 100 << 20;

    fn frame(length: usize) -> Vec<u8> {
        [&(length as i32).to_be_bytes()[..], &vec![7; length]].concat()
    }

    #[tokio::test]
    async fn a_long_frame_gets_memory_only_as_it_arrives() {
        let now = Instant::now();
        let mut inbound = Inbound::new(now);
        let whole = frame(LIMIT);
        for arrived in [4, 100, 5_000, 100_000, 1_000_000] {
            let mut part = &whole[inbound.buffer.len()..arrived];
            while !part.is_empty() {
                inbound.read(&mut part, now).await.unwrap();
            }
            assert_eq!(inbound.take(LIMIT, now), Ok(None));
            assert!(
                inbound.capacity() <= 2 * (arrived + READ_BYTES) + READ_BYTES,
                "{} bytes for {arrived}",
                inbound.capacity()
            );
        }
    }

    #[tokio::test]
    async fn dropped_frames_leave_their_memory_to_the_next() {
        let now = Instant::now();
        let mut inbound = Inbound::new(now);
        let whole = frame(200_000);
        let mut most = 0;
        for _ in 0..100 {
            let mut rest = &whole[..];
            while !rest.is_empty() {
                inbound.read(&mut rest, now).await.unwrap();
            }
            assert!(inbound.take(LIMIT, now).unwrap().is_some());
            most = most.max(inbound.capacity());
        }
        assert!(most < 3 * 200_000, "{most}");
        inbound.release();
        assert_eq!(inbound.capacity(), 0);
    }
}
