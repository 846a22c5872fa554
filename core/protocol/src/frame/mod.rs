//! Frames and headers of messages on a connection.
//!
//! ```text
//! request    length i32, api key i16, api version i16, correlation id i32, client id nullable string,
//!            [tagged fields, header version 2], request
//! response   length i32, correlation id i32, [tagged fields, header version 1], response
//! ```
//!
//! The length counts the bytes after it. The client id always has the old form of a string, so that a broker can decode
//! the header of an unknown version.

mod header;
mod length;
mod request;
mod response;

pub use header::{RequestHeader, ResponseHeader};
pub use length::{FrameError, LENGTH_BYTES, take_frame};
pub use request::{
    RequestError, RequestFrame, decode_request, encode_request, encode_request_sharing,
};
pub use response::{
    decode_response, encode_response, encode_response_sharing, encode_unsupported_version,
};
