//! Produce requests that came one right after the other: they are served together, so that the log takes them with one write.

use headwater_protocol::ProduceRequest;
use headwater_protocol::frame::RequestHeader;

use crate::reply::Reply;

/// A run that has so many bytes is served before more is taken in: longer ones gain nothing, and their memory is held until then.
const BYTES_MAX: usize = 1024 * 1024;

/// A Produce request that was read.
pub(crate) struct Produce {
    pub(crate) header: RequestHeader,
    pub(crate) reply: Reply,
    pub(crate) request: ProduceRequest,
}

/// Requests that were read and not begun, at least one.
pub(crate) struct ProduceRun {
    pub(crate) header: RequestHeader,
    pub(crate) replies: Vec<Reply>,
    pub(crate) requests: Vec<ProduceRequest>,
    bytes: usize,
}

impl ProduceRun {
    /// Begins with one, of a frame of so many bytes.
    pub(crate) fn new(first: Produce, frame_bytes: usize) -> Self {
        Self {
            header: first.header,
            replies: vec![first.reply],
            requests: vec![first.request],
            bytes: frame_bytes,
        }
    }

    /// Whether one more is served with these: it comes from the same client in the same version, and there is room.
    pub(crate) fn takes(&self, next: &Produce) -> bool {
        self.bytes < BYTES_MAX
            && self.header.api_version == next.header.api_version
            && self.header.client_id == next.header.client_id
    }

    /// Takes in one more.
    pub(crate) fn push(&mut self, next: Produce, frame_bytes: usize) {
        self.replies.push(next.reply);
        self.requests.push(next.request);
        self.bytes += frame_bytes;
    }

    /// How many there are.
    pub(crate) fn len(&self) -> usize {
        self.requests.len()
    }
}
