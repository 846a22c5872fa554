//! Keys and values as text.

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use clap::ValueEnum;
use serde::{Serialize, Serializer};
use serde_json::value::RawValue;

/// The format of keys and values in JSON and CSV.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, ValueEnum)]
pub(crate) enum PayloadFormat {
    /// As a string; bytes that are not UTF-8 as {"base64": "..."}
    #[default]
    Text,
    /// As embedded JSON; other bytes as with text
    Json,
    /// As {"base64": "..."}
    Base64,
}

/// A key or a value.
#[derive(Debug, Serialize)]
#[serde(untagged)]
pub(crate) enum Payload {
    Text(String),
    Json(Box<RawValue>),
    Base64(Base64),
}

#[derive(Debug, Serialize)]
pub(crate) struct Base64 {
    #[serde(serialize_with = "base64")]
    base64: Vec<u8>,
}

fn base64<S: Serializer>(bytes: &[u8], serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(&BASE64_STANDARD.encode(bytes))
}

impl Payload {
    pub(crate) fn new(bytes: &[u8], writing: PayloadFormat) -> Self {
        let encoded = || {
            Self::Base64(Base64 {
                base64: bytes.to_vec(),
            })
        };
        let Ok(text) = str::from_utf8(bytes) else {
            return encoded();
        };
        match writing {
            PayloadFormat::Base64 => encoded(),
            PayloadFormat::Text => Self::Text(text.to_owned()),
            // A line of output must stay one line.
            PayloadFormat::Json => match serde_json::from_str::<Box<RawValue>>(text) {
                Ok(value) if !text.contains(['\n', '\r']) => Self::Json(value),
                _ => Self::Text(text.to_owned()),
            },
        }
    }

    /// The text for people.
    pub(crate) fn text(bytes: Option<&[u8]>) -> String {
        bytes.map_or_else(
            || "null".to_owned(),
            |bytes| String::from_utf8_lossy(bytes).into_owned(),
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn written(bytes: &[u8], writing: PayloadFormat) -> String {
        serde_json::to_string(&Payload::new(bytes, writing)).unwrap()
    }

    #[test]
    fn text_is_a_string_and_other_bytes_are_base64() {
        assert_eq!(written(b"a\"b", PayloadFormat::Text), r#""a\"b""#);
        assert_eq!(
            written(b"\xff", PayloadFormat::Text),
            r#"{"base64":"/w=="}"#
        );
        assert_eq!(written(b"a", PayloadFormat::Base64), r#"{"base64":"YQ=="}"#);
    }

    #[test]
    fn json_is_embedded_as_it_is() {
        let number = br#"{"n": 12345678901234567890123}"#;
        assert_eq!(written(number, PayloadFormat::Json).as_bytes(), number);
        assert_eq!(written(b"late", PayloadFormat::Json), r#""late""#);
        assert_eq!(written(b"[1,\n2]", PayloadFormat::Json), r#""[1,\n2]""#);
    }
}
