//! Responses with their headers.

use bytes::{Bytes, BytesMut};

use super::ResponseHeader;
use super::length::{LENGTH_BYTES, with_length};
use crate::api_versions_response::ApiVersion;
use crate::codec::{DecodeError, Decoder, EncodeError, Rope, UnknownTaggedFields};
use crate::{ApiKey, ApiVersionsResponse, ErrorCode, Response};

/// Decodes the response in `frame` (without its length) to a request of `api` at `version`. Its strings and records
/// share the frame's memory. Bytes after the response are ignored, as in Kafka.
///
/// A broker that does not support our version of `ApiVersions` answers in version 0, with the error code
/// `UnsupportedVersion`; this response is decoded too.
pub fn decode_response(
    frame: Bytes,
    api: ApiKey,
    version: i16,
) -> Result<(ResponseHeader, Response), DecodeError> {
    let mut decoder = Decoder::new(frame);
    let header = ResponseHeader::decode(&mut decoder, api.response_header_version(version))?;
    let version = if api == ApiKey::ApiVersions && refuses_version(&decoder) {
        0
    } else {
        version
    };
    let response = Response::decode(api, &mut decoder, version)?;
    Ok((header, response))
}

fn refuses_version(body: &Decoder) -> bool {
    body.clone().i16() == Ok(ErrorCode::UnsupportedVersion.code())
}

/// Appends a complete response to `out`: length, header, response. After an error `out` is unchanged.
pub fn encode_response(
    out: &mut BytesMut,
    response: &Response,
    version: i16,
    correlation_id: i32,
) -> Result<(), EncodeError> {
    with_length(out, |out| {
        encode_header(out, response, version, correlation_id)?;
        response.encode(out, version)
    })
}

/// A complete response in pieces, starting with the length. The records are not copied.
pub fn encode_response_sharing(
    response: &Response,
    version: i16,
    correlation_id: i32,
) -> Result<Rope, EncodeError> {
    let mut out = Rope::default();
    let copied = out.copied_mut();
    copied.extend_from_slice(&[0; LENGTH_BYTES]);
    encode_header(copied, response, version, correlation_id)?;
    response.encode_sharing(&mut out, version)?;
    out.patch_length()?;
    Ok(out)
}

fn encode_header(
    out: &mut BytesMut,
    response: &Response,
    version: i16,
    correlation_id: i32,
) -> Result<(), EncodeError> {
    let header = ResponseHeader {
        correlation_id,
        unknown_tagged_fields: UnknownTaggedFields::default(),
    };
    header.encode(out, response.api_key().response_header_version(version))
}

/// Appends the response to an `ApiVersions` request of an unsupported version: version 0, `UnsupportedVersion`, and the
/// versions of `api_keys`, from which the client chooses another one.
pub fn encode_unsupported_version(
    out: &mut BytesMut,
    correlation_id: i32,
    api_keys: Vec<ApiVersion>,
) -> Result<(), EncodeError> {
    let error_code = ErrorCode::UnsupportedVersion.code();
    let response = ApiVersionsResponse {
        error_code,
        api_keys,
        ..ApiVersionsResponse::default()
    };
    encode_response(out, &response.into(), 0, correlation_id)
}
