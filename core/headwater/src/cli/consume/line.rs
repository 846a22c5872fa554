//! A record as a row of output.

use serde::Serialize;

use super::record::TableRecord;
use crate::cli::output::Row;
use crate::cli::payload::{Payload, PayloadFormat};

/// The formats of keys and values.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct PayloadFormats {
    pub(super) key: PayloadFormat,
    pub(super) value: PayloadFormat,
}

#[derive(Debug, Serialize)]
pub(super) struct RecordLine<'a> {
    pub(super) partition: i32,
    pub(super) offset: i64,
    timestamp: i64,
    pub(super) key: Option<Payload>,
    pub(super) value: Option<Payload>,
    pub(super) headers: Vec<(&'a str, Option<Payload>)>,
    #[serde(skip)]
    pub(super) record: TableRecord<'a>,
}

impl<'a> RecordLine<'a> {
    pub(super) fn new(record: TableRecord<'a>, formats: PayloadFormats) -> Self {
        let header = |(name, value): &(&'a str, Option<&[u8]>)| {
            let value = value.map(|bytes| Payload::new(bytes, PayloadFormat::Text));
            (*name, value)
        };
        Self {
            partition: record.partition,
            offset: record.offset,
            timestamp: record.timestamp,
            key: record.key.map(|bytes| Payload::new(bytes, formats.key)),
            value: record.value.map(|bytes| Payload::new(bytes, formats.value)),
            headers: record.headers.iter().map(header).collect(),
            record,
        }
    }
}

impl Row for RecordLine<'_> {
    const HEADINGS: &'static [&'static str] = &["PARTITION", "OFFSET", "TIME", "KEY", "VALUE"];

    fn cells(&self) -> Vec<String> {
        vec![
            self.partition.to_string(),
            self.offset.to_string(),
            self.record.time(),
            Payload::text(self.record.key),
            Payload::text(self.record.value),
        ]
    }
}
