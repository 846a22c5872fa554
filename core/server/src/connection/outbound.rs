//! The send queue of a connection.

use std::collections::VecDeque;
use std::io::{self, IoSlice};
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use bytes::{Buf as _, Bytes};
use headwater_env::{FilePlace, file_behind};
use tokio::time::Instant;

use super::sink::Sink;

/// The maximum number of buffers of one write.
const PIECES_MAX: usize = 64;
/// The minimum size of a file range for `sendfile(2)`; shorter ranges are cheaper to copy than another call.
const FILE_BYTES_MIN: usize = 64 * 1024;

/// The response bytes that are not sent yet, in order. Records are never copied here.
#[derive(Debug)]
pub(super) struct Outbound {
    pieces: VecDeque<Bytes>,
    bytes: usize,
    /// When the first buffer reached the front.
    since: Instant,
    needs_flush: bool,
    /// Whether the stream supports `sendfile`.
    sends_files: bool,
}

impl Outbound {
    pub(super) fn new(now: Instant) -> Self {
        Self {
            pieces: VecDeque::new(),
            bytes: 0,
            since: now,
            needs_flush: false,
            sends_files: true,
        }
    }

    /// Appends the buffers of a response.
    pub(super) fn push(&mut self, answer: impl Iterator<Item = Bytes>, now: Instant) {
        if self.pieces.is_empty() {
            self.since = now;
        }
        for piece in answer {
            self.bytes += piece.len();
            self.pieces.push_back(piece);
        }
    }

    /// Writes until everything is written and flushed, or the peer accepts no more. Returns the number of bytes
    /// written.
    pub(super) fn poll_write(
        &mut self,
        mut stream: Pin<&mut impl Sink>,
        cx: &mut Context<'_>,
        now: Instant,
    ) -> Poll<io::Result<usize>> {
        let mut taken = 0;
        while !self.pieces.is_empty() {
            match self.poll_write_some(stream.as_mut(), cx) {
                Poll::Ready(Err(error))
                    if error.kind() == io::ErrorKind::Unsupported && self.sends_files =>
                {
                    self.sends_files = false;
                }
                Poll::Ready(Ok(0)) => return Poll::Ready(Err(io::ErrorKind::WriteZero.into())),
                Poll::Ready(Ok(written)) => {
                    taken += written;
                    self.advance(written, now);
                }
                Poll::Ready(Err(error)) => return Poll::Ready(Err(error)),
                Poll::Pending if taken > 0 => return Poll::Ready(Ok(taken)),
                Poll::Pending => return Poll::Pending,
            }
        }
        if self.needs_flush {
            ready!(stream.poll_flush(cx))?;
            self.needs_flush = false;
        }
        Poll::Ready(Ok(taken))
    }

    /// One system call.
    fn poll_write_some(
        &self,
        stream: Pin<&mut impl Sink>,
        cx: &mut Context<'_>,
    ) -> Poll<io::Result<usize>> {
        if let Some(piece) = self.pieces.front()
            && let Some(place) = self.place_in_file(piece)
        {
            return stream.poll_send_file(cx, &place, piece.len());
        }
        let mut slices = [IoSlice::new(&[]); PIECES_MAX];
        let mut count = 0;
        for (slice, piece) in slices.iter_mut().zip(&self.pieces) {
            if self.place_in_file(piece).is_some() {
                return stream.poll_write_before_file(cx, &slices[..count]);
            }
            *slice = IoSlice::new(piece);
            count += 1;
        }
        stream.poll_write_vectored(cx, &slices[..count])
    }

    /// The file range of a buffer, if it should be sent from the file.
    fn place_in_file(&self, piece: &Bytes) -> Option<FilePlace> {
        let from_file = self.sends_files && piece.len() >= FILE_BYTES_MIN;
        from_file.then(|| file_behind(piece)).flatten()
    }

    fn advance(&mut self, mut written: usize, now: Instant) {
        self.bytes -= written;
        self.needs_flush = true;
        while let Some(front) = self.pieces.front_mut() {
            if written < front.len() {
                front.advance(written);
                return;
            }
            written -= front.len();
            self.pieces.pop_front();
            self.since = now;
        }
    }

    /// The number of bytes that are not sent yet.
    pub(super) fn bytes(&self) -> usize {
        self.bytes
    }

    /// Whether everything was written and flushed.
    pub(super) fn is_done(&self) -> bool {
        self.pieces.is_empty() && !self.needs_flush
    }

    /// When the first buffer reached the front; `None` if the queue is empty.
    pub(super) fn leaving_since(&self) -> Option<Instant> {
        (!self.pieces.is_empty()).then_some(self.since)
    }
}
