//! The headers of requests and responses.

use bytes::BytesMut;

use crate::codec::{DecodeError, Decoder, EncodeError, Encoder, Str, UnknownTaggedFields};

/// The header of a request. Its version is [`crate::ApiKey::request_header_version`]: 1, or 2 with tagged fields.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct RequestHeader {
    /// The API key; it may be unknown.
    pub api_key: i16,
    /// The version of the request; it may be unsupported.
    pub api_version: i16,
    /// The id that the response repeats.
    pub correlation_id: i32,
    /// The client's name.
    pub client_id: Option<Str>,
    /// Tagged fields; Kafka has defined none yet.
    pub unknown_tagged_fields: UnknownTaggedFields,
}

impl RequestHeader {
    /// Decodes the part that is the same in every version: all fields except client id and tagged fields.
    pub(super) fn decode_start(decoder: &mut Decoder) -> Result<Self, DecodeError> {
        Ok(Self {
            api_key: decoder.i16()?,
            api_version: decoder.i16()?,
            correlation_id: decoder.i32()?,
            client_id: None,
            unknown_tagged_fields: UnknownTaggedFields::default(),
        })
    }

    /// Decodes the rest.
    pub(super) fn decode_end(
        &mut self,
        decoder: &mut Decoder,
        header_version: i16,
    ) -> Result<(), DecodeError> {
        decoder.set_flexible(false);
        self.client_id = decoder.nullable_string()?;
        decoder.set_flexible(header_version >= 2);
        self.unknown_tagged_fields = decoder.unknown_tagged_fields()?;
        Ok(())
    }

    /// Appends the header.
    pub fn encode(&self, out: &mut BytesMut, header_version: i16) -> Result<(), EncodeError> {
        let mut encoder = Encoder::new(out, false);
        encoder.i16(self.api_key)?;
        encoder.i16(self.api_version)?;
        encoder.i32(self.correlation_id)?;
        encoder.nullable_string(self.client_id.as_ref())?;
        encoder.set_flexible(header_version >= 2);
        encoder.unknown_tagged_fields(&self.unknown_tagged_fields)
    }
}

/// The header of a response. Its version is [`crate::ApiKey::response_header_version`]: 0, or 1 with tagged fields.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct ResponseHeader {
    /// The correlation id of the request.
    pub correlation_id: i32,
    /// Tagged fields; Kafka has defined none yet.
    pub unknown_tagged_fields: UnknownTaggedFields,
}

impl ResponseHeader {
    /// Decodes a header.
    pub fn decode(decoder: &mut Decoder, header_version: i16) -> Result<Self, DecodeError> {
        decoder.set_flexible(header_version >= 1);
        Ok(Self {
            correlation_id: decoder.i32()?,
            unknown_tagged_fields: decoder.unknown_tagged_fields()?,
        })
    }

    /// Appends the header.
    pub fn encode(&self, out: &mut BytesMut, header_version: i16) -> Result<(), EncodeError> {
        let mut encoder = Encoder::new(out, header_version >= 1);
        encoder.i32(self.correlation_id)?;
        encoder.unknown_tagged_fields(&self.unknown_tagged_fields)
    }
}
