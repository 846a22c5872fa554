//! Kafka's messages with a codec that is safe for hostile bytes.
//!
//! The structs are generated from the message definitions of Apache Kafka (`core/protocol/generate`). A message such as
//! [`ProduceRequest`] is at the root of this crate, its nested structs are in the module of its name
//! ([`produce_request`]). [`Message`] decodes and encodes them at a version, [`Request`] and [`Response`] contain one
//! of any API, [`ApiKey`] is the table of supported versions, [`frame`] adds headers and lengths, and [`ErrorCode`] has
//! Kafka's error codes.
//!
//! In process, requests and responses are passed as structs; encoding happens at a socket only.

pub mod api;
pub mod codec;
mod error_code;
pub mod frame;
#[rustfmt::skip]
#[allow(clippy::pedantic)]
#[allow(missing_docs)] // Fields without documentation exist in all versions.
pub mod generated;
pub mod message;

pub use api::{ApiRequest, WrongResponse};
pub use codec::{DecodeError, Decoder, EncodeError, Encoder, Str, UnknownTaggedFields};
pub use error_code::ErrorCode;
pub use generated::apis::{ApiKey, Request, Response};
pub use generated::*;
pub use message::{Message, RecordMessage, VersionRange};
