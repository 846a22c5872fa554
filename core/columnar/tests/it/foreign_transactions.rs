//! Logs with transactions that Apache Kafka wrote (`fixtures/transactions`, created by `foreign/make_transactions.py`)
//! are read like its consumer reads them with `read_committed`.

use std::fs;
use std::path::PathBuf;

use crate::support::{decode_pieces, offsets};
use arrow_array::cast::AsArray;
use bytes::Bytes;
use headwater_columnar::{DecodeOptions, Decoder, FetchedBatches, Format, Projection};
use headwater_record::{AbortedTransactions, Offset, ProducerId, visible_batches};
use serde_json::Value;

/// A log of Apache Kafka, with the answers of its broker and its consumer.
struct Scenario {
    log: Bytes,
    said: Value,
}

/// The broker's answer to one fetch.
struct Answer {
    offset: i64,
    batches: Bytes,
    aborted: AbortedTransactions,
}

fn scenarios() -> [Scenario; 2] {
    ["interleaved", "compacted"].map(|name| {
        let path = |suffix: &str| {
            PathBuf::from(env!("CARGO_MANIFEST_DIR"))
                .join(format!("tests/fixtures/transactions/{name}.{suffix}"))
        };
        Scenario {
            log: fs::read(path("log")).unwrap().into(),
            said: serde_json::from_slice(&fs::read(path("json")).unwrap()).unwrap(),
        }
    })
}

fn number(value: &Value) -> i64 {
    value.as_i64().unwrap()
}

fn aborted(transactions: &Value) -> AbortedTransactions {
    transactions
        .as_array()
        .unwrap()
        .iter()
        .map(|transaction| {
            let [producer_id, first_offset] = [0, 1].map(|at| number(&transaction[at]));
            (ProducerId::new(producer_id), Offset::new(first_offset))
        })
        .collect()
}

impl Scenario {
    /// The records that the consumer returned.
    fn records(&self) -> Vec<(i64, String)> {
        self.said["records"]
            .as_array()
            .unwrap()
            .iter()
            .map(|record| (number(&record[0]), record[1].as_str().unwrap().to_owned()))
            .collect()
    }

    fn offsets(&self) -> Vec<i64> {
        self.records().into_iter().map(|record| record.0).collect()
    }

    fn answers(&self) -> Vec<Answer> {
        self.said["fetches"]
            .as_array()
            .unwrap()
            .iter()
            .map(|fetch| {
                let start = number(&fetch["position"]) as usize;
                Answer {
                    offset: number(&fetch["offset"]),
                    batches: self
                        .log
                        .slice(start..start + number(&fetch["length"]) as usize),
                    aborted: aborted(&fetch["aborted"]),
                }
            })
            .collect()
    }

    fn next_offset(bytes: &Bytes) -> i64 {
        let last = headwater_record::batches(bytes).last().unwrap().unwrap();
        last.header().next_offset().get()
    }
}

#[test]
fn a_log_with_its_transaction_index_is_read_as_kafka_reads_it() {
    for scenario in scenarios() {
        let options = DecodeOptions {
            value: Format::String,
            views: false,
            ..DecodeOptions::default()
        };
        let decoded = Decoder::new(options)
            .unwrap()
            .decode_up_to(
                &[FetchedBatches::new("t", 0, scenario.log.clone(), 0)
                    .without(aborted(&scenario.said["index"]))],
                usize::MAX,
            )
            .unwrap();
        let values = decoded.batch.column_by_name("value").unwrap();
        let values = values
            .as_string::<i32>()
            .iter()
            .map(|v| v.unwrap().to_owned());
        let records: Vec<_> = offsets(&decoded.batch).into_iter().zip(values).collect();
        assert_eq!(records, scenario.records());
    }
}

#[test]
fn each_fetch_response_is_read_as_kafka_reads_it() {
    for scenario in scenarios() {
        for answer in scenario.answers() {
            let end = Scenario::next_offset(&answer.batches);
            let mut expected = scenario.offsets();
            expected.retain(|offset| (answer.offset..end).contains(offset));
            let fetched = FetchedBatches::new("t", 0, answer.batches.clone(), answer.offset)
                .without(answer.aborted.clone());
            let one_by_one: Vec<i64> = (answer.offset..=end).collect();
            for cuts in [vec![answer.offset, end], one_by_one] {
                let options = DecodeOptions::default();
                let decoded = decode_pieces(options, &fetched, &cuts, 3);
                assert_eq!(decoded, expected, "from {} in {cuts:?}", answer.offset);
            }
            let count = DecodeOptions {
                columns: Projection::none(),
                check_crc: false,
                ..DecodeOptions::default()
            };
            let counted = Decoder::new(count)
                .unwrap()
                .decode_up_to(&[fetched], usize::MAX)
                .unwrap();
            assert_eq!(counted.batch.num_rows(), expected.len());
        }
    }
}

#[test]
fn records_of_a_log_are_counted_from_headers_as_kafka_returns_them() {
    for scenario in scenarios() {
        let aborted = aborted(&scenario.said["index"]);
        let count: i32 = visible_batches(&scenario.log, &aborted)
            .map(|batch| batch.unwrap().header().record_count)
            .sum();
        assert_eq!(count as usize, scenario.offsets().len());
    }
}

#[test]
fn the_logs_have_aborted_records_and_gaps() {
    let [interleaved, compacted] = scenarios();
    for scenario in [&interleaved, &compacted] {
        let all = Decoder::new(DecodeOptions::default())
            .unwrap()
            .decode(&[FetchedBatches::new("t", 0, scenario.log.clone(), 0)])
            .unwrap();
        assert!(all.batch.num_rows() > scenario.offsets().len());
    }
    let batches: Vec<_> = headwater_record::batches(&compacted.log)
        .map(|batch| *batch.unwrap().header())
        .collect();
    assert!(
        batches
            .windows(2)
            .any(|pair| pair[0].next_offset() < pair[1].base_offset),
        "a batch was removed"
    );
}
