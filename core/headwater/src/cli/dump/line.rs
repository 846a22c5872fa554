//! Batches and records as lines, with the names of Kafka's `DumpLogSegments`.

use std::fmt;

use headwater_record::{BatchHeader, ProducerId, RecordView, TimestampType};
use serde::Serialize;

use crate::cli::output::printable;
use crate::cli::payload::{Payload, PayloadFormat};

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct BatchLine {
    base_offset: i64,
    last_offset: i64,
    count: i32,
    base_sequence: i32,
    producer_id: i64,
    producer_epoch: i16,
    partition_leader_epoch: i32,
    is_transactional: bool,
    is_control: bool,
    position: u64,
    timestamp_type: &'static str,
    max_timestamp: i64,
    size: usize,
    magic: i8,
    compresscodec: String,
    crc: u32,
    isvalid: bool,
}

impl BatchLine {
    pub(super) fn new(position: u64, header: &BatchHeader, is_valid: bool) -> Self {
        let attributes = header.attributes;
        Self {
            base_offset: header.base_offset.get(),
            last_offset: header
                .base_offset
                .get()
                .saturating_add(i64::from(header.last_offset_delta)),
            count: header.record_count,
            base_sequence: header.base_sequence,
            producer_id: header.producer_id.map_or(-1, ProducerId::get),
            producer_epoch: header.producer_epoch.get(),
            partition_leader_epoch: header.leader_epoch.get(),
            is_transactional: attributes.is_transactional(),
            is_control: attributes.is_control(),
            position,
            timestamp_type: match attributes.timestamp_type() {
                TimestampType::CreateTime => "CreateTime",
                TimestampType::LogAppendTime => "LogAppendTime",
            },
            max_timestamp: header.max_timestamp_ms,
            size: header.size_in_bytes(),
            magic: header.magic,
            compresscodec: attributes
                .compression()
                .map_or_else(|unknown| unknown.to_string(), |codec| codec.to_string()),
            crc: header.crc,
            isvalid: is_valid,
        }
    }
}

impl fmt::Display for BatchLine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "baseOffset: {} lastOffset: {} count: {} baseSequence: {} producerId: {} producerEpoch: {} partitionLeaderEpoch: {} \
             isTransactional: {} isControl: {} position: {} {}: {} size: {} magic: {} compresscodec: {} crc: {} isvalid: {}",
            self.base_offset,
            self.last_offset,
            self.count,
            self.base_sequence,
            self.producer_id,
            self.producer_epoch,
            self.partition_leader_epoch,
            self.is_transactional,
            self.is_control,
            self.position,
            self.timestamp_type,
            self.max_timestamp,
            self.size,
            self.magic,
            self.compresscodec,
            self.crc,
            self.isvalid,
        )
    }
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct RecordLine {
    offset: i64,
    timestamp: i64,
    key_size: i64,
    value_size: i64,
    header_keys: Vec<String>,
    key: Option<Payload>,
    payload: Option<Payload>,
    #[serde(skip)]
    text: String,
}

impl RecordLine {
    pub(super) fn new(record: &RecordView<'_>, key: PayloadFormat, value: PayloadFormat) -> Self {
        let size = |bytes: Option<&[u8]>| bytes.map_or(-1, |bytes| bytes.len() as i64);
        let text = format!(
            "key: {} payload: {}",
            printable(Payload::text(record.key)),
            printable(Payload::text(record.value)),
        );
        Self {
            offset: record.offset.get(),
            timestamp: record.timestamp_ms,
            key_size: size(record.key),
            value_size: size(record.value),
            header_keys: record
                .headers
                .map(|header| header.key_text().into_owned())
                .collect(),
            key: record.key.map(|bytes| Payload::new(bytes, key)),
            payload: record.value.map(|bytes| Payload::new(bytes, value)),
            text,
        }
    }
}

impl fmt::Display for RecordLine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "| offset: {} timestamp: {} keySize: {} valueSize: {} headerKeys: [{}] {}",
            self.offset,
            self.timestamp,
            self.key_size,
            self.value_size,
            printable(self.header_keys.join(",")),
            self.text,
        )
    }
}

/// Damage, or a batch whose records cannot be decoded.
#[derive(Debug, Serialize)]
pub(super) struct Damage {
    pub(super) position: u64,
    #[serde(rename = "damage")]
    pub(super) reason: String,
}

impl fmt::Display for Damage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "position: {} damage: {}", self.position, self.reason)
    }
}

/// Padding or preallocated space.
#[derive(Debug, Serialize)]
pub(super) struct Zeros {
    pub(super) position: u64,
    #[serde(rename = "zeros")]
    pub(super) bytes: u64,
}

impl fmt::Display for Zeros {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "position: {} zeros: {}, taken in advance",
            self.position, self.bytes
        )
    }
}
