//! The batches of `fixtures/cases.json`, which other clients encode too.

use headwater_record::{
    BatchBuilder, BatchOptions, Compression, ProducerEpoch, ProducerId, ProducerState, RecordView,
};
use serde_json::Value;

/// One batch to encode.
pub(crate) struct Case {
    pub(crate) name: String,
    pub(crate) records: Vec<Record>,
    producer: Option<ProducerState>,
    transactional: bool,
}

#[derive(Debug, PartialEq)]
pub(crate) struct Record {
    pub(crate) timestamp_ms: i64,
    pub(crate) key: Option<Vec<u8>>,
    pub(crate) value: Option<Vec<u8>>,
    pub(crate) headers: Vec<(String, Option<Vec<u8>>)>,
}

pub(crate) fn parse(json: &str) -> Vec<Case> {
    let cases: Value = serde_json::from_str(json).expect("the cases are JSON");
    list(&cases).iter().map(Case::parse).collect()
}

impl Case {
    fn parse(case: &Value) -> Self {
        let producer = &case["producer"];
        Self {
            name: text(&case["name"]),
            records: list(&case["records"]).iter().map(Record::parse).collect(),
            producer: (!producer.is_null()).then(|| ProducerState {
                id: ProducerId::new(number(&producer["id"])),
                epoch: ProducerEpoch::new(number(&producer["epoch"]) as i16),
                base_sequence: number(&producer["base_sequence"]) as i32,
            }),
            transactional: case["transactional"] == true,
        }
    }

    /// The batch as this crate encodes it.
    pub(crate) fn encode(&self, compression: Compression) -> Vec<u8> {
        let mut builder = BatchBuilder::new(BatchOptions {
            compression,
            producer: self.producer,
            transactional: self.transactional,
            capacity: 1 << 20,
            ..BatchOptions::default()
        });
        for record in &self.records {
            let headers: Vec<_> = record
                .headers
                .iter()
                .map(|(key, value)| (key.as_str(), value.as_deref()))
                .collect();
            let (key, value) = (record.key.as_deref(), record.value.as_deref());
            builder
                .try_append(record.timestamp_ms, key, value, &headers)
                .expect("the case fits a batch");
        }
        builder.finish().expect("the case has records").to_vec()
    }
}

impl Record {
    fn parse(record: &Value) -> Self {
        let header = |header: &Value| (text(&header[0]), bytes(&header[1]));
        Self {
            timestamp_ms: number(&record["timestamp_ms"]),
            key: bytes(&record["key"]),
            value: bytes(&record["value"]),
            headers: list(&record["headers"]).iter().map(header).collect(),
        }
    }

    pub(crate) fn of(view: &RecordView<'_>) -> Self {
        let headers = view.headers.map(|header| {
            (
                header.key_text().into_owned(),
                header.value.map(<[u8]>::to_vec),
            )
        });
        Self {
            timestamp_ms: view.timestamp_ms,
            key: view.key.map(<[u8]>::to_vec),
            value: view.value.map(<[u8]>::to_vec),
            headers: headers.collect(),
        }
    }
}

fn list(value: &Value) -> &[Value] {
    value.as_array().expect("a list stands here")
}

fn text(value: &Value) -> String {
    value.as_str().expect("a text stands here").to_owned()
}

fn number(value: &Value) -> i64 {
    value.as_i64().expect("a number stands here")
}

fn bytes(value: &Value) -> Option<Vec<u8>> {
    match value {
        Value::Null => None,
        Value::String(hex) => Some(from_hex(hex)),
        repeated => {
            Some(from_hex(&text(&repeated["hex"])).repeat(number(&repeated["times"]) as usize))
        }
    }
}

fn from_hex(hex: &str) -> Vec<u8> {
    let digits: Vec<u8> = hex
        .chars()
        .map(|digit| digit.to_digit(16).expect("a digit") as u8)
        .collect();
    digits
        .chunks(2)
        .map(|pair| pair[0] << 4 | pair[1])
        .collect()
}
