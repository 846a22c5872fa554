//! Copies of the parts of a request that a group keeps.

use bytes::Bytes;
use headwater_protocol::Str;

/// A copy that does not keep the request's frame alive.
pub(crate) fn detached(text: &str) -> Str {
    Str::from(text)
}

/// A copy that does not keep the request's frame alive.
pub(crate) fn detached_bytes(bytes: &Bytes) -> Bytes {
    Bytes::copy_from_slice(bytes)
}
