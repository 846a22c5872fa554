//! Keys and timestamps from the fields of JSON values.

use std::fmt;

use serde::Deserializer;
use serde::de::{DeserializeSeed, IgnoredAny, MapAccess, Visitor};
use serde_json::value::RawValue;

use crate::timestamp::{self, TextTime};

/// The names of the fields with the key and the timestamp of a record.
#[derive(Debug, Clone, Default)]
pub(super) struct FieldNames {
    pub(super) key: Option<String>,
    pub(super) timestamp: Option<String>,
}

/// The values of the fields.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct FieldValues {
    pub(super) key: Option<Vec<u8>>,
    pub(super) timestamp_ms: Option<i64>,
}

/// The fields as JSON.
#[derive(Default)]
pub(super) struct RawFields<'a> {
    key: Option<&'a RawValue>,
    timestamp: Option<&'a RawValue>,
}

impl FieldNames {
    /// Reads the fields of a JSON object. The error is a reason that continues a sentence.
    pub(super) fn read(&self, json: &[u8]) -> Result<FieldValues, String> {
        if self.key.is_none() && self.timestamp.is_none() {
            return Ok(FieldValues::default());
        }
        let mut reader = serde_json::Deserializer::from_slice(json);
        let fields = self
            .deserialize(&mut reader)
            .and_then(|fields| reader.end().map(|()| fields))
            .map_err(|error| format!("is not a JSON object ({error})"))?;
        let key = self.key.as_deref().map(|name| key(name, fields.key));
        let timestamp = self.timestamp.as_deref();
        let timestamp_ms = timestamp.map(|name| timestamp_ms(name, fields.timestamp));
        Ok(FieldValues {
            key: key.transpose()?.flatten(),
            timestamp_ms: timestamp_ms.transpose()?,
        })
    }
}

/// A text without its quotes, another value as its JSON, and `null` as no key.
fn key(name: &str, value: Option<&RawValue>) -> Result<Option<Vec<u8>>, String> {
    let text = value.ok_or_else(|| format!("has no field {name:?}"))?.get();
    if text == "null" {
        return Ok(None);
    }
    Ok(Some(match serde_json::from_str::<String>(text) {
        Ok(text) => text.into_bytes(),
        Err(_) => text.as_bytes().to_vec(),
    }))
}

fn timestamp_ms(name: &str, value: Option<&RawValue>) -> Result<i64, String> {
    let text = value.ok_or_else(|| format!("has no field {name:?}"))?.get();
    let time = match serde_json::from_str::<String>(text) {
        Ok(text) => timestamp::parse_in_utc(&text).map(TextTime::floor_ms),
        Err(_) => number_ms(text),
    };
    time.filter(|time| *time >= 0).ok_or_else(|| {
        format!(
            "has {text} in field {name:?}, which is not a time since 1970 (milliseconds, or a text such as \"2026-01-31T12:00:00Z\")"
        )
    })
}

fn number_ms(text: &str) -> Option<i64> {
    if let Ok(time) = text.parse() {
        return Some(time);
    }
    let time = text.parse::<f64>().ok()?.floor();
    // Integers up to 2^53 are exact.
    (time.abs() < 9e15).then_some(time as i64)
}

impl<'de> DeserializeSeed<'de> for &FieldNames {
    type Value = RawFields<'de>;

    fn deserialize<D: Deserializer<'de>>(self, reader: D) -> Result<Self::Value, D::Error> {
        reader.deserialize_map(self)
    }
}

impl<'de> Visitor<'de> for &FieldNames {
    type Value = RawFields<'de>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<M: MapAccess<'de>>(self, mut map: M) -> Result<Self::Value, M::Error> {
        let mut fields = RawFields::default();
        while let Some(found) = map.next_key_seed(MatchName(self))? {
            if !found.is_key && !found.is_timestamp {
                map.next_value::<IgnoredAny>()?;
                continue;
            }
            let value = Some(map.next_value::<&RawValue>()?);
            if found.is_key {
                fields.key = value;
            }
            if found.is_timestamp {
                fields.timestamp = value;
            }
        }
        Ok(fields)
    }
}

/// Compares the name of a field.
struct MatchName<'n>(&'n FieldNames);

