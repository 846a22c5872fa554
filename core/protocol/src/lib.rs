//! Kafka's messages with a codec that is safe on hostile bytes.
//!
//! The structs are generated from the message definitions of Apache Kafka (`core/protocol/generate`): a message such as
//! [`ProduceRequest`] stands at the root of this crate, the structs inside it in the module of its name ([`produce_request`]).
//! [`Message`] decodes and encodes them at a version, [`Request`] and [`Response`] hold one of any API, [`ApiKey`] is the table
//! of supported versions, [`frame`] puts headers and lengths around them, and [`ErrorCode`] names what brokers answer.
//!
//! In process, requests and responses are handed over as they are; encoding happens at a socket only.

pub mod api;
pub mod codec;
mod error_code;
pub mod frame;
#[rustfmt::skip]
#[allow(clippy::pedantic)]
#[allow(missing_docs)] // A field without a note: its name says it, and it is there in all versions.
pub mod generated;
pub mod message;

pub use api::{ApiRequest, WrongResponse};
pub use codec::{DecodeError, Decoder, EncodeError, Encoder, Str, UnknownTaggedFields};
pub use error_code::ErrorCode;
pub use generated::apis::{ApiKey, Request, Response};
pub use generated::*;
pub use message::{Message, RecordMessage, VersionRange};
