//! Runs of Produce requests that arrived together; the log appends them with one write.

use headwater_protocol::ProduceRequest;
use headwater_protocol::frame::RequestHeader;

use crate::reply::Reply;

/// The maximum size of a run. Longer runs are not faster, and their memory is held until the end.
const BYTES_MAX: usize = 1024 * 1024;

/// A decoded Produce request.
pub(crate) struct Produce {
    pub(crate) header: RequestHeader,
    pub(crate) reply: Reply,
    pub(crate) request: ProduceRequest,
}

/// Produce requests to be handled together, at least one.
pub(crate) struct ProduceRun {
    pub(crate) header: RequestHeader,
    pub(crate) replies: Vec<Reply>,
    pub(crate) requests: Vec<ProduceRequest>,
    bytes: usize,
}

impl ProduceRun {
    /// A run of one request, whose frame has `frame_bytes`.
    pub(crate) fn new(first: Produce, frame_bytes: usize) -> Self {
        Self {
            header: first.header,
            replies: vec![first.reply],
            requests: vec![first.request],
            bytes: frame_bytes,
        }
    }

    /// Whether the run accepts another request: it needs the same client id and version, and the run must not be full.
    pub(crate) fn takes(&self, next: &Produce) -> bool {
        self.bytes < BYTES_MAX
            && self.header.api_version == next.header.api_version
            && self.header.client_id == next.header.client_id
    }

    /// Adds a request.
    pub(crate) fn push(&mut self, next: Produce, frame_bytes: usize) {
        self.replies.push(next.reply);
        self.requests.push(next.request);
        self.bytes += frame_bytes;
    }

    /// The number of requests.
    pub(crate) fn len(&self) -> usize {
        self.requests.len()
    }
}
