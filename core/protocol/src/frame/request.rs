//! Requests with their headers.

use bytes::{Bytes, BytesMut};

use super::RequestHeader;
use super::length::{LENGTH_BYTES, with_length};
use crate::codec::{DecodeError, Decoder, EncodeError, Rope, Str, UnknownTaggedFields};
use crate::{ApiKey, Request};

/// A request with its header.
#[derive(Clone, Debug, PartialEq)]
pub struct RequestFrame {
    /// The header.
    pub header: RequestHeader,
    /// The request.
    pub request: Request,
}

/// Why a frame is not a supported request.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum RequestError {
    /// The API is unknown. Kafka ends the connection.
    #[error("API key {} is not served", header.api_key)]
    UnknownApi {
        /// The header, without client id.
        header: RequestHeader,
    },
    /// The API is supported, but not in this version. Kafka answers an `ApiVersions` request with
    /// [`super::encode_unsupported_version`] and ends the connection for any other.
    #[error("{api} version {} is not served; use one of {}", header.api_version, api.supported())]
    UnsupportedVersion {
        /// The API.
        api: ApiKey,
        /// The header, without client id.
        header: RequestHeader,
    },
    /// The bytes are not a valid request. The connection cannot continue.
    #[error("a request cannot be read: {0}")]
    Malformed(#[from] DecodeError),
}

/// Decodes the request in `frame` (without its length). Its strings and records share the frame's memory.
///
/// Bytes after the request are ignored, as in Kafka.
pub fn decode_request(frame: Bytes) -> Result<RequestFrame, RequestError> {
    let mut decoder = Decoder::new(frame);
    let mut header = RequestHeader::decode_start(&mut decoder)?;
    let Some(api) = ApiKey::from_code(header.api_key) else {
        return Err(RequestError::UnknownApi { header });
    };
    if !api.supported().contains(header.api_version) {
        return Err(RequestError::UnsupportedVersion { api, header });
    }
    header.decode_end(&mut decoder, api.request_header_version(header.api_version))?;
    let request = Request::decode(api, &mut decoder, header.api_version)?;
    Ok(RequestFrame { header, request })
}

/// Appends a complete request to `out`: length, header, request. After an error `out` is unchanged.
pub fn encode_request(
    out: &mut BytesMut,
    request: &Request,
    version: i16,
    correlation_id: i32,
    client_id: Option<&Str>,
) -> Result<(), EncodeError> {
    with_length(out, |out| {
        encode_header(out, request, version, correlation_id, client_id)?;
        request.encode(out, version)
    })
}

/// A complete request in pieces, starting with the length. The records are not copied.
pub fn encode_request_sharing(
    request: &Request,
    version: i16,
    correlation_id: i32,
    client_id: Option<&Str>,
) -> Result<Rope, EncodeError> {
    let mut out = Rope::default();
    let copied = out.copied_mut();
    copied.extend_from_slice(&[0; LENGTH_BYTES]);
    encode_header(copied, request, version, correlation_id, client_id)?;
    request.encode_sharing(&mut out, version)?;
    out.patch_length()?;
    Ok(out)
}

fn encode_header(
    out: &mut BytesMut,
    request: &Request,
    version: i16,
    correlation_id: i32,
    client_id: Option<&Str>,
) -> Result<(), EncodeError> {
    let api = request.api_key();
    let header = RequestHeader {
        api_key: api.code(),
        api_version: version,
        correlation_id,
        client_id: client_id.cloned(),
        unknown_tagged_fields: UnknownTaggedFields::default(),
    };
    header.encode(out, api.request_header_version(version))
}
