//! What has arrived: bytes that become frames.

use bytes::{Bytes, BytesMut};
use headwater_protocol::frame::{FrameError, LENGTH_BYTES, take_frame};
use tokio::io::{AsyncRead, AsyncReadExt as _};
use tokio::time::Instant;

/// What one read asks for at least.
const READ_BYTES: usize = 16 * 1024;
/// What one read asks for at least of a client that sends faster than it is read.
const READ_BYTES_BUSY: usize = 128 * 1024;
/// What a connection gets at once, when it has already sent a frame as long.
const KNOWN_BYTES_MAX: usize = 1024 * 1024;

/// The receive buffer of a connection.
///
/// Memory is given as bytes arrive: a frame that announces much gets room for as much again as is there of it, or for as much as an
/// earlier frame of the connection really had. Frames share the buffer's memory, and once they are gone it is used again.
///
/// A client that has several short requests on the way finds them read together: each read that is filled lets the next ask for twice as
/// much. Then one call of the system receives them, and one sends all their answers.
#[derive(Debug)]
pub(super) struct Inbound {
    buffer: BytesMut,
    /// The longest frame that came, up to a bound.
    known: usize,
    /// What the next read asks for at least.
    stride: usize,
    /// Since when the frame at the front has been arriving.
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

    /// The next frame, if all of it is there.
    pub(super) fn take(&mut self, limit: usize, now: Instant) -> Result<Option<Bytes>, FrameError> {
        let frame = take_frame(&mut self.buffer, u32::try_from(limit).unwrap_or(u32::MAX))?;
        if let Some(frame) = &frame {
            self.known = self.known.max(frame.len().min(KNOWN_BYTES_MAX));
            self.since = now;
        }
        Ok(frame)
    }

    /// Reads once: how many bytes came, 0 at the end of the stream.
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

    /// What the next read asks for.
    fn wanted(&self) -> usize {
        let most = self.buffer.len().max(self.known).max(READ_BYTES);
        match self.arriving() {
            None => most.max(self.stride),
            // No more than the rest of it, so that the next one begins at the front of the buffer and is never moved.
            Some(whole) if whole > self.stride => (whole - self.buffer.len()).min(most),
            Some(_) => self.stride,
        }
    }

    /// How long the frame at the front is, if its length has come.
    fn arriving(&self) -> Option<usize> {
        let length = i32::from_be_bytes(*self.buffer.first_chunk::<LENGTH_BYTES>()?);
        Some(usize::try_from(length).unwrap_or(0) + LENGTH_BYTES)
    }

    /// Gives memory back, if nothing is in it.
    pub(super) fn release(&mut self) {
        if self.buffer.is_empty() {
            self.buffer = BytesMut::new();
        }
    }

    /// How many bytes it holds, used or not.
    pub(super) fn capacity(&self) -> usize {
        self.buffer.capacity()
    }

    /// Since when a frame has been arriving that is not whole yet.
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
    async fn a_frame_that_announces_much_is_given_memory_only_as_it_arrives() {
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
    async fn frames_that_are_gone_leave_their_memory_to_the_next() {
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