struct NameMatch {
    is_key: bool,
    is_timestamp: bool,
}

impl<'de> DeserializeSeed<'de> for MatchName<'_> {
    type Value = NameMatch;

    fn deserialize<D: Deserializer<'de>>(self, reader: D) -> Result<NameMatch, D::Error> {
        reader.deserialize_str(self)
    }
}

impl Visitor<'_> for MatchName<'_> {
    type Value = NameMatch;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the name of a field")
    }

    fn visit_str<E: serde::de::Error>(self, name: &str) -> Result<NameMatch, E> {
        Ok(NameMatch {
            is_key: self.0.key.as_deref() == Some(name),
            is_timestamp: self.0.timestamp.as_deref() == Some(name),
        })
    }

    fn visit_bytes<E: serde::de::Error>(self, name: &[u8]) -> Result<NameMatch, E> {
        let name = str::from_utf8(name).map_err(E::custom)?;
        self.visit_str(name)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(json: &str) -> Result<FieldValues, String> {
        let names = FieldNames {
            key: Some("carrier".to_owned()),
            timestamp: Some("time".to_owned()),
        };
        names.read(json.as_bytes())
    }

    fn time(json: &str) -> Result<i64, String> {
        let values = read(&format!("{{\"carrier\": null, \"time\": {json}}}"))?;
        assert_eq!(values.key, None);
        Ok(values.timestamp_ms.unwrap())
    }

    #[test]
    fn keys_are_texts_or_json() {
        let key = |json: &str| {
            let values = read(&format!(
                "{{\"time\": 1, \"other\": [{{}}], \"carrier\": {json}}}"
            ));
            String::from_utf8(values.unwrap().key.unwrap()).unwrap()
        };
        assert_eq!(key("\"U\\u0041\""), "UA");
        assert_eq!(key("\"\""), "");
        assert_eq!(key("12345678901234567890123"), "12345678901234567890123");
        assert_eq!(key("{\"a\": 1}"), "{\"a\": 1}");
    }

    #[test]
    fn times_are_iso_or_milliseconds() {
        assert_eq!(time("1700000000000"), Ok(1_700_000_000_000));
        assert_eq!(time("1700000000000.9"), Ok(1_700_000_000_000));
        assert_eq!(time("1.7e12"), Ok(1_700_000_000_000));
        assert_eq!(time("\"2013-01-01T05:00:00Z\""), Ok(1_357_016_400_000));
        assert_eq!(time("\"2013-01-01T05:00:00-05:00\""), Ok(1_357_034_400_000));
        assert_eq!(time("\"2013-01-01 05:00:00\""), Ok(1_357_016_400_000));
        assert_eq!(time("\"2013-01-01\""), Ok(1_356_998_400_000));
    }

    #[test]
    fn other_values_are_not_times() {
        for json in [
            "\"yesterday\"",
            "\"2013-01-01[Europe/Berlin]\"",
            "true",
            "null",
            "[]",
            "-1",
            "1e300",
            "\"1969-12-31T00:00:00Z\"",
        ] {
            let error = time(json).unwrap_err();
            assert!(error.contains("not a time since 1970"), "{error}");
        }
    }

    #[test]
    fn lines_without_the_fields_are_errors() {
        for (json, reason) in [
            ("{\"carrier\": \"UA\"}", "has no field \"time\""),
            ("{\"time\": 1}", "has no field \"carrier\""),
            ("[1]", "is not a JSON object"),
            ("late", "is not a JSON object"),
            (
                "{\"carrier\": \"UA\", \"time\": 1} late",
                "is not a JSON object",
            ),
            ("", "is not a JSON object"),
        ] {
            let error = read(json).unwrap_err();
            assert!(error.contains(reason), "{json}: {error}");
        }
    }

    #[test]
    fn one_field_can_be_both() {
        let names = FieldNames {
            key: Some("time".to_owned()),
            timestamp: Some("time".to_owned()),
        };
        let values = names.read(b"{\"time\": 7}").unwrap();
        assert_eq!(
            (values.key, values.timestamp_ms),
            (Some(b"7".to_vec()), Some(7))
        );
    }
}
